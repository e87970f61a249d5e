import { describe, expect, test } from '@jest/globals'
import { renderPause } from '../../../src/cli/views/rotation.js'
import type { UserKey } from '../../../src/domain/hsm-user.js'
import type { HsmId, RotationId } from '../../../src/domain/ids.js'
import type { JournalEvent } from '../../../src/domain/rotation/journal-entry.js'
import { ledgerOf } from '../../../src/domain/rotation/ledger.js'
import { rotationDocument } from '../../../src/domain/rotation/outcome.js'
import type { ProgressEvent } from '../../../src/domain/rotation/progress.js'
import { rotationOf } from '../../../src/domain/rotation/rotation.js'
import {
  indebted,
  refuseOpenRotation,
  settleEarlierDebts,
} from '../../../src/use-cases/rotation/open/earlier-rotations.js'
import { goneOnSince } from '../../../src/use-cases/rotation/open/superseded.js'
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
import { type FactsGiven, hsm, planOver, ROTATION, rosterOf } from '../../helpers/rotation.js'
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

  test('is not paid off as rolled back before the others have shown once more that they hold what they held', async () => {
    const place = await placeWith('by changes', [c, d])
    await takeUp(place, 'rollback', without(c))
    comeBack(place, c, d)
    place.fleet.give(a, 'other')
    expect([(await takeUp(place, 'resume')).ended, owedBy(place)]).toEqual(['OTHER_CREDENTIAL 6', [c]])
    expect(place.fleet.holds()).toBe('a other, b old, c old, d old')
    const { ended } = await takeUp(place, 'resume', { options: { overwriteOther: true } })
    expect([ended, place.fleet.holds()]).toEqual(['rolled-back 0', 'a old, b old, c old, d old'])
  })

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

  describe('once a newer one has gone on', () => {
    const LATER = 'r-20260401-031500-late' as RotationId
    /** The machine knows this newer one as well. */
    const beside = (place: Place, lines: readonly Line[], facts: FactsGiven = {}, roster = rosterOf(2, 2)): Place => {
      const entries = journalOf(lines, { rotationId: LATER, ...facts }, roster).map((entry) => ({
        ...entry,
        at: '2026-04-01T03:15:00.000Z',
      }))
      const { shelf } = place.ports
      const both = () => [rotationOf(ledgerOf(place.entries)), rotationOf(ledgerOf(entries))]
      return {
        ...place,
        ports: {
          ...place.ports,
          shelf: {
            ...shelf,
            list: async () => [ROTATION, LATER],
            follow: async (rotationId, entry) => {
              for (const one of rotationId === LATER ? entries : place.entries) entry(one)
              return { torn: false }
            },
            rotationsOn: async () => both(),
            openRotations: async () => both().filter(({ closed }) => !closed),
          },
        },
      }
    }
    const NEWER: Line[] = [
      STORED,
      ...[a, b, c, d].flatMap((hsmId): Line[] => [
        [change(hsmId), DONE],
        [login(hsmId), DONE],
      ]),
    ]
    const owing = async () => {
      const place = await placeWith('by copies', [c, d])
      await takeUp(place, 'rollback', without(c))
      comeBack(place, c, d)
      return place
    }
    const why = async (place: Place) => (await goneOnSince(ledgerOf(place.entries), place.ports.shelf)).why

    test('is not paid before that is finished', async () => {
      const place = beside(await owing(), NEWER)
      const { ended, suggestions } = await takeUp(place, 'resume')
      expect([ended, suggestions]).toEqual([
        'ROTATION_OPEN 5',
        expect.arrayContaining([`lockstep rotate resume --rotation ${LATER}`]),
      ])
      expect(await why(place)).toMatchObject({ code: 'ROTATION_OPEN' })
      expect(place.fleet.holds()).toBe('a old, b old, c new, d old')
    })

    test('is settled by its end, which gave every user something newer there', async () => {
      const place = await owing()
      const through = beside(place, [...NEWER, PROMOTED, TOLD])
      const [, newer] = await through.ports.shelf.rotationsOn([])
      if (newer === undefined) throw new Error('there are two')
      await settleEarlierDebts(newer, through.ports.shelf, () => {})
      const settled = rotationOf(ledgerOf(place.entries))
      expect([settled.outcome, settled.debts, settled.closed]).toEqual(['rolled-back', [], true])
      expect(settled.settled).toEqual([{ hsmId: c, by: LATER }])
    })

    test('or by a resume that finds it so, without a word to an HSM', async () => {
      const place = beside(await owing(), [...NEWER, PROMOTED, TOLD])
      const heard = place.fleet.heard.length
      const { ended, rotation } = await takeUp(place, 'resume')
      expect([ended, rotation?.closed, rotation?.settled]).toEqual(['rolled-back 0', true, [{ hsmId: c, by: LATER }]])
      expect(place.fleet.heard).toHaveLength(heard)
    })

    test.each(['HSM', 'whole cluster'])('is left to that where the %s stayed behind there as well', async (what) => {
      const [destination] = planOver(rosterOf(2, 2)).destinations
      if (destination === undefined) throw new Error('there are two clusters')
      const { clusterId, region, profile } = destination
      const onFirst = [STORED, ...NEWER.slice(1, 5), PROMOTED, TOLD]
      const reason = 'lost'
      const place =
        what === 'HSM'
          ? beside(await owing(), onFirst, { debts: [c, d].map((hsmId) => ({ hsmId, reason })) })
          : beside(
              await owing(),
              onFirst,
              {
                plan: { ...planOver(rosterOf(2, 0)), destinations: [] },
                lostClusters: [{ clusterId, region, profile, reason }],
              },
              rosterOf(2, 0),
            )
      const told: string[] = []
      const listening = {
        ...place,
        ports: { ...place.ports, progress: (event: ProgressEvent) => told.push(event.kind) },
      }
      const document = rotationDocument(rotationOf(ledgerOf(place.entries)))
      expect(renderPause(document, null, null, await why(place))).toMatch(
        new RegExp(`^A debt remains: ${LATER} is newer than ${ROTATION}, and ${c} stayed behind there as well`),
      )
      const { ended, suggestions, rotation } = await takeUp(listening, 'resume')
      expect([ended, suggestions]).toEqual([
        'DEBT_SUPERSEDED 6',
        [`lockstep rotate resume --rotation ${LATER}   gives it that, and settles both`],
      ])
      expect(told).not.toContain('stage-paused')
      expect(rotation === null ? null : renderPause(rotationDocument(rotation), null)).not.toContain(
        `rotate resume --rotation ${ROTATION}`,
      )
      expect(place.fleet.holds()).toBe('a old, b old, c new, d old')
    })

    describe.each(['cmu', 'cloudhsm-cli'] as const)('of one of its two users: %s', (utility) => {
      const giving = (user: string, where: readonly HsmId[]): Line[] => {
        const key = `CU:${user}` as UserKey
        const units = utility === 'cmu' ? where.map((hsmId) => [hsmId]) : [where]
        return units.flatMap((hsmIds): Line[] => [
          [change(hsmIds, 'new', key), DONE],
          [login(hsmIds, 'new', key), DONE],
        ])
      }
      const USERS = ['app', 'batch']
      /** A rollback by copies of two users owes them to c and d, which hold the new password still; a and b are untouched. */
      const owingBoth = async (): Promise<Place> => {
        const place = placeOf({
          utility,
          users: USERS,
          lines: [STORED, copies('overwrites'), ...USERS.flatMap((user) => giving(user, [c, d]))],
          fleet: (fleet) => {
            for (const hsmId of [c, d]) {
              for (const user of USERS) fleet.give(hsmId, 'new', user)
              fleet.at(hsmId).away = true
            }
          },
        })
        await keepPending(place)
        expect((await takeUp(place, 'rollback', without(c, d))).ended).toBe('rolled-back 6')
        comeBack(place, c, d)
        return place
      }
      const newerOf = (place: Place, where: readonly HsmId[], roster = rosterOf(2, 2)): Place =>
        beside(
          place,
          [
            STORED,
            ...giving(
              'app',
              where.filter((one) => one === a || one === b),
            ),
            ...giving(
              'app',
              where.filter((one) => one === c || one === d),
            ),
            PROMOTED,
            TOLD,
          ],
          { plan: planOf(roster, utility, ['app']) },
          roster,
        )

      test('the other one is given back what it held, and the newer password stays', async () => {
        const place = await owingBoth()
        for (const hsmId of [a, b, c, d]) place.fleet.give(hsmId, 'other')
        const { ended, rotation } = await takeUp(newerOf(place, [a, b, c, d]), 'resume')
        // It comes from another cluster, of which nobody proved that it held the same.
        const batch = [c, d].map((hsmId) => ({ user: 'CU:batch', hsmId }))
        expect([ended, rotation?.closed, rotation?.withoutProof]).toEqual(['rolled-back 6', true, batch])
        expect([place.fleet.holds(), place.fleet.holds('batch')]).toEqual([
          'a other, b other, c other, d other',
          'a old, b old, c old, d old',
        ])
      })

      test('what it holds elsewhere by now is not given back for what it held', async () => {
        const place = await owingBoth()
        for (const hsmId of [a, b]) place.fleet.give(hsmId, 'other')
        // The newer one is over a and b alone: nothing is left to copy from.
        const only = newerOf(place, [a, b], rosterOf(2, 0))
        const { ended, suggestions } = await takeUp(only, 'resume')
        expect([ended, place.fleet.holds()]).toEqual(['NO_WAY_BACK 6', 'a other, b other, c new, d new'])
        expect(suggestions[0]).toMatch(/lockstep users repair --from HSM .* --user CU:app$/)
      })
    })
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
