import { describe, expect, test } from '@jest/globals'
import type { DiscoveryProblem } from '../../../src/domain/clone-family.js'
import type { ClusterId, HsmId, RotationId } from '../../../src/domain/ids.js'
import { ledgerOf } from '../../../src/domain/rotation/ledger.js'
import { rollbackOutlook } from '../../../src/use-cases/rotation/open/rollback-outlook.js'
import { discoveryOf } from '../../helpers/clusters.js'
import {
  change,
  copies,
  copy,
  DONE,
  FIRST_PROVED,
  type Line,
  login,
  PROMOTED,
  STORED,
  TOLD,
} from '../../helpers/journal-lines.js'
import { hsm, ROTATION, rosterOf } from '../../helpers/rotation.js'
import {
  type BenchGiven,
  besideIn,
  keepPending,
  type Place,
  placeOf,
  planOf,
  reported,
} from '../../helpers/run-bench.js'
import { takeUp } from '../../helpers/taken-up.js'

// What becomes of a rotation whose clusters, Regions or HSMs are lost on its way. HSM a of the source is changed; c and d
// are the destination.

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]

const changed = async (away: readonly HsmId[] = [c, d], given: BenchGiven = {}): Promise<Place> => {
  const place = placeOf({
    lines: FIRST_PROVED,
    fleet: (its) => {
      its.give(a, 'new')
      for (const hsmId of away) its.at(hsmId).away = true
    },
    ...given,
  })
  await keepPending(place)
  return place
}

const without = (...hsmIds: readonly HsmId[]) => ({ options: { mayStayBehind: { hsmIds, reason: 'lost' } } })
const flagsFor = (...hsmIds: readonly HsmId[]) =>
  `${hsmIds.map((hsmId) => `--allow-unreachable ${hsmId}`).join(' ')} --reason TEXT`

const LOST = {
  'that AWS does not list any more': (place: Place) => {
    place.aws.clusters = place.aws.clusters.slice(0, 1)
  },
  'that is DELETED': (place: Place) => {
    place.aws.clusters = place.aws.clusters.map((cluster, at) =>
      at === 0 ? cluster : { ...cluster, state: 'DELETED', hsms: [] },
    )
  },
} as const

describe.each(Object.entries(LOST))('a cluster %s', (_words, lose) => {
  test.each([
    ['resume', 'completed 0', 'a new, b new, c old, d old'],
    ['rollback', 'rolled-back 0', 'a old, b old, c old, d old'],
  ] as const)('is left out by %s with consent for each of its HSMs', async (action, ended, holds) => {
    const place = await changed()
    lose(place)
    const asked = await takeUp(place, action)
    const command = `lockstep rotate ${action} --rotation ${ROTATION} ${flagsFor(c, d)}`
    expect([asked.ended, asked.suggestions]).toEqual(['ROSTER_CHANGED 4', expect.arrayContaining([command])])
    expect(asked.suggestions).not.toContain(`lockstep rotate resume --rotation ${ROTATION}`)
    // One of them is not enough, and both have to be named again.
    const half = await takeUp(place, action, without(c))
    expect([half.ended, half.suggestions.join()]).toEqual(['ROSTER_CHANGED 4', expect.stringContaining(flagsFor(c, d))])
    expect((await takeUp(place, action, without(c, d))).ended).toBe(ended)
    expect(place.fleet.holds()).toBe(holds)
  })
})

describe('a cluster that was left out when a lost journal was begun anew', () => {
  const servers = rosterOf(2, 1)
  const [source, destination] = reported(servers)
  const recovered = async (): Promise<Place> => {
    if (source === undefined || destination === undefined) throw new Error('there are two clusters')
    const { clusterId, region } = destination
    const place = placeOf({
      hsms: [2, 1],
      facts: {
        recovered: true,
        plan: planOf(servers.slice(0, 2), 'cmu', ['app']),
        lostClusters: [{ clusterId, region, profile: null, reason: 'lost' }],
      },
      lines: [
        [login(a), DONE],
        [login(b, 'current'), DONE],
        { type: 'store', act: 'put-pending', phase: 'read-back', withCurrent: true },
      ],
      fleet: (its) => {
        its.give(a, 'new')
        its.give(c, 'new')
      },
    })
    await keepPending(place, true)
    place.aws.clusters = [source]
    return place
  }

  test('keeps a rollback: it may hold the new credential, and PENDING alone knows that', async () => {
    const place = await recovered()
    const { ended, message, suggestions } = await takeUp(place, 'rollback')
    expect([ended, message]).toEqual(['NO_WAY_BACK 3', expect.stringContaining(`${destination?.clusterId} may hold`)])
    expect(suggestions.join()).toContain('rotate resume')
    expect(place.store.versions.pending).not.toBeNull()
    expect(rollbackOutlook(ledgerOf(place.entries)).kind).toBe('refused')
    expect((await takeUp(place, 'resume')).ended).toBe('completed-with-debt 6')
  })

  test('goes back with the others once it is there', async () => {
    const place = await recovered()
    place.aws.clusters = reported(servers)
    expect((await takeUp(place, 'rollback')).ended).toBe('rolled-back 0')
    expect(place.fleet.holds()).toBe('a old, b old, c old')
  })
})

