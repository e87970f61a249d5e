import { describe, expect, test } from '@jest/globals'
import type { UnitId } from '../../../../src/domain/ids.js'
import { askCells, repairCells } from '../../../../src/use-cases/rotation/effects/repair.js'
import { DONE, type Line, listing, loggedIn, login, REFUSED } from '../../../helpers/journal-lines.js'
import type { MemoryFleet } from '../../../helpers/memory-fleet.js'
import { APP, type FactsGiven, hsm } from '../../../helpers/rotation.js'
import { type BenchGiven, benchOf, endedBy } from '../../../helpers/run-bench.js'

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
const refused = { kind: 'refused', reason: 'login-refused', text: 'no' } as const

/** To what the store keeps: a and b hold it, c holds another password, d was not asked. */
const KEPT: FactsGiven = {
  procedure: 'repair',
  newCredential: 'kept',
  createMissing: true,
  observed: [loggedIn(a, 'new'), loggedIn(b, 'new'), loggedIn(c, 'new', refused)],
}
const twoAreRight = (fleet: MemoryFleet) => {
  fleet.give(a, 'new')
  fleet.give(b, 'new')
  fleet.give(c, 'other')
}

const doing = async (effect: typeof askCells, given: BenchGiven) => {
  const bench = benchOf({ facts: KEPT, fleet: twoAreRight, ...given })
  const ended = await endedBy(() => effect(bench.run))
  return { ...bench, ended }
}

describe('asking HSMs that nobody asked', () => {
  test('is one login on each, and no other', async () => {
    const { ended, written } = await doing(askCells, {})
    expect([ended, written()]).toEqual(['done', ['listed d', 'login d new', 'login-refused']])
  })

  test.each([
    ['lack the user', listing(d, { absent: [APP] })],
    ['have it locked', listing(d, { locked: [APP], failures: [[APP, 5]] })],
  ])('leaves those alone that %s', async (_words, seen) => {
    const { written, fleet } = await doing(askCells, { lines: [seen] })
    expect([written(), fleet.heard]).toEqual([[], []])
  })

  test('costs one near its lock-out no login: it is written without, which clears the count', async () => {
    const fleet = (its: MemoryFleet) => {
      twoAreRight(its)
      its.fail(d, 3)
    }
    const asking = await doing(askCells, { fleet })
    expect([asking.ended, asking.written()]).toEqual(['done', ['listed d failed 3', 'not-asked d']])
    const notAsked = { type: 'not-asked', user: APP, hsmIds: [d], reason: 'near its lock-out' } as const
    const repairing = await doing(repairCells, { fleet, lines: [[login(c), REFUSED], notAsked] })
    expect([repairing.ended, repairing.fleet.holds()]).toEqual(['done', 'a new, b new, c new, d new'])
  })
})

describe('repairing to what the store keeps', () => {
  const asked: readonly Line[] = [[login(d), REFUSED]]

  test('changes those that do not hold it, and proves each', async () => {
    const { ended, written, fleet, hooks } = await doing(repairCells, { lines: asked })
    expect([ended, written()]).toEqual([
      'done',
      ['c', 'd'].flatMap((letter) => [
        `change ${letter} new`,
        'done',
        `listed ${letter}`,
        `login ${letter} new`,
        'done',
      ]),
    ])
    expect([fleet.holds(), hooks.ran]).toEqual(['a new, b new, c new, d new', ['before-change']])
  })

  test('copies a user that is missing from one that holds it', async () => {
    const { ended, written, fleet } = await doing(repairCells, {
      lines: [...asked, listing(c, { absent: [APP] })],
      fleet: (its) => {
        twoAreRight(its)
        its.remove(c)
      },
    })
    expect(ended).toBe('done')
    expect(written().slice(0, 9)).toEqual([
      'listed c without the user',
      'listed a',
      'login a new',
      'done',
      'copy a>c new',
      'done',
      'listed c',
      'login c new',
      'done',
    ])
    expect(fleet.holds()).toBe('a new, b new, c new, d new')
  })
})

