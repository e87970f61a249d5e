import { describe, expect, test } from '@jest/globals'
import { renderPause } from '../../../src/cli/views/rotation.js'
import type { HsmId, RotationId } from '../../../src/domain/ids.js'
import type { JournalEvent } from '../../../src/domain/rotation/journal-entry.js'
import { ledgerOf } from '../../../src/domain/rotation/ledger.js'
import { rotationDocument } from '../../../src/domain/rotation/outcome.js'
import { rotationOf } from '../../../src/domain/rotation/rotation.js'
import {
  indebted,
  refuseOpenRotation,
  settleEarlierDebts,
  whyOvertaken,
} from '../../../src/use-cases/rotation/open/earlier-rotations.js'
import { discoveryOf } from '../../helpers/clusters.js'
import {
  back,
  change,
  copies,
  copy,
  DONE,
  FIRST_PROVED,
  journalOf,
  type Line,
  ledgerAfter,
  loggedIn,
  login,
  PROMOTED,
  STORED,
  STORED_WITH_CURRENT,
  TOLD,
} from '../../helpers/journal-lines.js'
import { hsm, planOver, ROTATION, rosterOf } from '../../helpers/rotation.js'
import { type BenchGiven, besideIn, keepPending, type Place, placeOf, reported } from '../../helpers/run-bench.js'
import { takeUp } from '../../helpers/taken-up.js'

// A rollback ends without HSMs that were written and are lost, where the operator says so: they are owed what they held
// before. HSMs a and b are the source, c and d the destination.

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
const without = (...hsmIds: readonly HsmId[]) => ({ options: { mayStayBehind: { hsmIds, reason: 'Region lost' } } })
const given = (hsmId: HsmId): Line[] => [
  [copy(a, hsmId), DONE],
  [login(hsmId), DONE],
]

/** Everything but b is new, or a and c alone are; those of `away` cannot be reached. */
const WAYS: Readonly<Record<string, { readonly lines: readonly Line[]; readonly current: boolean } & BenchGiven>> = {
  'by copies': { lines: [...FIRST_PROVED, ...given(c)], current: false },
  'by changes': {
    lines: [
      ...[a, b, c, d].map((hsmId) => loggedIn(hsmId)),
      STORED_WITH_CURRENT,
      copies('refused'),
      [change(a), DONE],
      [login(a), DONE],
      [change(c), DONE],
      [login(c), DONE],
    ],
    current: true,
  },
}

const placeWith = async (way: keyof typeof WAYS, away: readonly HsmId[], more: BenchGiven = {}): Promise<Place> => {
  const { current = false, ...its } = WAYS[way] ?? {}
  const place = placeOf({
    ...its,
    fleet: (fleet) => {
      for (const hsmId of [a, c]) fleet.give(hsmId, 'new')
      for (const hsmId of away) fleet.at(hsmId).away = true
    },
    ...more,
  })
  await keepPending(place, current)
  return place
}
/** HSM e joins the cluster of another one. */
const join = (place: Place, beside: HsmId) => {
  const servers = place.fleet.hsms.map(({ server }) => server)
  const joined = besideIn(servers, beside, 'e')
  place.fleet.add(joined)
  place.aws.clusters = reported([...servers, joined])
}
const comeBack = (place: Place, ...hsmIds: readonly HsmId[]) => {
  for (const hsmId of hsmIds) place.fleet.at(hsmId).away = false
}
const owedBy = ({ entries }: Place) => rotationOf(ledgerOf(entries)).debts.map(({ hsmId }) => hsmId)

