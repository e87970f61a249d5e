import { expect, test } from '@jest/globals'
import type { HsmId } from '../../src/domain/ids.js'
import type { RosterEntry } from '../../src/domain/roster.js'
import type { Line } from './journal-lines.js'
import type { Held, MemoryFleet } from './memory-fleet.js'
import { hsm, ROTATION } from './rotation.js'
import { type BenchGiven, keepPending, type Place, placeOf, reported } from './run-bench.js'
import { type TakenUpWith, takeUp } from './taken-up.js'

/** What an earlier invocation has left. */
export interface Leftover {
  readonly lines: readonly Line[]
  /** What HSMs hold that do not hold the old password, by their letters. */
  readonly holds?: Readonly<Record<string, Held>>
  /** What the store keeps; PENDING unless it is said. */
  readonly store?: 'nothing' | 'pending' | 'with-current' | 'promoted'
  /** What else is so. */
  readonly fleet?: (fleet: MemoryFleet) => void
  /** An HSM that AWS has added since, and one that it does not list any more. */
  readonly added?: RosterEntry
  readonly gone?: HsmId
}

/** What it is, what resume and rollback make of it, and how it came to be. */
export type LeftoverRow = readonly [words: string, resumed: string, rolledBack: string, left: Leftover]

const holdsInWords = ({ fleet }: Place): string => {
  const held = fleet.holds()
  const words = new Set(held.split(', ').map((one) => one.slice(2)))
  return words.size === 1 ? `all ${[...words].join()}` : held
}

/**
 * How an invocation that takes it up ends, and what is left then: the end and its exit code, what the HSMs hold, and
 * `PENDING` where the store still keeps it.
 */
const endOf = async (
  action: 'resume' | 'rollback',
  { lines, holds = {}, store = 'pending', fleet = () => {}, added, gone }: Leftover,
  given: BenchGiven & TakenUpWith,
): Promise<string> => {
  const place = placeOf({
    ...given,
    lines,
    fleet: (its) => {
      if (added !== undefined) its.add(added)
      for (const [letter, held] of Object.entries(holds)) its.give(hsm(letter), held)
      fleet(its)
    },
  })
  const servers = place.fleet.hsms.map(({ server }) => server)
  place.aws.clusters = reported(servers.filter(({ hsmId }) => hsmId !== gone))
  if (store !== 'nothing') await keepPending(place, store === 'with-current')
  if (store === 'promoted') await place.store.promote(ROTATION)
  const { ended } = await takeUp(place, action, given)
  return `${ended}: ${holdsInWords(place)}${place.store.versions.pending === null ? '' : ', PENDING'}`
}

/** One test for each row and each of the two commands. */
export const testLeftovers = (rows: readonly LeftoverRow[], given: BenchGiven & TakenUpWith = {}): void => {
  const of = (action: 'resume' | 'rollback', at: 1 | 2) =>
    rows.map((row) => ({ words: row[0], action, expected: row[at], left: row[3] }))
  test.each([...of('resume', 1), ...of('rollback', 2)])('$words, $action: $expected', async ({
    action,
    expected,
    left,
  }) => {
    expect(await endOf(action, left, given)).toBe(expected)
  })
}