describe('repairing by copies from one HSM', () => {
  const UNKNOWN: BenchGiven = {
    facts: { procedure: 'repair', from: a, newCredential: 'unknown', createMissing: true },
    knows: [],
    fleet: () => {},
  }
  /** The password is known, and all but d were seen to hold it. */
  const KNOWN: BenchGiven = {
    facts: {
      procedure: 'repair',
      from: a,
      newCredential: 'given',
      createMissing: true,
      observed: [a, b, c].map((hsmId) => loggedIn(hsmId, 'new')),
    },
    lines: [[login(a), DONE]],
    fleet: (its) => {
      for (const hsmId of [a, b, c]) its.give(hsmId, 'new')
    },
  }

  test('gives all others what it holds, which nobody knows', async () => {
    const { ended, written, fleet } = await doing(repairCells, { ...UNKNOWN, fleet: (its) => its.give(a, 'other') })
    expect([ended, written()]).toEqual(['done', ['b', 'c', 'd'].flatMap((letter) => [`copy a>${letter} new`, 'done'])])
    expect(fleet.holds()).toBe('a other, b other, c other, d other')
  })

  test('proves each by a login where the password is known', async () => {
    const { ended, written } = await doing(repairCells, KNOWN)
    expect([ended, written()]).toEqual(['done', ['copy a>d new', 'done', 'listed d', 'login d new', 'done']])
  })

  test('changes what a copy leaves as it is, where the password is known', async () => {
    const { ended, written } = await doing(repairCells, { ...KNOWN, behaviour: { syncUserExisting: 'refuse' } })
    expect([ended, written()]).toEqual([
      'done',
      ['copy a>d new', 'user-exists', 'change d new', 'done', 'listed d', 'login d new', 'done'],
    ])
  })

  test('changes it again where a copy said it was done and was not', async () => {
    const { ended, written } = await doing(repairCells, { ...KNOWN, behaviour: { syncUserExisting: 'ignore' } })
    expect([ended, written().slice(4)]).toEqual([
      'done',
      ['login-refused', 'change d new', 'done', 'listed d', 'login d new', 'done'],
    ])
  })

  test('pauses where a copy is refused and nobody knows the password', async () => {
    const { ended } = await doing(repairCells, { ...UNKNOWN, behaviour: { syncUserExisting: 'refuse' } })
    expect(ended).toBe('COPY_REFUSED')
  })

  test('changes a user that is locked, where the password is known', async () => {
    const { written, fleet } = await doing(repairCells, {
      ...KNOWN,
      lines: [listing(d, { locked: [APP], failures: [[APP, 5]] })],
      fleet: (its) => {
        KNOWN.fleet?.(its)
        its.fail(d, 5)
      },
    })
    expect([written()[0], fleet.failures()]).toEqual(['change d new', [0, 0, 0, 0]])
  })

  test('makes a user that is missing', async () => {
    const { ended, fleet } = await doing(repairCells, {
      ...UNKNOWN,
      lines: [listing(d, { absent: [APP] })],
      fleet: (its) => its.remove(d),
    })
    expect([ended, fleet.holds()]).toEqual(['done', 'a old, b old, c old, d old'])
  })

  test('goes from cluster to cluster where copies do', async () => {
    const from = 'cluster-aaaaaaaaaaa' as UnitId
    const { ended, written, fleet } = await doing(repairCells, {
      ...UNKNOWN,
      utility: 'cloudhsm-cli',
      facts: { ...UNKNOWN.facts, from },
      fleet: (its) => {
        its.give(a, 'other')
        its.give(b, 'other')
      },
    })
    expect([ended, written().slice(2)]).toEqual(['done', ['copy a>c d new', 'done']])
    expect(fleet.holds()).toBe('a other, b other, c other, d other')
  })

  test('changes what refused the password: after a copy it could not be asked', async () => {
    const bench = benchOf({ ...KNOWN, hsms: [2, 2] })
    await askCells(bench.run)
    await repairCells(bench.run)
    expect(bench.written()).toEqual([
      'listed d',
      'login d new',
      'login-refused',
      'change d new',
      'done',
      'listed d',
      'login d new',
      'done',
    ])
    expect([bench.fleet.holds(), bench.notices]).toEqual(['a new, b new, c new, d new', []])
  })

  const onLocked = (syncResetsFailures: boolean) =>
    doing(repairCells, {
      ...UNKNOWN,
      behaviour: { syncResetsFailures },
      lines: [listing(d, { locked: [APP], failures: [[APP, 5]] })],
      fleet: (its) => its.fail(d, 5),
    })

  test('copies to a user that is locked, looks whether that unlocked it, and copies what anybody may have unlocked', async () => {
    const { ended, written, cells } = await onLocked(true)
    expect([ended, written().slice(-5)]).toEqual(['done', ['copy a>d new', 'done', 'listed d', 'copy a>d new', 'done']])
    expect(cells()).toContain('d new (copy)')
  })

  test('pauses where the user stays locked and nobody knows a password to change it to', async () => {
    const { ended, written } = await onLocked(false)
    expect([ended, written().at(-1)]).toEqual(['USER_LOCKED', 'listed d locked failed 5'])
  })
})
