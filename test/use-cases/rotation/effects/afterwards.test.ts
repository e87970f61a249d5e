import { describe, expect, test } from '@jest/globals'
import type { HsmId } from '../../../../src/domain/ids.js'
import type { JournalEvent } from '../../../../src/domain/rotation/journal-entry.js'
import { giveJoined } from '../../../../src/use-cases/rotation/effects/give-joined.js'
import { payDebts } from '../../../../src/use-cases/rotation/effects/pay-debts.js'
import {
  change,
  DONE,
  type Line,
  listing,
  login,
  PROMOTED,
  RESUMED,
  STORED,
  TOLD,
} from '../../../helpers/journal-lines.js'
import type { MemoryFleet } from '../../../helpers/memory-fleet.js'
import { APP, hsm } from '../../../helpers/rotation.js'
import { type BenchGiven, benchOf, besideIn, endedBy } from '../../../helpers/run-bench.js'

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
const given = (where: HsmId | readonly HsmId[]): Line[] => [
  [change(where), DONE],
  [login(where), DONE],
]
const debt = (hsmId: HsmId): JournalEvent => ({ type: 'debt', debt: { hsmId, reason: 'x' } })
const gone = (hsmId: HsmId): JournalEvent => ({ type: 'unreachable', hsmId, reason: 'x' })
/** c and d stayed behind. */
const INDEBTED: readonly Line[] = [
  STORED,
  ...[a, b].flatMap(given),
  gone(c),
  gone(d),
  debt(c),
  debt(d),
  PROMOTED,
  TOLD,
  RESUMED,
]
const twoAreNew = (fleet: MemoryFleet) => {
  fleet.give(a, 'new')
  fleet.give(b, 'new')
}

const doing = async (effect: typeof payDebts, how: BenchGiven) => {
  const bench = benchOf({ fleet: twoAreNew, ...how })
  const ended = await endedBy(() => effect(bench.run))
  return { ...bench, ended }
}

describe('paying debts', () => {
  test('gives HSMs that are in sight again the credential, and crosses them off', async () => {
    const { ended, written, fleet, run } = await doing(payDebts, { lines: [...INDEBTED, listing(c), listing(d)] })
    expect([ended, written()]).toEqual([
      'done',
      ['a', 'b', 'c', 'd'].flatMap((letter) => [
        ...('cd'.includes(letter) ? [`change ${letter} new`, 'done'] : []),
        `listed ${letter}`,
        `login ${letter} new`,
        'done',
        ...('cd'.includes(letter) ? [`debt-settled ${letter}`] : []),
      ]),
    ])
    expect(fleet.holds()).toBe('a new, b new, c new, d new')
    expect(run.rotation()).toMatchObject({ outcome: 'completed', closed: true })
  })

  test('leaves those alone that are still out of sight', async () => {
    const { ended, written, run } = await doing(payDebts, {
      lines: [...INDEBTED, listing(c)],
      fleet: (its) => {
        twoAreNew(its)
        its.at(d).away = true
      },
    })
    expect([ended, written().at(-1), [...run.ledger.debts.keys()]]).toEqual(['done', 'debt-settled c', [d]])
    expect(run.rotation()).toMatchObject({ outcome: 'completed-with-debt', closed: false })
  })

  test('that cannot be given it remain, and say why; the others are paid', async () => {
    const { ended, run } = await doing(payDebts, {
      lines: [...INDEBTED, listing(c), listing(d)],
      fleet: (its) => {
        twoAreNew(its)
        its.logIn(c)
      },
    })
    expect([ended, [...run.ledger.debts.keys()]]).toEqual(['USER_LOGGED_IN', [c]])
    expect(run.rotation().outcome).toBe('completed-with-debt')
  })

  test('that were proved in an earlier invocation are proved again, and what somebody else wrote since is left alone', async () => {
    const { ended, fleet, run } = await doing(payDebts, {
      lines: [STORED, ...[a, b, c, d].flatMap(given), gone(d), debt(d), PROMOTED, TOLD, RESUMED, listing(d)],
      fleet: (its) => {
        for (const hsmId of [a, b, c]) its.give(hsmId, 'new')
        its.give(d, 'other')
      },
    })
    expect([ended, fleet.holds()]).toEqual(['OTHER_CREDENTIAL', 'a new, b new, c new, d other'])
    expect(run.rotation()).toMatchObject({ outcome: 'completed-with-debt', closed: false })
  })

  test('prove again what all others hold: with the last debt the rotation is called complete', async () => {
    const { ended, run } = await doing(payDebts, {
      lines: [...INDEBTED, listing(c), listing(d)],
      fleet: (its) => {
        its.give(a, 'new')
        its.give(b, 'other')
      },
    })
    expect([ended, run.ledger.cell(APP, b).state]).toEqual(['OTHER_CREDENTIAL', 'other'])
    expect(run.rotation()).toMatchObject({ outcome: 'paused', closed: false })
  })

  test('creates a user that is missing there where the operator wants it, and else the debt remains', async () => {
    const lines = [...INDEBTED, listing(c, { absent: [APP] })]
    const fleet = (its: MemoryFleet) => {
      twoAreNew(its)
      its.remove(c)
    }
    const without = await doing(payDebts, { lines, fleet })
    expect([without.ended, without.run.rotation().outcome]).toEqual(['USER_MISSING', 'completed-with-debt'])
    const wanted = await doing(payDebts, { lines, fleet, options: { createMissing: true } })
    expect(wanted.fleet.holds()).toBe('a new, b new, c new, d old')
  })

  test('of a repair that nobody knows the password of is a copy', async () => {
    const { written } = await doing(payDebts, {
      facts: { procedure: 'repair', newCredential: 'unknown', from: a },
      knows: [],
      lines: [gone(c), debt(c), TOLD, RESUMED, listing(c)],
    })
    expect(written()).toEqual(['copy a>c new', 'done', 'debt-settled c'])
  })
})