describe('every cluster is gone', () => {
  const allGone = async () => {
    const place = await changed([a, b, c, d])
    place.aws.clusters = []
    return place
  }

  test('resume makes nothing current, and says that a rollback closes it; it does', async () => {
    const place = await allGone()
    const resumed = await takeUp(place, 'resume', without(a, b, c, d))
    expect([resumed.ended, resumed.suggestions.join()]).toEqual([
      'NO_HSM_LEFT 4',
      expect.stringContaining('rotate rollback'),
    ])
    expect((await takeUp(place, 'rollback')).ended).toBe('rolled-back 0')
    expect(place.store.versions.pending).toBeNull()
  })

  test('rollback closes it at once', async () => {
    expect((await takeUp(await allGone(), 'rollback', without(a, b, c, d))).ended).toBe('rolled-back 0')
  })
})

describe('a Region that does not answer', () => {
  const silent = (place: Place, operation: DiscoveryProblem['operation'] = 'DescribeClusters'): Place => {
    const [source, destination] = place.aws.clusters
    if (source === undefined || destination === undefined) throw new Error('there are two clusters')
    const { region } = destination
    const problem: DiscoveryProblem = {
      region,
      profile: null,
      error: 'timed out',
      kind: 'unreachable',
      operation,
      named: true,
    }
    const clusters = operation === 'DescribeClusters' ? [source] : [source, destination]
    return { ...place, ports: { ...place.ports, discover: async () => discoveryOf(clusters, [problem]) } }
  }

  test('leaves debts behind where each of its HSMs may stay, and nothing for gone', async () => {
    const place = await changed()
    const asked = await takeUp(silent(place), 'resume')
    expect([asked.ended, asked.message]).toEqual(['ROSTER_CHANGED 4', expect.stringContaining('timed out')])
    expect(asked.suggestions.join()).toContain(`until then, the same command with ${flagsFor(c, d)}`)
    const { ended, rotation } = await takeUp(silent(place), 'resume', without(c, d))
    expect([ended, rotation?.gone, rotation?.debts.map(({ hsmId }) => hsmId)]).toEqual([
      'completed-with-debt 6',
      [],
      [c, d],
    ])
    for (const hsmId of [c, d]) place.fleet.at(hsmId).away = false
    expect((await takeUp(place, 'resume')).ended).toBe('completed 0')
    expect(place.fleet.holds()).toBe('a new, b new, c new, d new')
  })

  test.each([
    'cmu',
    'cloudhsm-cli',
  ] as const)('though its HSMs do, leaves the debt: one may have joined there unseen, by %s', async (utility) => {
    const lines: readonly Line[] =
      utility === 'cmu' ? FIRST_PROVED : [STORED, copies('accepted'), [change([a, b]), DONE], [login([a, b]), DONE]]
    const facts = { acceptedNoWayBack: true }
    const place = await changed([], { utility, lines, facts })
    if (utility === 'cloudhsm-cli') place.fleet.give(b, 'new')
    expect((await takeUp(silent(place), 'resume')).ended).toBe('ROSTER_CHANGED 4')
    const { ended, rotation } = await takeUp(silent(place), 'resume', without(c, d))
    expect([ended, rotation?.debts.map(({ hsmId }) => hsmId)]).toEqual(['completed-with-debt 6', [c, d]])
    expect(place.fleet.holds()).toBe('a new, b new, c new, d new')
    expect((await takeUp(place, 'resume')).ended).toBe('completed 0')
  })

  test('that answers again shows what joined there unseen', async () => {
    const place = await changed([])
    expect((await takeUp(silent(place), 'resume', without(c, d))).ended).toBe('completed-with-debt 6')
    const servers = place.fleet.hsms.map(({ server }) => server)
    const joined = besideIn(servers, c, 'e')
    place.fleet.add(joined)
    place.aws.clusters = reported([...servers, joined])
    expect((await takeUp(place, 'resume')).ended).toBe('completed 0')
    expect(place.fleet.holds()).toBe('a new, b new, c new, d new, e new')
  })

  test('does not keep a rollback from what can be reached', async () => {
    const place = await changed()
    expect((await takeUp(silent(place), 'rollback')).ended).toBe('rolled-back 0')
    expect(place.fleet.holds()).toBe('a old, b old, c old, d old')
  })

  test('keeps a rollback where it wrote: an HSM that joined there may hold the new credential', async () => {
    const place = await changed([], { lines: [...FIRST_PROVED, [copy(a, c), DONE], [login(c), DONE]] })
    place.fleet.give(a, 'new')
    place.fleet.give(c, 'new')
    expect((await takeUp(silent(place), 'rollback')).ended).toBe('ROSTER_CHANGED 4')
    expect((await takeUp(silent(place), 'rollback', without(c, d))).ended).toBe('rolled-back 0')
    expect(place.fleet.holds()).toBe('a old, b old, c old, d old')
  })

  test('keeps it there too where its HSMs are debts, or the one that was written is gone', async () => {
    const lines: readonly Line[] = [...FIRST_PROVED, [copy(a, c), DONE], [login(c), DONE]]
    const debts = [c, d].map((hsmId): Line => ({ type: 'debt', debt: { hsmId, reason: 'x' } }))
    for (const more of [debts, [{ type: 'hsm-gone', gone: { hsmId: c, reason: 'x' } } as const]]) {
      const place = await changed([], { lines: [...lines, ...more] })
      for (const hsmId of [a, c]) place.fleet.give(hsmId, 'new')
      expect((await takeUp(silent(place), 'rollback')).ended).toBe('ROSTER_CHANGED 4')
    }
  })

  test('about backups alone has listed its clusters', async () => {
    const place = await changed([])
    expect((await takeUp(silent(place, 'DescribeBackups'), 'resume')).ended).toBe('completed 0')
  })
})