describe.each(Object.keys(WAYS))('a Region in which a rotation wrote is lost, and it goes back %s', (way) => {
  test('pauses, and the advice that it ends without is taken', async () => {
    const place = await placeWith(way, [c, d])
    const asked = await takeUp(place, 'rollback')
    expect([asked.ended, asked.suggestions.join()]).toEqual([
      'HSM_UNREACHABLE 4',
      expect.stringContaining(`lockstep rotate rollback --rotation ${ROTATION} --allow-unreachable ${c} --reason TEXT`),
    ])
    const { ended, rotation } = await takeUp(place, 'rollback', without(c))
    expect([ended, rotation?.debts, rotation?.withoutProof, rotation?.closed]).toEqual([
      'rolled-back 6',
      [{ hsmId: c, reason: 'Region lost' }],
      [],
      false,
    ])
    expect(place.store.versions.pending).toBeNull()
    expect(place.fleet.holds()).toBe('a old, b old, c new, d old')
  })

  test('ends without at the first call, whichever of its HSMs are named besides', async () => {
    const place = await placeWith(way, [c, d])
    expect((await takeUp(place, 'rollback', without(c, d))).ended).toBe('rolled-back 6')
    expect(owedBy(place)).toEqual([c])
  })

  test('is owed it until it is back, and resume gives it that', async () => {
    const place = await placeWith(way, [c, d])
    await takeUp(place, 'rollback', without(c))
    expect((await takeUp(place, 'resume')).ended).toBe('rolled-back 6')
    comeBack(place, c, d)
    const { ended, rotation } = await takeUp(place, 'resume')
    expect([ended, rotation?.debts, rotation?.closed]).toEqual(['rolled-back 0', [], true])
    expect(place.fleet.holds()).toBe('a old, b old, c old, d old')
  })

  test('ends without it by resume as well, once the rollback has begun', async () => {
    const place = await placeWith(way, [c, d])
    expect((await takeUp(place, 'rollback')).ended).toBe('HSM_UNREACHABLE 4')
    expect((await takeUp(place, 'resume', without(c))).ended).toBe('rolled-back 6')
  })

  test('whose HSM is gone for good then is owed nothing any more, and the outcome says so', async () => {
    const place = await placeWith(way, [c, d])
    await takeUp(place, 'rollback', without(c))
    const [source] = reported(rosterOf(2, 2))
    place.aws.clusters = source === undefined ? [] : [source]
    comeBack(place, d)
    const { rotation } = await takeUp(place, 'resume', without(d))
    expect([rotation?.outcome, rotation?.debts, rotation?.gone.map(({ hsmId }) => hsmId)]).toEqual([
      'rolled-back',
      [],
      [c, d],
    ])
  })

  test('keeps no start of the survivors', async () => {
    const place = await placeWith(way, [c, d])
    const shelf = { ...place.ports.shelf, openRotations: async () => [rotationOf(ledgerOf(place.entries))] }
    const clusterIds = [ledgerOf(place.entries).plan.source.clusterId]
    await takeUp(place, 'rollback')
    await expect(refuseOpenRotation(shelf, clusterIds)).rejects.toMatchObject({ code: 'ROTATION_OPEN' })
    await takeUp(place, 'rollback', without(c))
    await expect(refuseOpenRotation(shelf, clusterIds)).resolves.toBeUndefined()
    expect((await indebted(shelf, clusterIds)).join()).toContain(`${c} stayed behind in ${ROTATION} (Region lost)`)
  })
})

