import { describe, expect, test } from '@jest/globals'
import { rehearse } from '../../../../src/use-cases/rotation/effects/rehearse.js'
import {
  copies,
  type Line,
  listing,
  loggedIn,
  RESUMED,
  rehearsal,
  STORED,
  STORED_WITH_CURRENT,
} from '../../../helpers/journal-lines.js'
import { APP, hsm } from '../../../helpers/rotation.js'
import { type BenchGiven, benchOf, endedBy } from '../../../helpers/run-bench.js'

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]

/** Every HSM logged in with the current credential, which the store keeps. */
const proved: Pick<BenchGiven, 'facts' | 'lines' | 'knows'> = {
  facts: { observed: [a, b, c, d].map((hsmId) => loggedIn(hsmId)) },
  lines: [STORED_WITH_CURRENT],
  knows: ['new', 'current'],
}

const rehearsed = async (given: BenchGiven = {}) => {
  const bench = benchOf({ lines: [STORED], ...given })
  const ended = await endedBy(() => rehearse(bench.run))
  return { ...bench, ended }
}

describe('a rehearsal', () => {
  test('copies the unchanged user to the canary, from a sibling, and compares its whole listing', async () => {
    const { ended, written, fleet, cells } = await rehearsed()
    expect([ended, written()]).toEqual(['done', ['rehearse d>c', 'done', 'copies accepted']])
    expect(fleet.heard).toEqual(['open d c', 'list d c', 'login CO:admin d c', 'copy CU:app d>c', 'list d c'])
    expect(cells()).toBe('a old (untouched), b old (untouched), c old (copy), d old (untouched)')
  })

  test('copies from the source where the canary has no sibling that could give it', async () => {
    expect((await rehearsed({ hsms: [2, 1] })).written()[0]).toBe('rehearse a>c')
    const locked = await rehearsed({ lines: [STORED, listing(d, { locked: [APP] })] })
    expect(locked.written()[0]).toBe('rehearse a>c')
  })

  test('between clusters copies from the source', async () => {
    const { ended, written } = await rehearsed({ utility: 'cloudhsm-cli' })
    expect([ended, written().slice(2)]).toEqual(['done', ['rehearse a>c d', 'done', 'copies accepted']])
  })

  test('is a write: the command before the first change is run first, once', async () => {
    const { hooks, run } = await rehearsed()
    await run.beforeChange()
    expect(hooks.ran).toEqual(['before-change'])
  })

  test('is not made again where an earlier run saw what it shows', async () => {
    const lines = [STORED, [rehearsal(d, c), { kind: 'done' }] as const, copies('accepted')]
    const { written, fleet } = await rehearsed({ lines, options: { acceptNoWayBack: true } })
    expect(fleet.heard).toEqual([])
    expect(written()).not.toContain('rehearse d>c')
  })

  test('that was killed is made again: nobody knows whether it was taken', async () => {
    const { ended, written } = await rehearsed({ lines: [STORED, [rehearsal(d, c)], RESUMED] })
    expect([ended, written()]).toEqual(['done', ['rehearse d>c', 'done', 'copies accepted']])
  })

  test('stops where the copy changed somebody else', async () => {
    const { ended, written } = await rehearsed({
      fleet: (its) => its.meanwhile('copy', () => its.remove(c, 'bystander')),
    })
    expect([ended, written()]).toEqual(['OTHER_USER_CHANGED', ['rehearse d>c', 'done']])
  })
})