describe('what AWS reports of HSMs that are not ACTIVE', () => {
  const degraded = async (): Promise<Place> => {
    const place = await changed([c])
    place.aws.clusters = place.aws.clusters.map((cluster) => ({
      ...cluster,
      hsms: cluster.hsms.map((one) => (one.hsmId === c ? { ...one, state: 'DEGRADED' } : one)),
    }))
    return place
  }

  test('stops a rotation that goes forward, and is a notice to one that goes back', async () => {
    expect((await takeUp(await degraded(), 'resume')).ended).toBe('ROSTER_CHANGED 4')
    const place = await degraded()
    expect((await takeUp(place, 'rollback')).ended).toBe('rolled-back 0')
    expect(place.notices).toContain(`${c} is DEGRADED`)
  })

  test('is no matter of a cluster of which all that is left stays behind', async () => {
    const place = await changed()
    place.aws.clusters = place.aws.clusters.map((cluster, at) =>
      at === 0
        ? cluster
        : { ...cluster, state: 'DEGRADED', hsms: cluster.hsms.map((one) => ({ ...one, state: 'DEGRADED' as const })) },
    )
    expect((await takeUp(place, 'resume')).ended).toBe('ROSTER_CHANGED 4')
    const debts = [c, d].map((hsmId): Line => ({ type: 'debt', debt: { hsmId, reason: 'lost' } }))
    const owed = await changed([c, d], { lines: [...FIRST_PROVED, ...debts] })
    owed.aws.clusters = place.aws.clusters
    expect((await takeUp(owed, 'resume', without(c, d))).ended).toBe('completed-with-debt 6')
  })

  test('stops both where it is being added: it may be built from one that holds the new credential', async () => {
    const place = await changed([])
    const [source] = place.aws.clusters
    const added = besideIn(
      place.fleet.hsms.map(({ server }) => server),
      a,
      'e',
    )
    const arriving = { ...source?.hsms[0], hsmId: added.hsmId, eniIp: null, state: 'CREATE_IN_PROGRESS' } as never
    place.aws.clusters = place.aws.clusters.map((cluster, at) =>
      at === 0 ? { ...cluster, hsms: [...cluster.hsms, arriving] } : cluster,
    )
    expect((await takeUp(place, 'resume')).ended).toBe('ROSTER_CHANGED 4')
    expect((await takeUp(place, 'rollback')).ended).toBe('ROSTER_CHANGED 4')
  })
})