describe('a debt of a rollback', () => {
  const silent = (place: Place, more: object = {}): Place => {
    const [source, destination] = place.aws.clusters
    if (source === undefined || destination === undefined) throw new Error('there are two clusters')
    const { region } = destination
    const problem = { region, profile: null, error: 'timed out', kind: 'unreachable', named: true } as const
    const discover = async () => discoveryOf([source], [{ ...problem, operation: 'DescribeClusters', ...more }])
    return { ...place, ports: { ...place.ports, discover } }
  }

  test('is left where its Region does not answer either, and stays one until that does', async () => {
    const place = await placeWith('by copies', [c, d])
    expect((await takeUp(silent(place), 'rollback')).ended).toBe('ROSTER_CHANGED 4')
    expect((await takeUp(silent(place), 'rollback', without(c, d))).ended).toBe('rolled-back 6')
    comeBack(place, c, d)
    expect([(await takeUp(silent(place), 'resume')).ended, owedBy(place)]).toEqual(['ROSTER_CHANGED 6', [c]])
    expect([(await takeUp(silent(place), 'resume', without(d))).ended, owedBy(place)]).toEqual(['rolled-back 6', [c]])
    expect(place.fleet.holds()).toBe('a old, b old, c old, d old')
    expect((await takeUp(place, 'resume')).ended).toBe('rolled-back 0')
  })

  test('says what AWS said of a Region that denies, and advises the permission before all else', async () => {
    const place = await placeWith('by copies', [c, d])
    const denied = { kind: 'denied', error: 'AccessDeniedException: no' }
    for (const action of ['rollback', 'resume'] as const) {
      const { ended, message, suggestions } = await takeUp(silent(place, denied), action)
      expect(ended).toBe('ROSTER_CHANGED 4')
      expect(message).toMatch(/denied cloudhsm:DescribeClusters: AccessDeniedException: no/)
      expect(message).not.toContain('did not answer')
      expect(suggestions.find((one) => !one.startsWith('lockstep'))).toBe(
        'allow cloudhsm:DescribeClusters in eu-west-1 to these credentials, then the same command again',
      )
    }
    expect((await takeUp(silent(place), 'rollback')).message).toContain('eu-west-1 did not answer: timed out')
  })

  test('is one of the HSM as well that joins it, which may be built from it', async () => {
    const place = await placeWith('by copies', [c, d])
    await takeUp(place, 'rollback', without(c))
    join(place, c)
    place.fleet.give(hsm('e'), 'new')
    comeBack(place, d)
    expect([(await takeUp(place, 'resume')).ended, owedBy(place)]).toEqual(['rolled-back 6', [c]])
    comeBack(place, c)
    expect((await takeUp(place, 'resume')).ended).toBe('rolled-back 0')
    expect(place.fleet.holds()).toBe('a old, b old, c old, d old, e old')
  })

  test('is none of an HSM that joins elsewhere', async () => {
    const place = await placeWith('by copies', [c, d])
    await takeUp(place, 'rollback', without(c))
    join(place, a)
    comeBack(place, c, d)
    expect((await takeUp(place, 'resume')).ended).toBe('rolled-back 0')
  })

  test('is not of a single HSM of a cluster that answers: until that is back or deleted the rollback is partial', async () => {
    const place = await placeWith('by copies', [c])
    const { ended, suggestions } = await takeUp(place, 'rollback', without(c))
    expect([ended, suggestions.join()]).toEqual([
      'HSM_UNREACHABLE 4',
      expect.stringContaining(`have AWS delete it and end the rollback without it: lockstep rotate rollback`),
    ])
    place.aws.clusters = reported(place.fleet.hsms.map(({ server }) => server).filter(({ hsmId }) => hsmId !== c))
    const { ended: then, rotation } = await takeUp(place, 'rollback', without(c))
    expect([then, rotation?.debts, rotation?.gone.map(({ hsmId }) => hsmId)]).toEqual(['rolled-back 0', [], [c]])
  })

  test('is not of what was never written', async () => {
    const place = await placeWith('by copies', [d])
    expect((await takeUp(place, 'rollback', without(d))).rotation).toMatchObject({ debts: [], closed: true })
  })

  test('by cloudhsm-cli, of all of a cluster', async () => {
    const lines: readonly Line[] = [
      loggedIn([a, b]),
      loggedIn([c, d]),
      STORED_WITH_CURRENT,
      copies('refused'),
      ...[
        [a, b],
        [c, d],
      ].flatMap((hsmIds): Line[] => [
        [change(hsmIds), DONE],
        [login(hsmIds), DONE],
      ]),
    ]
    const place = placeOf({
      utility: 'cloudhsm-cli',
      lines,
      fleet: (fleet) => {
        for (const hsmId of [a, b, c, d]) fleet.give(hsmId, 'new')
        for (const hsmId of [c, d]) fleet.at(hsmId).away = true
      },
    })
    await keepPending(place, true)
    expect((await takeUp(place, 'rollback')).ended).toBe('HSM_UNREACHABLE 4')
    expect((await takeUp(place, 'rollback', without(c, d))).ended).toBe('rolled-back 6')
    expect(place.fleet.holds()).toBe('a old, b old, c new, d new')
    comeBack(place, c, d)
    expect((await takeUp(place, 'resume')).ended).toBe('rolled-back 0')
    expect(place.fleet.holds()).toBe('a old, b old, c old, d old')
  })

  test('is not paid any more once another rotation has gone on, whose credential it needs; that one settles it', async () => {
    const place = await placeWith('by copies', [c, d])
    await takeUp(place, 'rollback', without(c))
    comeBack(place, c, d)
    const later = 'r-20260401-031500-late' as RotationId
    const newer: Line[] = [
      STORED,
      ...[a, b, c, d].flatMap((hsmId): Line[] => [
        [change(hsmId), DONE],
        [login(hsmId), DONE],
      ]),
    ]
    const entries = journalOf(newer, { rotationId: later }, rosterOf(2, 2))
    const { shelf } = place.ports
    const both: Place = {
      ...place,
      ports: {
        ...place.ports,
        shelf: {
          ...shelf,
          list: async () => [ROTATION, later],
          follow: async (rotationId, entry) => {
            for (const one of rotationId === later ? entries : place.entries) entry(one)
            return { torn: false }
          },
          openRotations: async () => [rotationOf(ledgerOf(place.entries))],
        },
      },
    }
    const { ended, suggestions, message } = await takeUp(both, 'resume')
    expect([ended, suggestions.join()]).toEqual([
      'DEBT_SUPERSEDED 6',
      expect.stringContaining(`resume --rotation ${later}`),
    ])
    expect(suggestions.join()).not.toContain(`resume --rotation ${ROTATION}`)
    expect(message).toMatch(new RegExp(`^${ROTATION} is superseded by ${later}, .*: ${c} needs what is in force now$`))
    expect(await indebted(both.ports.shelf, [])).toEqual([])
    const done = ledgerAfter([...newer, PROMOTED, TOLD], { rotationId: later }, rosterOf(2, 2))
    await settleEarlierDebts(
      { ...rotationOf(done), outcome: 'completed', startedAt: '2026-04-01' },
      both.ports.shelf,
      () => {},
    )
    const settled = rotationOf(ledgerOf(place.entries))
    expect([settled.outcome, settled.debts, settled.closed]).toEqual(['rolled-back', [], true])
    expect(settled.settled).toEqual([{ hsmId: c, by: later }])
  })

  test('is left to the later rotation that owes it as well, which is named and is no pause of this one', async () => {
    const place = await placeWith('by copies', [c, d])
    await takeUp(place, 'rollback', without(c))
    const later = 'r-20260401-031500-late' as RotationId
    const [destination] = planOver(rosterOf(2, 2)).destinations
    if (destination === undefined) throw new Error('there are two clusters')
    const alone = { ...planOver(rosterOf(2, 0)), destinations: [] }
    const lines: Line[] = [
      STORED,
      ...[a, b].flatMap((hsmId): Line[] => [
        [change(hsmId), DONE],
        [login(hsmId), DONE],
      ]),
      PROMOTED,
      TOLD,
    ]
    const { clusterId, region, profile } = destination
    const facts = { rotationId: later, plan: alone, lostClusters: [{ clusterId, region, profile, reason: 'lost' }] }
    const entries = journalOf(lines, facts, rosterOf(2, 0))
    const { shelf } = place.ports
    const told: string[] = []
    const both: Place = {
      ...place,
      ports: {
        ...place.ports,
        progress: (event) => told.push(event.kind),
        shelf: {
          ...shelf,
          list: async () => [ROTATION, later],
          follow: async (rotationId, entry) => {
            for (const one of rotationId === later ? entries : place.entries) entry(one)
            return { torn: false }
          },
        },
      },
    }
    const before = ledgerOf(place.entries)
    const why = await whyOvertaken(before, both.ports.shelf)
    expect(renderPause(rotationDocument(rotationOf(before)), null, null, why)).toMatch(
      new RegExp(`^A debt remains: ${ROTATION} is superseded by ${later}, `),
    )
    const { ended, suggestions, rotation } = await takeUp(both, 'resume')
    expect(ended).toBe('DEBT_SUPERSEDED 6')
    expect(suggestions[0]).toBe(
      `lockstep rotate resume --rotation ${later} gives that once it is back, and settles both`,
    )
    expect(suggestions[1]).toContain('or lockstep users repair --to-current')
    expect(told).not.toContain('stage-paused')
    expect(rotation === null ? null : renderPause(rotationDocument(rotation), null)).not.toContain(
      `rotate resume --rotation ${ROTATION}`,
    )
  })
})