describe('a rehearsal that a copy refuses', () => {
  const refuses = { behaviour: { syncUserExisting: 'refuse' } } as const

  test('leaves no way back, and pauses with nothing new', async () => {
    const { ended, written, cells } = await rehearsed(refuses)
    expect([ended, written()]).toEqual(['NO_WAY_BACK', ['rehearse d>c', 'user-exists', 'copies refused']])
    expect(cells()).toContain('c old (untouched)')
  })

  test('goes on by changes where the operator does without a way back', async () => {
    const { ended, written } = await rehearsed({ ...refuses, options: { acceptNoWayBack: true } })
    expect([ended, written().slice(2)]).toEqual([
      'done',
      ['copies refused', 'accepted no-way-back', 'propagation change'],
    ])
  })

  test('goes on by changes where the current credential was proved and is kept', async () => {
    const { ended, written } = await rehearsed({ ...refuses, ...proved })
    expect([ended, written().slice(2)]).toEqual(['done', ['copies refused', 'propagation change']])
  })

  test('pauses where copies alone are wanted', async () => {
    const { ended, written } = await rehearsed({ ...refuses, ...proved, options: { propagate: 'sync' } })
    expect([ended, written().at(-1)]).toEqual(['SYNC_REFUSED', 'copies refused'])
  })

  test('goes on where it paused, without another copy', async () => {
    const lines: Line[] = [STORED, copies('refused')]
    const { ended, written, fleet } = await rehearsed({ lines, options: { acceptNoWayBack: true } })
    expect([ended, written(), fleet.heard]).toEqual(['done', ['accepted no-way-back', 'propagation change'], []])
  })

  test('without a reason settles nothing where a wrong masking key may be it', async () => {
    const differs = (given: BenchGiven) =>
      rehearsed({
        utility: 'cloudhsm-cli',
        behaviour: { userReplicateExisting: 'refuse' },
        fleet: (its) => {
          its.give(c, 'other')
          its.give(d, 'other')
        },
        ...given,
      })
    const auto = await differs({})
    expect([auto.ended, auto.written().slice(2)]).toEqual(['HSM_REFUSED', ['rehearse a>c d', 'copy-refused']])
    const asked = await differs({ options: { propagate: 'change', acceptNoWayBack: true } })
    expect([asked.ended, asked.written().slice(4)]).toEqual([
      'done',
      ['copies unsettled', 'accepted no-way-back', 'propagation change'],
    ])
  })

  test('without a reason is no obstacle where every HSM logged in with the current credential', async () => {
    const { ended, written } = await rehearsed({
      utility: 'cloudhsm-cli',
      behaviour: { userReplicateExisting: 'refuse' },
      ...proved,
      facts: { observed: [loggedIn([a, b]), loggedIn([c, d])] },
      // The records were set apart, so that the copy has something to refuse.
      fleet: (its) => {
        its.give(c, 'old')
        its.give(d, 'old')
      },
    })
    expect([ended, written().slice(4)]).toEqual(['done', ['copies unsettled', 'propagation change']])
  })
})

describe('no rehearsal is made', () => {
  test('where changes are wanted and the current credential is a way back', async () => {
    const { ended, written, fleet } = await rehearsed({ ...proved, options: { propagate: 'change' } })
    expect([ended, written(), fleet.heard]).toEqual(['done', ['copies unused', 'propagation change'], []])
  })

  test('where nothing can be copied: a single HSM, a single cluster', async () => {
    const accept = { options: { acceptNoWayBack: true } } as const
    const alone = ['copies unused', 'accepted no-way-back', 'propagation change']
    expect((await rehearsed({ hsms: [1, 0], ...accept })).written()).toEqual(alone)
    expect((await rehearsed({ hsms: [3, 0], utility: 'cloudhsm-cli', ...accept })).written()).toEqual(alone)
    expect((await rehearsed({ hsms: [1, 0] })).ended).toBe('NO_WAY_BACK')
  })

  test('and with changes wanted and no current credential it is, to know the way back', async () => {
    const { written } = await rehearsed({ options: { propagate: 'change' } })
    expect(written()).toEqual(['rehearse d>c', 'done', 'copies accepted', 'propagation change'])
  })
})

describe('a rehearsal that fails otherwise', () => {
  test.each<[string, string, readonly string[], BenchGiven]>([
    ['is logged in', 'USER_LOGGED_IN', ['rehearse d>c', 'user-logged-in'], { fleet: (its) => its.logIn(c) }],
    [
      'answers in words that nobody knows',
      'NOT_UNDERSTOOD',
      ['rehearse d>c', 'unclear'],
      { fleet: (its) => its.befall('copy', { answer: { kind: 'unclear', text: 'hm' } }) },
    ],
    [
      'never answers',
      'ended',
      ['rehearse d>c', 'unanswered'],
      { fleet: (its) => its.befall('copy', { breaks: 'ended' }) },
    ],
    [
      'is out of reach',
      'unreachable',
      [],
      {
        fleet: (its) => {
          its.at(c).away = true
        },
      },
    ],
  ])('because the user or its HSM %s: %s', async (_words, code, journal, given) => {
    const { ended, written } = await rehearsed(given)
    expect([ended, written()]).toEqual([code, journal])
  })

  test('because the operator’s command fails: nothing is written', async () => {
    const bench = benchOf({ lines: [STORED] })
    bench.hooks.fails = true
    expect([await endedBy(() => rehearse(bench.run)), bench.written()]).toEqual(['HOOK_FAILED', []])
  })
})
