import type { Answer } from '../../src/domain/hsm-console.js'
import type { HsmId, UnitId } from '../../src/domain/ids.js'
import type { CredentialName, Intent, JournalEntry, JournalEvent } from '../../src/domain/rotation/journal-entry.js'
import { ledgerOf, type RotationLedger } from '../../src/domain/rotation/ledger.js'
import { APP, type FactsGiven, factsOf, hsm, rosterOf } from './rotation.js'

export const PROCESS = { pid: 7, startedAt: '2026-03-01T03:15:00.000Z' }

export const DONE: Answer = { kind: 'done' }
/** A login that failed. */
export const REFUSED: Answer = { kind: 'refused', reason: 'login-refused', text: 'no' }
/** A write that was not made. */
export const LOGGED_IN: Answer = { kind: 'refused', reason: 'user-logged-in', text: 'in use' }
export const UNCLEAR: Answer = { kind: 'unclear', text: '?' }

type Where = HsmId | readonly HsmId[]
const listOf = (where: Where): readonly HsmId[] => (typeof where === 'string' ? [where] : where)

export const change = (where: Where, credential: CredentialName = 'new', user = APP): Intent => ({
  act: 'change',
  user,
  hsmIds: listOf(where),
  credential,
})

export const login = (where: Where, credential: CredentialName = 'new', user = APP): Intent => ({
  act: 'login',
  user,
  hsmIds: listOf(where),
  credential,
})

export const copy = (from: UnitId, where: Where, credential: CredentialName = 'new', user = APP): Intent => ({
  act: 'copy',
  user,
  from,
  hsmIds: listOf(where),
  credential,
  rehearsal: false,
})

export const rehearsal = (from: UnitId, where: Where, user = APP): Intent => ({
  act: 'copy',
  user,
  from,
  hsmIds: listOf(where),
  credential: 'current',
  rehearsal: true,
})

/** A login before the journal was begun. */
export const loggedIn = (
  where: Where,
  credential: CredentialName = 'current',
  answer: Exclude<Answer, { kind: 'unclear' }> = { kind: 'done' },
): Extract<JournalEvent, { type: 'login' }> => ({
  type: 'login',
  user: APP,
  hsmIds: listOf(where),
  credential,
  answer,
})

/** An HSM that was listed, with nothing to be said of its users unless it is given. */
export const listing = (
  hsmId: HsmId,
  more: Omit<Extract<JournalEvent, { type: 'listed' }>['hsms'][number], 'hsmId' | 'counted'> = {},
): Extract<JournalEvent, { type: 'listed' }> => ({ type: 'listed', hsms: [{ hsmId, counted: true, ...more }] })

export const RESUMED: JournalEvent = { type: 'resumed', operator: { user: 'tester', host: 'here', pid: 2 } }
export const STORED: JournalEvent = { type: 'store', act: 'put-pending', phase: 'read-back', withCurrent: false }
export const STORED_WITH_CURRENT: JournalEvent = { ...STORED, withCurrent: true }
export const PROMOTED: JournalEvent = { type: 'store', act: 'promote', phase: 'read-back' }
export const TOLD: JournalEvent = { type: 'applications-told', failure: null }
export const back = (method: 'sync' | 'change' | 'none' = 'sync'): JournalEvent => ({
  type: 'rollback-started',
  method,
})
export const copies = (
  verdict: Extract<JournalEvent, { type: 'copies' }>['verdict'],
): Extract<JournalEvent, { type: 'copies' }> => ({ type: 'copies', verdict, evidence: `copies were ${verdict}` })
export const AWS_AGREES: JournalEvent = { type: 'aws', differences: [] }

/** A line, or an intent with the answer it got, where it got one. */
export type Line = JournalEvent | readonly [Intent, Answer?]

/** Of two and two HSMs: rehearsed from d to c, and a is changed and proved. */
export const FIRST_PROVED: readonly Line[] = [
  STORED,
  [rehearsal(hsm('d'), hsm('c')), DONE],
  copies('accepted'),
  [change(hsm('a')), DONE],
  [login(hsm('a')), DONE],
]

const isEvent = (line: Line): line is JournalEvent => 'type' in line

/** A journal with these lines after its first one; a second passes with each. */
export const journalOf = (lines: readonly Line[], facts: FactsGiven = {}, roster = rosterOf(1, 1)): JournalEntry[] => {
  const entries: JournalEntry[] = []
  const write = (event: JournalEvent): number => {
    const seq = entries.length + 1
    entries.push({ seq, at: new Date(Date.UTC(2026, 2, 1, 3, 15, entries.length)).toISOString(), event })
    return seq
  }
  write({ type: 'started', facts: factsOf(roster, facts) })
  for (const line of lines) {
    if (isEvent(line)) {
      write(line)
      continue
    }
    const [intent, answer] = line
    const to = write({ type: 'intent', intent, process: PROCESS })
    if (answer !== undefined) write({ type: 'answer', to, answer })
  }
  return entries
}

/** What is known after these lines. */
export const ledgerAfter = (lines: readonly Line[], facts: FactsGiven = {}, roster = rosterOf(1, 1)): RotationLedger =>
  ledgerOf(journalOf(lines, facts, roster))

/** State and proof of the user's cell on one HSM. */
export const cellAfter = (
  hsmId: HsmId,
  lines: readonly Line[],
  facts: FactsGiven = {},
  roster = rosterOf(1, 1),
): string => {
  const { state, proof } = ledgerAfter(lines, facts, roster).cell(APP, hsmId)
  return `${state} ${proof}`
}
