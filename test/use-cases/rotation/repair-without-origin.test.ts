import { describe, expect, test } from '@jest/globals'
import type { HsmId, UnitId } from '../../../src/domain/ids.js'
import { copy, DONE, type Line, listing, loggedIn, login, REFUSED, TOLD } from '../../helpers/journal-lines.js'
import { APP, type FactsGiven, hsm } from '../../helpers/rotation.js'
import { type BenchGiven, type Place, placeOf, reported } from '../../helpers/run-bench.js'
import { takeUp } from '../../helpers/taken-up.js'

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
const REPAIR: FactsGiven = { procedure: 'repair', from: a, newCredential: 'unknown', store: null, createMissing: true }
const isThere = [a, b, c].map((hsmId) => listing(hsmId))

/** A repair that copies from a: b has it, c does not. */
const halfCopied = (given: BenchGiven = {}): Place =>
  placeOf({
    hsms: [1, 2],
    facts: { ...REPAIR, observed: isThere },
    lines: [[copy(a, b), DONE]],
    fleet: (its) => {
      its.give(a, 'other')
      its.give(b, 'other')
    },
    ...given,
  })

const allowing = (...hsmIds: readonly HsmId[]) => ({ options: { mayStayBehind: { hsmIds, reason: 'lost' } } })

const lose = (place: Place, how: 'away' | 'gone', hsmIds: readonly HsmId[] = [a]): void => {
  for (const hsmId of hsmIds) place.fleet.at(hsmId).away = true
  if (how === 'away') return
  const roster = place.fleet.hsms.map(({ server }) => server).filter(({ hsmId }) => !hsmIds.includes(hsmId))
  const kept = reported(roster)
  place.aws.clusters = place.aws.clusters.map(
    (cluster) => kept.find(({ clusterId }) => clusterId === cluster.clusterId) ?? { ...cluster, hsms: [] },
  )
}

/** HSMs that a suggestion offers to leave as they are. */
const offered = (suggestions: readonly string[]): readonly string[] =>
  suggestions.flatMap((line) => [...line.matchAll(/--allow-unreachable (\S+)/g)].map(([, hsmId = '']) => hsmId))

describe('a repair that copies what nobody knows, from an HSM that is away', () => {
  test('pauses, and does not offer to go on without it', async () => {
    const place = halfCopied()
    lose(place, 'away')
    const { ended, suggestions } = await takeUp(place, 'resume')
    expect([ended, offered(suggestions)]).toEqual(['ORIGIN_LOST 4', [c]])
    expect(place.fleet.heard.filter((words) => words.startsWith('copy'))).toEqual([])
  })

  test('pauses so too where it goes away on the way', async () => {
    const place = halfCopied()
    place.fleet.befall('open a c', { breaks: 'unreachable' })
    const { ended, suggestions } = await takeUp(place, 'resume')
    expect([ended, offered(suggestions)]).toEqual(['ORIGIN_LOST 4', [c]])
  })

  test.each([
    ['was not to stay behind', []],
    ['was allowed to stay behind', [a]],
  ])('goes on as soon as it is back, where it %s', async (_words, allowed) => {
    const place = halfCopied()
    lose(place, 'away')
    expect((await takeUp(place, 'resume', allowing(...allowed))).ended).toBe('ORIGIN_LOST 4')
    place.fleet.at(a).away = false
    expect((await takeUp(place, 'resume')).ended).toBe('completed 0')
    expect(place.fleet.holds()).toBe('a other, b other, c other')
  })

  test('leaves it a debt where nothing is left to copy', async () => {
    const place = halfCopied({
      lines: [
        [copy(a, b), DONE],
        [copy(a, c), DONE],
      ],
    })
    lose(place, 'away')
    const { ended, suggestions } = await takeUp(place, 'resume')
    expect([ended, offered(suggestions)]).toEqual(['HSM_UNREACHABLE 4', [a]])
    expect((await takeUp(place, 'resume', allowing(a))).ended).toBe('completed-with-debt 6')
  })
})

