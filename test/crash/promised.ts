import type { UserKey } from '../../src/domain/hsm-user.js'
import type { HsmId, UnitId } from '../../src/domain/ids.js'
import type { RosterEntry } from '../../src/domain/roster.js'
import type { JournalEntry, JournalEvent, ListedHsm } from '../../src/domain/rotation/journal-entry.js'

/** What every HSM holds: the old credential, the new one, or what it held before the killed command. */
export type Held = 'old' | 'new' | 'before'

/** What the contract promises for a journal as it was left. */
export interface Promised {
  /** What every HSM holds once the rotation was resumed; null where there is nothing to resume. */
  readonly resumed: 'old' | 'new' | null
  /** What every HSM holds once it was rolled back, or the code of the refusal. */
  readonly rolledBack: 'old' | 'before' | { readonly refused: string }
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

/**
 * The same for the journal of a repair, where `new` is CURRENT of the store, by the rules of `docs/repair.md`:
 *
 * 1. Before its first line nothing was begun. Once the applications were told it is through, and nothing takes it back.
 * 2. Until then a resume brings every HSM to CURRENT.
 * 3. A rollback is taken where nothing was written. A write counts from the line of its intent on, unless it was refused.
 * 4. It is also taken where every HSM that was written has a sibling to copy from: another HSM of its cluster that was never
 *    meant to be written, lacks no user, and was not seen to hold CURRENT, which is what its siblings were to be given.
 * 5. Else nobody knows what was overwritten, and it is refused.
 * 6. A copy from a sibling is no proof: it may have held another thing, or lacked the user. So it is named; see
 *    `withoutProof`.
 */
export const promisedOfRepair = (journal: readonly JournalEntry[]): Promised => {
  const [first] = journal
  if (first?.event.type !== 'started') return { resumed: null, rolledBack: { refused: 'JOURNAL_EMPTY' } }
  if (journal.some(({ event }) => event.type === 'applications-told')) {
    return { resumed: 'new', rolledBack: { refused: 'ROLLBACK_TOO_LATE' } }
  }
  const { plan, observed } = first.event.facts
  const asked = askedIn(journal)
  const writes = asked.filter(({ act }) => act !== 'login')
  const proofs = [...asked.filter(({ act }) => act === 'login'), ...observed.filter((one) => one.type === 'login')]
  const isRight = (user: UserKey, hsmId: HsmId) =>
    proofs.some((login) => login.answer?.kind === 'done' && login.user === user && login.hsmIds.includes(hsmId))
  const isLacking = (hsmId: HsmId) =>
    [...observed, ...journal.map(({ event }) => event)].some(
      (one) => one.type === 'listed' && one.hsms.some((hsm) => hsm.hsmId === hsmId && isIncomplete(hsm)),
    )
  const canGiveBack = (user: UserKey, to: RosterEntry) =>
    plan.roster.some(
      ({ hsmId, clusterId }) =>
        clusterId === to.clusterId &&
        !writes.some(({ hsmIds }) => hsmIds.includes(hsmId)) &&
        !isLacking(hsmId) &&
        !isRight(user, hsmId),
    )
  const isWayBack = writes
    .filter(({ answer }) => answer?.kind !== 'refused')
    .every(({ user, hsmIds }) =>
      plan.roster.filter(({ hsmId }) => hsmIds.includes(hsmId)).every((server) => canGiveBack(user, server)),
    )
  return { resumed: 'new', rolledBack: isWayBack ? 'before' : { refused: 'NO_WAY_BACK' } }
}

/** What HSMs were asked to do, and what they answered as far as it was written down. */
const askedIn = (journal: readonly JournalEntry[]) => {
  const answers = new Map(journal.flatMap(({ event }) => (event.type === 'answer' ? [[event.to, event.answer]] : [])))
  return journal.flatMap(({ seq, event }) =>
    event.type === 'intent' ? [{ ...event.intent, seq, answer: answers.get(seq) }] : [],
  )
}

/** Whether an HSM lacks a user, or some HSM of its cluster does. */
const isIncomplete = ({ absent = [], inPart = [] }: ListedHsm): boolean => absent.length + inPart.length > 0

/** Whether the last thing of all was done, be it written down or not: nothing is left to take up. */
export const isOver = (journal: readonly JournalEntry[]): boolean =>
  journal.some(
    ({ event }) =>
      event.type === 'applications-told' ||
      (event.type === 'store' && event.act === 'discard' && event.phase === 'read-back'),
  )

/**
 * Cells that were given what another cluster held on the way back, although nobody had proved that they held the same, or
 * by a repair what any other HSM held; by `user on HSM`, with what they were copied from last. It has to be said of them.
 * Judged from the lines alone, like the rest.
 */
export const withoutProof = (journal: readonly JournalEntry[]): ReadonlyMap<string, UnitId | null> => {
  const [first] = journal
  if (first?.event.type !== 'started') return new Map()
  const { plan, observed, procedure } = first.event.facts
  const asked = askedIn(journal)
  const clusterOf = (unitId: string) =>
    plan.roster.find(({ hsmId, clusterId }) => hsmId === unitId || clusterId === unitId)?.clusterId
  return new Map(
    plan.roster.flatMap(({ hsmId, clusterId }) =>
      plan.users.flatMap(({ key: user }): readonly (readonly [string, UnitId | null])[] => {
        const isMine = (of: { readonly user: string; readonly hsmIds: readonly string[] }) =>
          of.user === user && of.hsmIds.includes(hsmId)
        const heldCurrent = observed.some(
          (one) => one.type === 'login' && one.credential === 'current' && one.answer.kind === 'done' && isMine(one),
        )
        const isAbsentIn = (one: JournalEvent) =>
          one.type === 'listed' && one.hsms.some((hsm) => hsm.hsmId === hsmId && hsm.absent?.includes(user))
        // What was meant for a user that is missing still was not carried out.
        const missedLast = journal.findLast(({ event }) => isAbsentIn(event))?.seq ?? 0
        let isProved = true
        let isWritten = false
        let from: UnitId | null = null
        for (const { seq, answer, ...intent } of asked) {
          if (seq < missedLast || !isMine(intent)) continue
          if (intent.act === 'login') {
            if (intent.credential === 'current' && answer?.kind === 'done') isProved = true
          } else if (answer?.kind !== 'refused') {
            const isRehearsal = intent.act === 'copy' && intent.rehearsal
            const isOwn =
              intent.act === 'copy' && intent.credential === 'current' && clusterOf(intent.from) === clusterId
            isWritten ||= !isRehearsal
            isProved = (isOwn && procedure === 'rotate') || (isRehearsal && heldCurrent && !isWritten)
            from = intent.act === 'copy' ? intent.from : null
          }
        }
        return isProved ? [] : [[`${user} on ${hsmId}`, from]]
      }),
    ),
  )
}
