import type { JournalEntry } from '../../src/domain/rotation/journal-entry.js'

/** What the contract promises for a journal as it was left. */
export interface Promised {
  /** What every HSM holds once the rotation was resumed; null where there is nothing to resume. */
  readonly resumed: 'old' | 'new' | null
  /** What every HSM holds once it was rolled back, or the code of the refusal. */
  readonly rolledBack: 'old' | { readonly refused: string }
}

/** What a rotation could be brought back with. */
export interface Ways {
  /** How many HSMs it has. */
  readonly hsms: number
  /** Whether a copy returns the old password, as long as an HSM still holds it. */
  readonly copiesOverwrite: boolean
  /** Whether the old password was proved at the start. */
  readonly currentKnown: boolean
}

/**
 * Judged from the lines on the disk and the contract's rules, not by the program's own reading of them. A line names
 * every HSM its command reaches, so that HSMs and whole clusters are judged alike.
 */
export const promised = (journal: readonly JournalEntry[], { hsms, copiesOverwrite, currentKnown }: Ways): Promised => {
  const events = journal.map(({ event }) => event)
  if (events.length === 0) return { resumed: null, rolledBack: { refused: 'JOURNAL_EMPTY' } }
  if (events.some((event) => event.type === 'rollback-started')) return { resumed: 'old', rolledBack: 'old' }
  if (events.some((event) => event.type === 'store' && event.act === 'promote')) {
    return { resumed: 'new', rolledBack: { refused: 'ROLLBACK_TOO_LATE' } }
  }
  const written = new Set(
    events.flatMap((event) => {
      if (event.type !== 'intent' || event.intent.act === 'login') return []
      const { intent } = event
      return intent.act === 'copy' && intent.rehearsal ? [] : intent.hsmIds
    }),
  )
  const wayBack = written.size === 0 || currentKnown || (copiesOverwrite && written.size < hsms)
  return { resumed: 'new', rolledBack: wayBack ? 'old' : { refused: 'NO_WAY_BACK' } }
}

/** Whether the last thing of all was done, be it written down or not: nothing is left to take up. */
export const isOver = (journal: readonly JournalEntry[]): boolean =>
  journal.some(
    ({ event }) =>
      event.type === 'applications-told' ||
      (event.type === 'store' && event.act === 'discard' && event.phase === 'read-back'),
  )

/**
 * Cells that a rotation which went back gave what another cluster held, although nobody had proved that they held the
 * same, as `user on HSM`; so it has to say so. Judged from the lines alone, like the rest.
 */
export const withoutProof = (journal: readonly JournalEntry[]): readonly string[] => {
  const [first] = journal
  if (first?.event.type !== 'started') return []
  const { plan, observed } = first.event.facts
  const clusterOf = (unitId: string) =>
    plan.roster.find(({ hsmId, clusterId }) => hsmId === unitId || clusterId === unitId)?.clusterId
  const answered = new Map(journal.flatMap(({ event }) => (event.type === 'answer' ? [[event.to, event.answer]] : [])))
  return plan.roster.flatMap(({ hsmId, clusterId }) =>
    plan.users.flatMap(({ key: user }) => {
      const isMine = (of: { readonly user: string; readonly hsmIds: readonly string[] }) =>
        of.user === user && of.hsmIds.includes(hsmId)
      const heldCurrent = observed.some(
        (one) => one.type === 'login' && one.credential === 'current' && one.answer.kind === 'done' && isMine(one),
      )
      let isProved = true
      let isWritten = false
      for (const { seq, event } of journal) {
        if (event.type !== 'intent' || !isMine(event.intent)) continue
        const { intent } = event
        const answer = answered.get(seq)
        if (intent.act === 'login') {
          if (intent.credential === 'current' && answer?.kind === 'done') isProved = true
        } else if (answer?.kind !== 'refused') {
          const isRehearsal = intent.act === 'copy' && intent.rehearsal
          isWritten ||= !isRehearsal
          const isOwn = intent.act === 'copy' && intent.credential === 'current' && clusterOf(intent.from) === clusterId
          isProved = isOwn || (isRehearsal && heldCurrent && !isWritten)
        }
      }
      return isProved ? [] : [`${user} on ${hsmId}`]
    }),
  )
}