describe('an HSM that cannot be reached', () => {
  test('may stay behind while the rotation goes forward, and the advice says so', async () => {
    const { ended, suggestions } = await takeUp(await changed([c]), 'resume')
    expect([ended, suggestions.join()]).toEqual(['HSM_UNREACHABLE 4', expect.stringContaining(flagsFor(c))])
  })

  test.each([
    ['at all', 'open', 'HSM_UNREACHABLE 4'],
    ['once the rollback has begun', 'change CU:app a', 'HSM_UNREACHABLE 4'],
    ['as the officer logs in', 'login CO:admin a', 'HSM_UNREACHABLE 4'],
  ])('%s, when a rotation goes back', async (_words, when, expected) => {
    const place = await changed([])
    if (when === 'open') for (const hsmId of [a, b, c, d]) place.fleet.at(hsmId).away = true
    else place.fleet.befall(when === 'login CO:admin a' ? when : 'copy CU:app b>a', { breaks: 'unreachable' })
    const { ended, suggestions } = await takeUp(place, 'rollback')
    // Whether it may stay behind shows once everything else is back.
    expect([ended, suggestions.join()]).toEqual([expected, expect.not.stringContaining('--allow-unreachable')])
  })
})

test('an officer who is refused for anything but the password is asked again', async () => {
  const place = await changed([])
  const text = 'HSM Error: logged in User is denied'
  place.fleet.befall('login CO:admin', { answer: { kind: 'refused', reason: 'user-logged-in', text } })
  const { ended, message } = await takeUp(place, 'resume')
  expect([ended, message]).toEqual(['OFFICER_NOT_LOGGED_IN 4', expect.stringContaining(text)])
  expect((await takeUp(place, 'resume')).ended).toBe('completed 0')
})

test('a rollback asks AWS where what was written is gone: one that joins may have been built from it', async () => {
  const place = placeOf({ lines: [...FIRST_PROVED, { type: 'hsm-gone', gone: { hsmId: a, reason: 'x' } }] })
  await keepPending(place)
  const joined = besideIn(
    place.fleet.hsms.map(({ server }) => server),
    b,
    'e',
  )
  place.fleet.add(joined)
  place.fleet.give(hsm('e'), 'new')
  const servers = place.fleet.hsms.map(({ server }) => server).filter(({ hsmId }) => hsmId !== a)
  place.aws.clusters = reported(servers)
  expect((await takeUp(place, 'rollback')).ended).toBe('rolled-back 0')
  expect(place.fleet.holds()).toContain('e old')
})

test('a debt that another rotation has overtaken is paid by a repair that names what is owed', async () => {
  const lost = { clusterId: 'cluster-ddddddddddd' as ClusterId, region: null, profile: null, reason: 'x' }
  const given = (hsmId: HsmId): Line[] => [
    [change(hsmId), DONE],
    [login(hsmId), DONE],
  ]
  const place = placeOf({
    hsms: [2, 0],
    facts: { lostClusters: [lost] },
    lines: [STORED, ...[a, b].flatMap(given), PROMOTED, TOLD],
  })
  const { ended, suggestions } = await takeUp(place, 'resume')
  expect([ended, suggestions[0]]).toEqual([
    'DEBT_SUPERSEDED 6',
    expect.stringContaining('--destination cluster-ddddddddddd --user CU:app'),
  ])
})

test('an HSM of a cluster that another run has paid takes part again where its cluster has to be told something', async () => {
  const debts = [b, c].map((hsmId): Line => ({ type: 'debt', debt: { hsmId, reason: 'x' } }))
  const place = placeOf({
    utility: 'cloudhsm-cli',
    lines: [
      STORED,
      copies('refused'),
      { type: 'propagation', method: 'change', evidence: 'x' },
      ...debts,
      ...[a, d].flatMap((hsmId): Line[] => [
        [change(hsmId), DONE],
        [login(hsmId), DONE],
      ]),
      PROMOTED,
      TOLD,
      { type: 'debt-settled', hsmId: c, by: 'r-20260302-031500-late' as RotationId },
    ],
    fleet: (its) => {
      for (const hsmId of [a, c, d]) its.give(hsmId, 'new')
      its.at(b).away = true
    },
  })
  await keepPending(place)
  await place.store.promote(ROTATION)
  const servers = place.fleet.hsms.map(({ server }) => server)
  const joined = besideIn(servers, c, 'e')
  place.fleet.add(joined)
  place.aws.clusters = reported([...servers, joined])
  const { ended, rotation } = await takeUp(place, 'resume')
  expect([ended, rotation?.debts.map(({ hsmId }) => hsmId)]).toEqual(['completed-with-debt 6', [b]])
  expect(place.fleet.holds()).toBe('a new, b old, c new, d new, e new')
  place.fleet.at(b).away = false
  expect((await takeUp(place, 'resume')).ended).toBe('completed 0')
})

test('where no HSM can be reached at all, each is shown as that', async () => {
  const place = await changed([a, b, c, d])
  const { ended, rotation } = await takeUp(place, 'resume')
  expect(ended).toBe('HSM_UNREACHABLE 4')
  expect(rotation?.cells.map(({ state }) => state)).toEqual(['new', 'unreachable', 'unreachable', 'unreachable'])
})