describe('giving HSMs that joined what all others hold', () => {
  const e = hsm('e')
  const joined = besideIn(benchOf().run.plan.roster, d, 'e')
  const added: Line[] = [{ type: 'targets-added', roster: [joined] }, listing(e)]
  const allAreNew = (fleet: MemoryFleet) => {
    for (const hsmId of [a, b, c, d]) fleet.give(hsmId, 'new')
    fleet.add(joined)
  }
  const through = (...gifts: Line[]): Line[] => [STORED, ...gifts, PROMOTED, TOLD, RESUMED]

  test('is a change, and a login', async () => {
    const { ended, written, fleet } = await doing(giveJoined, {
      lines: [...through(...[a, b, c, d].flatMap(given)), ...added],
      fleet: allAreNew,
    })
    const again = ['a', 'b', 'c', 'd'].flatMap((letter) => [`listed ${letter}`, `login ${letter} new`, 'done'])
    expect([ended, written()]).toEqual(['done', ['change e new', 'done', 'listed e', 'login e new', 'done', ...again]])
    expect(fleet.holds()).toBe('a new, b new, c new, d new, e new')
  })

  test('is nothing where all were proved to hold it in this invocation', async () => {
    const { written, fleet } = await doing(giveJoined, {
      lines: [STORED, PROMOTED, TOLD, RESUMED, ...[a, b, c, d].flatMap(given)],
      fleet: allAreNew,
    })
    expect([written(), fleet.heard]).toEqual([[], []])
  })

  test('of a cluster that is written as a whole is a change of all of it', async () => {
    const { ended, written } = await doing(giveJoined, {
      utility: 'cloudhsm-cli',
      lines: [...through(...given([a, b]), ...given([c, d])), ...added],
      fleet: allAreNew,
    })
    expect([ended, written().filter((words) => !/^(serials|listed)/.test(words))]).toEqual([
      'done',
      ['change c d e new', 'done', 'login c d e new', 'done', 'login a b new', 'done'],
    ])
  })
})