describe.each(['away', 'gone'] as const)('a repair whose origin is %s for good', (how) => {
  test('is ended by leaving the rest as it is', async () => {
    const place = halfCopied({ lines: [[copy(a, b), DONE], [copy(a, c)]] })
    lose(place, how)
    const { ended, suggestions } = await takeUp(place, 'resume', allowing(a))
    expect([ended, offered(suggestions)]).toEqual(['ORIGIN_LOST 4', [c]])
    const { rotation, ...last } = await takeUp(place, 'resume', allowing(a, c))
    expect([rotation?.outcome, last.ended, offered(last.suggestions)]).toEqual([
      'completed-with-debt',
      'ORIGIN_LOST 6',
      [],
    ])
    expect(place.fleet.holds()).toBe('a other, b other, c old')
  })

  test('goes on by changes where the password is known', async () => {
    const found = [loggedIn(a, 'new'), ...[b, c].map((hsmId) => loggedIn(hsmId, 'new', REFUSED as never))]
    const place = halfCopied({
      facts: { ...REPAIR, newCredential: 'given', observed: [...isThere, ...found] },
      lines: [
        [copy(a, b), DONE],
        [login(b), DONE],
      ],
      fleet: (its) => {
        its.give(a, 'new')
        its.give(b, 'new')
      },
    })
    lose(place, how)
    const { ended } = await takeUp(place, 'resume', { ...allowing(a), gives: ['new'] })
    expect([ended, place.fleet.holds()]).toEqual([
      how === 'gone' ? 'completed 0' : 'completed-with-debt 6',
      'a new, b new, c new',
    ])
  })
})

describe.each<[string, (place: Place) => void]>([
  ['locked', ({ fleet }) => fleet.fail(a, 5)],
  [
    'unlocked to another password',
    ({ fleet }) => {
      fleet.fail(a, 5)
      fleet.meanwhile('open c', () => fleet.give(a, 'old'))
    },
  ],
  ['deleted', ({ fleet }) => fleet.remove(a)],
])('a repair on whose origin the user is %s', (_words, befalls) => {
  /** Up to the run that sees what became of it. */
  const seen = async () => {
    const place = halfCopied()
    befalls(place)
    // The failed logins of somebody else are told first.
    await takeUp(place, 'resume')
    return { place, ...(await takeUp(place, 'resume')) }
  }

  test('copies from it no more, and says what ends it', async () => {
    const { place, ended, suggestions } = await seen()
    expect([ended, offered(suggestions)]).toEqual(['ORIGIN_LOST 4', [a, c]])
    expect(suggestions.join()).not.toMatch(/overwrite-other|create-missing|bring it back/)
    expect(place.fleet.heard.filter((words) => words.startsWith('copy'))).toEqual([])
  })

  test('is ended by what it says', async () => {
    const { place } = await seen()
    const { rotation, ended } = await takeUp(place, 'resume', allowing(a, c))
    expect([rotation?.outcome, ended]).toEqual(['completed-with-debt', 'ORIGIN_LOST 6'])
    // Consent to overwrite gives the origin nothing: there is nothing to give it from.
    const again = await takeUp(place, 'resume', { options: { overwriteOther: true, createMissing: true } })
    expect([again.ended, again.message.match(/;/)]).toEqual(['ORIGIN_LOST 6', null])
    expect(place.fleet.heard.filter((words) => words.startsWith('copy'))).toEqual([])
  })
})

test('a cluster that is copied from is lost with its last HSM, not with the first', async () => {
  const from = 'cluster-aaaaaaaaaaa' as UnitId
  const lines: readonly Line[] = []
  const begun = () =>
    placeOf({
      utility: 'cloudhsm-cli',
      facts: { ...REPAIR, from, observed: [a, b, c, d].map((hsmId) => listing(hsmId)) },
      lines,
      fleet: (its) => {
        its.give(a, 'other')
        its.give(b, 'other')
      },
    })
  const one = begun()
  lose(one, 'away', [a])
  expect((await takeUp(one, 'resume', allowing(a))).ended).toBe('completed-with-debt 6')
  const both = begun()
  lose(both, 'away', [a, b])
  const { ended, suggestions } = await takeUp(both, 'resume', allowing(a, b))
  expect([ended, offered(suggestions)]).toEqual(['ORIGIN_LOST 4', [c, d]])
  for (const hsmId of [a, b]) both.fleet.at(hsmId).away = false
  expect((await takeUp(both, 'resume')).ended).toBe('completed 0')
})

