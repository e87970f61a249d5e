import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Answer } from '../../../src/domain/hsm-console.js'
import type { Intent, JournalEntry, JournalEvent } from '../../../src/domain/rotation/journal-entry.js'
import { ledgerOf, RotationLedger } from '../../../src/domain/rotation/ledger.js'
import { currentRow } from '../../../src/domain/rotation/procedure.js'
import { rotationOf } from '../../../src/domain/rotation/rotation.js'
import { untouchedUnits } from '../../../src/domain/rotation/way-back.js'
import { APP, factsOf, hsm, rosterOf } from '../../helpers/rotation.js'

const HSMS = [hsm('a'), hsm('b'), hsm('c')] as const
const PROCESS = { pid: 7, startedAt: '2026-03-01T03:15:00.000Z' }
const REFUSED: Answer = { kind: 'refused', reason: 'user-logged-in', text: 'no' }

/** One thing that may come next; whether it can, depends on what is under way on that HSM. */
type Step =
  | { readonly kind: 'ask'; readonly intent: Intent }
  | { readonly kind: 'answer'; readonly hsm: number; readonly answer: Answer['kind'] }
  | { readonly kind: 'unreachable'; readonly hsm: number }
  | { readonly kind: 'killed' }

const hsmIndex = fc.nat({ max: HSMS.length - 1 })
const credential = fc.constantFrom('new' as const, 'current' as const)
const hsmId = fc.constantFrom(...HSMS)
const hsmIds = hsmId.map((only) => [only])
const intent: fc.Arbitrary<Intent> = fc.oneof(
  fc.record({ act: fc.constant('change' as const), user: fc.constant(APP), hsmIds, credential }),
  fc.record({ act: fc.constant('login' as const), user: fc.constant(APP), hsmIds, credential }),
  fc.record({
    act: fc.constant('copy' as const),
    user: fc.constant(APP),
    from: hsmId,
    hsmIds,
    credential,
    rehearsal: fc.boolean(),
  }),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('ask' as const), intent }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      hsm: hsmIndex,
      answer: fc.constantFrom('done' as const, 'refused' as const, 'unclear' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unreachable' as const), hsm: hsmIndex }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'killed' as const }) },
)

const answerOf = (kind: Answer['kind']): Answer => {
  if (kind === 'refused') return REFUSED
  return kind === 'done' ? { kind } : { kind, text: '?' }
}

/** A journal that could have been written: one thing at a time on each HSM, and no answers to those who died. */
const journalOf = (steps: readonly Step[]): JournalEntry[] => {
  const entries: JournalEntry[] = []
  const write = (event: JournalEvent): number => {
    const seq = entries.length + 1
    entries.push({ seq, at: new Date(Date.UTC(2026, 2, 1) + seq * 1000).toISOString(), event })
    return seq
  }
  write({ type: 'started', facts: factsOf(rosterOf(1, 2)) })
  const underWay = new Map<string, number>()
  for (const next of steps) {
    if (next.kind === 'ask') {
      const [target = HSMS[0]] = next.intent.hsmIds
      if (!underWay.has(target)) {
        underWay.set(target, write({ type: 'intent', intent: next.intent, process: PROCESS }))
      }
    } else if (next.kind === 'killed') {
      underWay.clear()
      write({ type: 'resumed', operator: { user: 'tester', host: 'here', pid: 2 } })
    } else {
      const target = HSMS[next.hsm] ?? HSMS[0]
      const to = underWay.get(target)
      if (next.kind === 'unreachable') {
        if (to === undefined) write({ type: 'unreachable', hsmId: target, reason: 'silent' })
      } else if (to !== undefined) {
        underWay.delete(target)
        write({ type: 'answer', to, answer: answerOf(next.answer) })
      }
    }
  }
  return entries
}

const journal = fc.array(step, { maxLength: 40 }).map(journalOf)

const stateOf = (ledger: RotationLedger, hsmId: (typeof HSMS)[number]) => ledger.cell(APP, hsmId).state

