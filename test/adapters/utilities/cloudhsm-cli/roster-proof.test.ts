import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  type ClusterPart,
  clusterParts,
  judgeAnswering,
  judgeShown,
  SerialNumbers,
  type Verdict,
} from '../../../../src/adapters/utilities/cloudhsm-cli/roster-proof.js'
import type { HsmId } from '../../../../src/domain/ids.js'
import type { RosterEntry } from '../../../../src/domain/roster.js'
import { rosterOf } from '../../../helpers/rotation.js'

const idsOf = (servers: readonly RosterEntry[]): readonly HsmId[] => servers.map(({ hsmId }) => hsmId)

/** A cluster, what was asked of it, who is silent, and how the program finds HSMs. */
interface Scene {
  readonly whole: readonly RosterEntry[]
  readonly asked: readonly RosterEntry[]
  readonly silent: readonly RosterEntry[]
  /** Whether one HSM leads to the others. */
  readonly discovery: boolean
  /** Whether the program reads a file that lists all. */
  readonly fixed: boolean
}

const scene: fc.Arbitrary<Scene> = fc.integer({ min: 1, max: 5 }).chain((count) => {
  const whole = rosterOf(count, 0)
  return fc.record({
    whole: fc.constant(whole),
    asked: fc.subarray([...whole], { minLength: 1 }),
    silent: fc.subarray([...whole]),
    discovery: fc.boolean(),
    fixed: fc.boolean(),
  })
})

/** Those that the program is connected to. */
const connected = ({ whole, asked, silent, discovery, fixed }: Scene): readonly RosterEntry[] => {
  const answers = (server: RosterEntry) => !silent.includes(server)
  const listed = (fixed ? whole : asked).filter(answers)
  return discovery && listed.length > 0 ? whole.filter(answers) : listed
}

const verdictOf = (all: Scene, reached: readonly RosterEntry[]): Verdict => {
  const [grouped] = clusterParts(all.asked, all.whole)
  const part: ClusterPart = { ...(grouped as ClusterPart), ...(all.fixed ? { listed: all.whole } : {}) }
  const serials = idsOf(reached).map((hsmId) => `SN-${hsmId}`)
  return judgeShown(part, serials) ?? judgeAnswering(part, serials.length, all.silent)
}

describe('which HSMs of a cluster a session is said to reach', () => {
  test('is what the program is connected to, and never without one that was asked for', () => {
    fc.assert(
      fc.property(scene, (all) => {
        const reached = connected(all)
        fc.pre(reached.length > 0)
        const verdict = verdictOf(all, reached)
        if (verdict.kind === 'reached') expect(idsOf(verdict.reached)).toEqual(idsOf(reached))
        if (all.asked.some((server) => all.silent.includes(server))) {
          const missing = all.asked.filter((server) => all.silent.includes(server))
          expect(verdict).toMatchObject({ kind: 'missing', missing })
        }
      }),
    )
  })

  test('is known wherever those that were asked for answer, and the program found all others that do', () => {
    fc.assert(
      fc.property(scene, (all) => {
        fc.pre(!all.asked.some((server) => all.silent.includes(server)))
        const answering = all.whole.filter((server) => !all.silent.includes(server))
        const reached = connected(all)
        fc.pre(reached.length === answering.length)
        expect(verdictOf(all, reached).kind).toBe('reached')
      }),
    )
  })
})

describe('a cluster of three', () => {
  const whole = rosterOf(3, 0)
  const [h1, h2, h3] = whole as [RosterEntry, RosterEntry, RosterEntry]
  const serials = (...servers: readonly RosterEntry[]) => servers.map(({ serverId }) => `S${serverId}`)
  const of = (
    asked: readonly RosterEntry[],
    shown: readonly string[],
    silent: readonly RosterEntry[],
    listed = asked,
  ): Verdict => {
    const part: ClusterPart = { clusterId: h1.clusterId, asked, listed, whole }
    return judgeShown(part, shown) ?? judgeAnswering(part, shown.length, silent)
  }
  const reached = (...servers: readonly RosterEntry[]): Verdict => ({ kind: 'reached', reached: servers })

  test.each([
    ['one that was asked for leads to the other that answers', of([h1], serials(h1, h2), [h3]), reached(h1, h2)],
    ['two that were asked for, the third being silent', of([h1, h2], serials(h1, h2), [h3]), reached(h1, h2)],
    ['two that were asked for, the third being back', of([h1, h2], serials(h1, h2, h3), []), reached(h1, h2, h3)],
    ['one alone, the others being there', of([h2], serials(h2), []), reached(h2)],
    ['a file that lists all leads to those that answer', of([h1], serials(h1, h2), [h3], whole), reached(h1, h2)],
  ])('%s', (_, verdict, expected) => {
    expect(verdict).toEqual(expected)
  })

  test.each([
    ['one that was asked for takes no connection', of([h1, h3], serials(h1, h2), [h3]), 'missing', [h3]],
    ['all were asked for and one takes none', of(whole, serials(h1, h2), [h3]), 'missing', [h3]],
    ['fewer are shown than take connections', of([h1], serials(h1, h2), []), 'untold', []],
    ['more are shown than take connections', of([h1], serials(h1, h2), [h2, h3]), 'untold', []],
    ['the third takes connections and may be one of the two', of([h1, h2], serials(h1, h2), []), 'untold', []],
    ['of a file that lists all one is shown, and nobody says which', of([h1], serials(h1), [], whole), 'untold', []],
    ['two have one number', of([h1], ['S1', 'S1'], [h3]), 'wrong', [h1]],
    ['there are more than AWS reported', of([h1], ['S0', 'S1', 'S2', 'S3'], []), 'wrong', [h1]],
  ] as const)('is refused where %s', (_, verdict, kind, servers) => {
    const named = verdict.kind === 'missing' ? verdict.missing : verdict.kind === 'wrong' ? verdict.meant : []
    expect([verdict.kind, idsOf(named)]).toEqual([kind, idsOf(servers)])
  })

  test('is remembered as it was seen, and not as it contradicted itself', () => {
    const numbers = new SerialNumbers()
    const seen = (servers: readonly RosterEntry[], shown = serials(...servers)) =>
      numbers.compare({ clusterId: h1.clusterId, hsmIds: idsOf(servers), serials: shown })
    expect(seen([h1, h2])).toBeNull()
    expect(seen([h1, h3], ['S0', 'S1'])).toContain('1 of these HSMs and 2 of the numbers are the same')
    expect(seen([h1, h3])).toBeNull()
    expect(seen([h3], ['S9'])).toContain(`showed the serial numbers S0, S2 for ${h1.hsmId}, ${h3.hsmId} before`)
    expect(seen(whole)).toBeNull()
  })
})