test.each([
  'cmu',
  'cloudhsm-cli',
] as const)('a target that is locked is named as such by %s, and once unlocked it is copied to', async (utility) => {
  const from = (utility === 'cmu' ? a : 'cluster-aaaaaaaaaaa') as UnitId
  const place = placeOf({
    utility,
    hsms: [1, 1],
    facts: { ...REPAIR, from, observed: [listing(a), listing(b, { locked: [APP], failures: [[APP, 5]] })] },
    behaviour: { syncResetsFailures: false },
    fleet: (its) => its.fail(b, 5),
  })
  for (const _ of [1, 2]) {
    const { ended, suggestions } = await takeUp(place, 'resume')
    expect([ended, suggestions.join()]).toEqual(['USER_LOCKED 4', expect.stringMatching(/an officer unlocks/)])
  }
  place.fleet.give(b, 'other')
  const { ended } = await takeUp(place, 'resume', { options: { overwriteOther: true } })
  expect([ended, place.fleet.holds()]).toEqual(['completed 0', 'a old, b old'])
})

test('a debt that is locked is named as such by cloudhsm-cli', async () => {
  const from = 'cluster-aaaaaaaaaaa' as UnitId
  const place = placeOf({
    utility: 'cloudhsm-cli',
    hsms: [1, 1],
    facts: { ...REPAIR, from, debts: [{ hsmId: b, reason: 'away' }], observed: [listing(a)] },
    lines: [TOLD],
    fleet: (its) => its.fail(b, 5),
  })
  expect((await takeUp(place, 'resume')).ended).toBe('USER_LOCKED 6')
})

test('an HSM that refuses every copy is left as it is where the operator wants that', async () => {
  const place = halfCopied({ behaviour: { syncUserExisting: 'refuse' } })
  const { ended, suggestions } = await takeUp(place, 'resume')
  expect([ended, offered(suggestions)]).toEqual(['COPY_REFUSED 4', [c]])
  const left = await takeUp(place, 'resume', allowing(c))
  // The debt cannot be paid by this repair; what can is named, and nothing that would be refused.
  expect([left.rotation?.outcome, left.ended]).toEqual(['completed-with-debt', 'COPY_REFUSED 6'])
  expect(left.suggestions.join('\n')).toMatch(/^another repair gives it what is right/)
  expect(left.suggestions.join('\n')).not.toMatch(/--propagate|rollback/)
})

test('one that has changed nothing yet is closed by a rollback, as it says', async () => {
  const place = halfCopied({ lines: [], behaviour: { syncUserExisting: 'refuse' } })
  const { ended, suggestions } = await takeUp(place, 'resume')
  expect([ended, suggestions[0]]).toEqual([
    'COPY_REFUSED 4',
    expect.stringMatching(/nothing has changed yet.*rollback/),
  ])
  expect((await takeUp(place, 'rollback')).ended).toBe('rolled-back 0')
})

describe.each([
  ['unknown', 'COPY_REFUSED 4', 'a new, b new, c old, d new'],
  ['given', 'completed 0', 'a new, b new, c new, d new'],
] as const)('a copy that some HSM of a cluster refuses each time, where the password is %s', (newCredential, ended, holds) => {
  test('is taken for one that all refuse', async () => {
    const from = 'cluster-aaaaaaaaaaa' as UnitId
    const place = placeOf({
      utility: 'cloudhsm-cli',
      facts: { ...REPAIR, from, newCredential, observed: [a, b, c, d].map((hsmId) => listing(hsmId)) },
      lines: newCredential === 'given' ? [[login([a, b]), DONE]] : [],
      fleet: (its) => {
        for (const hsmId of [a, b, d]) its.give(hsmId, 'new')
        const inPart = { answer: { kind: 'unclear', text: 'failed on 1 of 2', partly: true } } as const
        for (let times = 0; times < 9; times += 1) its.befall('copy CU:app', inPart)
      },
    })
    const taken = await takeUp(place, 'resume', newCredential === 'given' ? { gives: ['new'] } : {})
    expect([taken.ended, place.fleet.holds()]).toEqual([ended, holds])
  })
})