describe('what the old credential is copied from is away', () => {
  // a is new, and b, c and d are not.
  const changed = async (away: readonly HsmId[], lines: readonly Line[] = FIRST_PROVED): Promise<Place> => {
    const place = placeOf({
      lines,
      fleet: (fleet) => {
        fleet.give(a, 'new')
        for (const hsmId of away) fleet.at(hsmId).away = true
      },
    })
    await keepPending(place)
    return place
  }
  const OVERWRITES: readonly Line[] = [...FIRST_PROVED, copies('overwrites')]

  test('a rollback does not begin, and resume goes forward', async () => {
    const place = await changed([b, c, d], OVERWRITES)
    expect((await takeUp(place, 'rollback')).ended).toBe('HSM_UNREACHABLE 4')
    expect(ledgerOf(place.entries).rollback).toBeNull()
    expect((await takeUp(place, 'resume', without(b, c, d))).ended).toBe('completed-with-debt 6')
  })

  test('one that has begun is given up where those may stay behind, and goes forward then', async () => {
    const place = await changed([b, c, d], [...OVERWRITES, back()])
    const asked = await takeUp(place, 'resume')
    expect([asked.ended, asked.suggestions.join()]).toEqual([
      'HSM_UNREACHABLE 4',
      expect.stringContaining('give the rollback up'),
    ])
    expect((await takeUp(place, 'resume', without(b, c, d))).ended).toBe('NO_WAY_BACK 4')
    expect((await takeUp(place, 'resume', without(b, c, d))).ended).toBe('completed-with-debt 6')
  })
})

test('what a rollback that is given up left behind is no debt of what goes forward', () => {
  const owed: JournalEvent = { type: 'debt', debt: { hsmId: a, reason: 'x' } }
  const lines: Line[] = [...FIRST_PROVED, back(), owed, { type: 'rollback-abandoned', evidence: 'x' }]
  const { debts, owedBack } = ledgerAfter(lines, {}, rosterOf(2, 2))
  expect([debts.size, owedBack.size]).toEqual([0, 0])
})

test.each(['resume', 'rollback'] as const)('%s says that an HSM is none of the rotation', async (action) => {
  const place = await placeWith('by copies', [c, d])
  await takeUp(place, action, without(hsm('z')))
  const said = `--allow-unreachable names ${hsm('z')}, which is no HSM of this rotation: its HSMs are`
  expect(place.notices.join()).toContain(said)
  place.notices.length = 0
  await takeUp(place, action, without(c, d))
  expect(place.notices.join()).not.toContain('which is no HSM')
})
