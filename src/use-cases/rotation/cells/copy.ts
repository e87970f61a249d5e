import type { Answer, CopiedUser } from '../../../domain/hsm-console.js'
import { findUser, type UserKey } from '../../../domain/hsm-user.js'
import type { UnitId } from '../../../domain/ids.js'
import { refuseTakenId } from '../../../domain/rotation/eligibility.js'
import type { CredentialName } from '../../../domain/rotation/journal-entry.js'
import type { PlannedUser } from '../../../domain/rotation/plan.js'
import { type FailedAnswer, Pause, pauseAfter } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'
import { inSession, inTwoConversations, type Listing, usersOf } from '../sessions/in-session.js'
import { loginOfficer } from '../sessions/officer.js'
import type { TwoListings } from '../survey/listing-comparison.js'
import { madeByHand } from './absent-users.js'
import { askUntilWhole } from './ask-until-whole.js'
import { agreeToWrite } from './consent.js'
import { whenDrained } from './draining.js'

/** Which users are copied, from where to where. */
export interface CopiedUsers {
  /** A unit to copy from; asked for each conversation. */
  readonly from: () => UnitId | Promise<UnitId>
  readonly to: UnitId
  readonly users: readonly PlannedUser[]
  /** What the origin holds. */
  readonly credential: CredentialName
  /** Nothing is new yet, and the copy is to show what it does. */
  readonly rehearsal?: boolean
  /** The target is listed again afterwards. */
  readonly compare?: boolean
}

/** What copying users found. */
export interface CopyReport {
  readonly answers: ReadonlyMap<UserKey, Answer>
  /** What each conversation saw of the target. */
  readonly looks: readonly TwoListings[]
}

/** Whether a rotation has not settled yet on how the new credential travels. */
const isOpen = ({ ledger, goesBack }: RotationRun): boolean =>
  ledger.facts.procedure === 'rotate' && !goesBack && ledger.propagation === null

/** Some HSMs may refuse each copy, because they have the user, while others take it. */
const INSTEAD =
  'where it is the same each time: resume with --propagate change, and --current-password to keep a way back'

/**
 * Copies users with their password from one unit to another, in sessions on these two. The answers are the caller's to
 * judge, but for a user that is logged in.
 * @throws {Pause} `USER_LOGGED_IN`, `PARTLY_DONE`, `USER_ID_CHANGED`
 */
export const copyUsers = async (run: RotationRun, copied: CopiedUsers): Promise<CopyReport> => {
  await agreeToWrite(run, copied.to, copied.users)
  const reports = await inTwoConversations(copied.users, (users) =>
    whenDrained(run, async () => {
      const report = await copyShare(run, { ...copied, users })
      for (const [user, answer] of report.answers) {
        if (!mayBeDrained(answer, copied.rehearsal === true)) continue
        throw pauseAfter(`${run.words.copy} of ${user}`, run.name(copied.to), answer, isOpen(run) ? [INSTEAD] : [])
      }
      return report
    }),
  )
  return {
    answers: new Map(reports.flatMap(({ answers }) => [...answers])),
    looks: reports.flatMap(({ looks }) => looks),
  }
}

/**
 * As `copyUsers`. Where a copy was done on some HSMs of a unit and not on others, which nobody tells apart from one that all
 * of them refuse because they have the user, it counts as that.
 */
export const copyWhereTaken = async (run: RotationRun, copied: CopiedUsers): Promise<ReadonlyMap<UserKey, Answer>> => {
  try {
    return (await copyUsers(run, copied)).answers
  } catch (error) {
    if (!(error instanceof Pause) || error.code !== 'PARTLY_DONE') throw error
    const answer = { kind: 'refused', reason: 'copy-refused', text: error.message } as const
    return new Map(copied.users.map(({ key }) => [key, answer]))
  }
}

/**
 * Whether a copy was refused because of the password that stands there. Where the utility does not say why it refuses,
 * the caller has to have ruled out everything else.
 */
export const isRefusedAsExisting = (answer: Answer | undefined): boolean =>
  answer?.kind === 'refused' && (answer.reason === 'user-exists' || answer.reason === 'copy-refused')

/** What a failed copy says of copies: nothing for certain where the utility does not say why. */
export const verdictOf = (answer: FailedAnswer): 'refused' | 'unsettled' =>
  answer.kind === 'refused' && answer.reason === 'user-exists' ? 'refused' : 'unsettled'

/**
 * Refused because the user is logged in, or done in part: on the other HSMs it may be logged in. What a rehearsal that was
 * done in part means is for the caller to say.
 */
const mayBeDrained = (answer: Answer, rehearsal: boolean): answer is FailedAnswer =>
  (answer.kind === 'refused' && answer.reason === 'user-logged-in') ||
  (answer.kind === 'unclear' && answer.partly === true && !rehearsal)

const copyShare = async (
  run: RotationRun,
  { from: origin, to, users, credential, rehearsal = false, compare = false }: CopiedUsers,
): Promise<CopyReport> => {
  const from = await origin()
  const targets = run.servers(to)
  const hsmIds = targets.map(({ hsmId }) => hsmId)
  const servers = [...run.servers(from), ...targets]
  return inSession(run.parts, servers, async (session) => {
    const listing = await session.listUsers(users)
    await loginOfficer(run.parts, session, servers, listing)
    const answers = new Map<UserKey, Answer>()
    for (const user of users) {
      const copied = asListed(run, user, listing, from)
      for (const hsmId of hsmIds) refuseTakenId(user, user.userId, hsmId, usersOf(listing, hsmId))
      const intent = { act: 'copy', user: user.key, from, hsmIds, credential, rehearsal } as const
      answers.set(user.key, await askUntilWhole(run, session, intent, () => session.copyUser(copied, from, to)))
    }
    const after = compare ? await session.listUsers() : listing
    await session.logout()
    const looks = hsmIds.map((hsmId) => ({ before: usersOf(listing, hsmId), after: usersOf(after, hsmId) }))
    return { answers, looks }
  })
}

/** The user as its origin lists it, which has to be the user that was planned. */
const asListed = (run: RotationRun, user: PlannedUser, listing: Listing, origin: UnitId): CopiedUser => {
  for (const { hsmId } of run.servers(origin)) {
    const row = findUser(usersOf(listing, hsmId), user)
    if (row !== undefined && row.userId === user.userId) continue
    throw new Pause(
      'USER_ID_CHANGED',
      row === undefined
        ? `${user.key} is not listed on ${hsmId} any more`
        : `${user.key} has the ID ${row.userId ?? 'none'} on ${hsmId}, planned was ${user.userId}`,
      row === undefined ? [madeByHand(run)] : [],
    )
  }
  return user
}