describe('a rotation, as any journal tells it', () => {
  test('knows each cell of the plan at every line', () => {
    fc.assert(
      fc.property(journal, (entries) => {
        for (let lines = 1; lines <= entries.length; lines += 1) {
          const { cells } = rotationOf(ledgerOf(entries.slice(0, lines)))
          expect(cells.map((cell) => cell.hsmId)).toEqual([...HSMS])
        }
      }),
    )
  })

  test('says new of no cell without a login there after the last write', () => {
    fc.assert(
      fc.property(journal, (entries) => {
        const ledger = ledgerOf(entries)
        for (const target of HSMS) {
          if (stateOf(ledger, target) !== 'new') continue
          const events = entries.map(({ event }) => event)
          const mine = events.flatMap((event, index) =>
            event.type === 'intent' && event.intent.hsmIds.includes(target)
              ? [{ seq: index + 1, intent: event.intent }]
              : [],
          )
          const proof = mine.findLast(
            ({ seq, intent }) =>
              intent.act === 'login' &&
              intent.credential === 'new' &&
              events.some((event) => event.type === 'answer' && event.to === seq && event.answer.kind === 'done'),
          )
          expect(proof).toBeDefined()
          const later = mine.filter(({ seq, intent }) => seq > (proof?.seq ?? 0) && changes(intent))
          const refused = ({ seq }: { seq: number }) =>
            events.some((event) => event.type === 'answer' && event.to === seq && event.answer.kind === 'refused')
          expect(later.every(refused)).toBe(true)
        }
      }),
    )
  })

  test('copies the old credential only from where nothing was written since it was last seen', () => {
    fc.assert(
      fc.property(journal, (entries) => {
        for (const hsmId of untouchedUnits(ledgerOf(entries))) {
          const events = entries.map(({ event }) => event)
          const isMine = (event: JournalEvent) =>
            event.type === 'intent' && (event.intent.hsmIds as readonly string[]).includes(hsmId)
          const answered = (seq: number) =>
            events.find((event) => event.type === 'answer' && event.to === seq) as { answer: Answer } | undefined
          const seen = events.findLastIndex(
            (event, index) =>
              isMine(event) &&
              event.type === 'intent' &&
              event.intent.act === 'login' &&
              event.intent.credential === 'current' &&
              answered(index + 1)?.answer.kind === 'done',
          )
          const writes = events.flatMap((event, index) =>
            index > seen && isMine(event) && event.type === 'intent' && changes(event.intent) ? [index + 1] : [],
          )
          // What was refused did nothing.
          expect(writes.every((seq) => answered(seq)?.answer.kind === 'refused')).toBe(true)
        }
      }),
    )
  })

  test('is the same whether it was followed line by line, as a run does, or read anew after each of them', () => {
    const shown = (ledger: RotationLedger) => ({
      ...rotationOf(ledger),
      row: currentRow(ledger)?.effect ?? null,
      of: HSMS.map((hsmId) => [
        ledger.refused(APP, hsmId),
        ledger.everWritten(APP, hsmId),
        ledger.mayBeNew(APP, hsmId),
        ledger.isAsBefore(APP, hsmId),
        ledger.isFresh(APP, hsmId),
      ]),
    })
    fc.assert(
      fc.property(journal, (entries) => {
        const [first, ...rest] = entries
        if (first === undefined) return
        const live = new RotationLedger(first)
        rest.forEach((entry, index) => {
          live.apply(entry)
          expect(shown(live)).toEqual(shown(ledgerOf(entries.slice(0, index + 2))))
        })
      }),
      { numRuns: 30 },
    )
  })

  test('takes a refused write back to what was known before it', () => {
    fc.assert(
      fc.property(journal, intent, (entries, what) => {
        fc.pre(what.act !== 'login')
        const seq = entries.length + 1
        const at = '2026-03-02T00:00:00.000Z'
        const refused = [
          ...entries,
          { seq, at, event: { type: 'intent' as const, intent: what, process: PROCESS } },
          { seq: seq + 1, at, event: { type: 'answer' as const, to: seq, answer: REFUSED } },
        ]
        expect(ledgerOf(refused).cells()).toEqual(ledgerOf(entries).cells())
      }),
    )
  })
})

const changes = (intent: Intent): boolean => intent.act !== 'login' && !(intent.act === 'copy' && intent.rehearsal)
