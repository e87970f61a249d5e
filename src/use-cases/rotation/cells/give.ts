import type { Answer } from '../../../domain/hsm-console.js'
import type { UserKey } from '../../../domain/hsm-user.js'
import type { HsmId, UnitId } from '../../../domain/ids.js'
import { allowUnreachable } from '../../../domain/roster.js'
import type { CredentialName } from '../../../domain/rotation/journal-entry.js'
import { type PlannedUser, type Propagation, serversOf } from '../../../domain/rotation/plan.js'
import { oldOriginFor } from '../../../domain/rotation/way-back.js'
import { describePlaces } from '../describe-plan.js'
import { Pause, pauseAfter } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'
import { inSession } from '../sessions/in-session.js'
import { onEach } from '../survey/unreachable.js'
import { absentUsers, toBeMade } from './absent-users.js'
import { isBarred } from './barred.js'
import { changeUsers } from './change.js'
import { byConsent, refuseWithheld } from './consent.js'
import { copyUsers, copyWhereTaken, isRefusedAsExisting } from './copy.js'
import { prove } from './prove.js'
import { copyRefused } from './stuck-repair.js'

/** What is given to a unit, and how. */
export interface Gift {
  readonly credential: CredentialName
  /** How, where a cell allows both: only a copy makes a user that is missing, and only a change unlocks one. */
  readonly method: Propagation
}

/**
 * Gives users of one unit a credential and proves it there by a login; the one operation that does both. Cells that
 * somebody else has written are left alone without the operator's consent, once the others have it. A credential that
 * nobody knows is copied, and the copy is its only proof.
 * @throws {Pause}
 */
export const give = async (
  run: RotationRun,
  unitId: UnitId,
  users: readonly PlannedUser[],
  gift: Gift,
): Promise<void> => {
  if (users.length > 0 && gift.credential === 'new') run.origins.refuseAsTarget(unitId)
  const { free, withheld } = byConsent(run, unitId, users)
  if (free.length > 0) await giveFree(run, unitId, free, gift)
  refuseWithheld(run, unitId, withheld)
}

/** Gives the new credential to the users of these units that are not proved to hold it, in parallel lanes. @throws {Pause} */
export const giveMissing = (run: RotationRun, units: readonly UnitId[], method: Propagation): Promise<void> =>
  onEach(
    run,
    units.filter((unitId) => run.notNew(unitId).length > 0),
    (unitId) => give(run, unitId, run.notNew(unitId), { credential: 'new', method }),
  )

const giveFree = async (
  run: RotationRun,
  unitId: UnitId,
  users: readonly PlannedUser[],
  { credential, method }: Gift,
): Promise<void> => {
  const absent = await absentUsers(run, unitId, users)
  // A copy may leave a locked user locked, and may match another user by its ID, here or where it comes from.
  const hasOtherId = ({ key }: PlannedUser) =>
    run.servers(unitId).some(({ hsmId }) => run.ledger.hasOtherId(key, hsmId))
  const mustBeChanged = (user: PlannedUser) =>
    run.knows(user.key, credential) &&
    (method === 'change' || isLocked(run, unitId, user) || hasOtherId(user) || isBarred(run, unitId, user))
  const copied = users.filter((user) => absent.has(user) || !mustBeChanged(user))
  // A copy makes it where it is missing, and may change nothing on the other HSMs of its cluster.
  const isInPart = (user: PlannedUser) => absent.has(user) && mustBeChanged(user) && run.servers(unitId).length > 1
  const changed = users.filter((user) => !copied.includes(user) || isInPart(user))
  for (const user of copied) {
    if (absent.has(user)) refuseLackOfOrigin(run, unitId, user, credential)
    else refuseOtherId(run, unitId, user)
  }
  const locked = copied.filter((user) => !absent.has(user) && isLocked(run, unitId, user))
  // The password that is copied is not known; a change to any other one unlocks as well.
  const unlocking = locked.filter(({ key }) => run.knows(key, 'new'))
  noticeUnlocked(run, unitId, [...unlocking, ...changed.filter((user) => isLocked(run, unitId, user))])
  await changeUsers(run, unitId, unlocking, 'new')
  const left = await copyEach(run, unitId, copied, credential)
  await copyEach(run, unitId, await refuseLocked(run, unitId, locked), credential)
  await changeUsers(run, unitId, [...changed], credential)
  const asked = [...new Set([...left, ...changed])].filter(({ key }) => run.knows(key, credential))
  const refused = await prove(run, unitId, asked, credential)
  if (refused.length > 0) throw refusedAfterWrite(run, unitId, refused, credential)
}

/** A client that uses another password is somebody else's to find, who has to hear of it. */
const noticeUnlocked = (run: RotationRun, unitId: UnitId, users: readonly PlannedUser[]): void => {
  if (users.length === 0) return
  const names = users.map(({ key }) => key).join(', ')
  run.notice(
    `${names} was locked on ${run.name(unitId)} by failed logins, and ${run.words.change} unlocks it: find out which client uses a wrong password`,
  )
}

/**
 * A user that is missing where nothing is left to copy the old credential from: once it is there a change gives it that.
 * @throws {Pause} `USER_MISSING`
 */
const refuseLackOfOrigin = (run: RotationRun, unitId: UnitId, user: PlannedUser, credential: CredentialName): void => {
  if (credential !== 'current' || !run.knows(user.key, credential)) return
  if (oldOriginFor(run.ledger, unitId, undefined, [user]) === undefined) throw toBeMade(run, unitId, user)
}

/**
 * A copy would miss a user that somebody has made anew under another ID.
 * @throws {Pause} `ATTRIBUTES_DIFFER`
 */
const refuseOtherId = (run: RotationRun, unitId: UnitId, user: PlannedUser): void => {
  const [server] = run.servers(unitId)
  if (server !== undefined && run.hasOtherId(unitId, user.key)) throw attributesDiffer(run, server.hsmId, user)
}

const otherIdAdvice = (goesBack: boolean): readonly string[] => [
  'no officer can set an ID: delete the user there, and resume with --create-missing copies it under its own',
  ...(goesBack
    ? []
    : ['or let it keep the ID that somebody gave it: resume with --overwrite-other asks for the password alone']),
]

/** The pause for a user that is not as it was planned, whose difference no write of ours ends. */
export const attributesDiffer = ({ ledger }: RotationRun, hsmId: HsmId, { key }: PlannedUser): Pause =>
  new Pause(
    'ATTRIBUTES_DIFFER',
    `${key} on ${hsmId} is ${ledger.different(key, hsmId) ?? 'under another ID than planned'}`,
    [
      'somebody has changed the user there: find out why, and have an officer set it right; then resume',
      ...(ledger.hasOtherId(key, hsmId) ? otherIdAdvice(ledger.rollback !== null) : []),
    ],
  )

/** Whether the user was locked on some HSM of a unit when it was listed last. */
export const isLocked = (run: RotationRun, unitId: UnitId, { key }: PlannedUser): boolean =>
  run.servers(unitId).some(({ hsmId }) => run.ledger.cell(key, hsmId).state === 'locked')

/** Users that were locked where a copy of them failed: the lock may be why, and a utility may not say so. */
export const failedAndLocked = (
  run: RotationRun,
  unitId: UnitId,
  users: readonly PlannedUser[],
  answers: ReadonlyMap<UserKey, Answer>,
): readonly PlannedUser[] =>
  users.filter((user) => answers.get(user.key)?.kind !== 'done' && isLocked(run, unitId, user))

/**
 * Looks again at users that were locked when they were copied.
 * @returns those to be copied once more: they are unlocked, and whether by the copy or by somebody else nobody knows
 * @throws {Pause} `USER_LOCKED` where one of these is locked still, as the HSMs say now
 */
export const refuseLocked = async (
  run: RotationRun,
  unitId: UnitId,
  users: readonly PlannedUser[],
): Promise<readonly PlannedUser[]> => {
  if (users.length === 0) return []
  const servers = run.servers(unitId)
  await inSession(run.parts, servers, async (session) => run.look(await session.listUsers(run.users), servers))
  const locked = users.filter((user) => isLocked(run, unitId, user)).map(({ key }) => key)
  const isUnknown = ({ key }: PlannedUser) =>
    servers.some(({ hsmId }) => run.ledger.cell(key, hsmId).state === 'unknown')
  if (locked.length === 0) return users.filter(isUnknown)
  const { copy, change } = run.words
  throw new Pause('USER_LOCKED', `${locked.join(', ')} is locked on ${run.name(unitId)}, and ${copy} does not unlock`, [
    `an officer unlocks the user there by ${change}, to any password; then resume with --overwrite-other copies the right one`,
  ])
}

/** @returns those that were copied; one that had to show that it holds the credential already was not */
const copyEach = async (
  run: RotationRun,
  unitId: UnitId,
  users: readonly PlannedUser[],
  credential: CredentialName,
): Promise<readonly PlannedUser[]> => {
  if (users.length === 0) return []
  if (credential === 'new') await run.origins.ready(users)
  const left = credential === 'new' ? users.filter((user) => !run.isProvedNow(unitId, [user])) : users
  if (left.length === 0) return []
  const from = () => (credential === 'new' ? run.origins.next(left, unitId) : oldOrigin(run, unitId, left))
  const copied = { from, to: unitId, users: left, credential }
  const isKnown = credential === 'current' || left.every(({ key }) => run.knows(key, credential))
  const answers = isKnown ? (await copyUsers(run, copied)).answers : await copyWhereTaken(run, copied)
  await refuseLocked(run, unitId, failedAndLocked(run, unitId, left, answers))
  for (const [user, answer] of answers) {
    if (answer.kind === 'done') continue
    if (credential === 'current') refuseLockedOrigin(run, unitId, left, user)
    if (!isKnown && isRefusedAsExisting(answer)) {
      throw copyRefused(
        run,
        unitId,
        left.filter(({ key }) => isRefusedAsExisting(answers.get(key))),
      )
    }
    throw pauseAfter(`${run.words.copy} of ${user}`, run.name(unitId), answer)
  }
  return left
}

/**
 * Where clients have locked a user on all that the old credential could be copied from, a copy may be refused for that, and
 * nobody may know the password that a change would have to give it.
 * @throws {Pause} `USER_LOCKED`
 */
const refuseLockedOrigin = (
  run: RotationRun,
  target: UnitId,
  users: readonly PlannedUser[],
  refused: UserKey,
): void => {
  const origin = oldOrigin(run, target, users)
  const user = users.find(({ key }) => key === refused)
  if (user === undefined || !isLocked(run, origin, user)) return
  const { change, copy } = run.words
  throw new Pause(
    'USER_LOCKED',
    `${refused} is locked on ${run.name(origin)}, and ${copy} from there to ${run.name(target)} was refused`,
    [
      `an officer clears the count of failed logins there by ${change}, to the password that it holds; then the same command again`,
      'where nobody knows that one, to any: nothing is left to copy the old password from then, and resume goes forward',
    ],
  )
}

/**
 * Where the old credential of these users is copied from.
 * @throws {Pause} `NO_WAY_BACK`; `HSM_UNREACHABLE` where the only one that holds it is away
 */
export const oldOrigin = (run: RotationRun, target: UnitId, users = run.users): UnitId => {
  const from = oldOriginFor(run.ledger, target, (unitId) => run.units.includes(unitId), users)
  if (from !== undefined) return from
  const away = oldOriginFor(run.ledger, target, undefined, users)
  if (away === undefined) throw nothingLeft(run, users)
  const flags = allowUnreachable(serversOf(run.plan.roster, away))
  throw new Pause(
    'HSM_UNREACHABLE',
    `${run.name(away)} holds the old credential and cannot be reached`,
    run.ledger.rollback === null
      ? ['once it is back, the same command again; nothing goes back until then, and resume goes forward']
      : [
          `once it is back, resume; where it stays away, give the rollback up: lockstep rotate resume --rotation ${run.ledger.facts.rotationId} ${flags} --reason TEXT`,
        ],
  )
}

/** Of what a rollback owes, what a newer run has given meanwhile is no origin any more; a repair gives what is in force. */
const nothingLeft = ({ ledger, plan }: RotationRun, users: readonly PlannedUser[]): Pause => {
  const names = users.map(({ key }) => key).join(', ')
  return ledger.discard === null
    ? new Pause('NO_WAY_BACK', 'nothing is left on the old credential untouched')
    : new Pause(
        'NO_WAY_BACK',
        `nothing is left that holds of ${names} what ${ledger.facts.rotationId} is to give back`,
        [
          `what is in force is given by a repair, which settles the debt: lockstep users repair --from HSM ${describePlaces({ ...plan, users })}`,
          'or, where the store keeps it, with --to-current --store STORE in the place of --from HSM',
        ],
      )
}

/** The pause after a login that should have succeeded. */
export const refusedAfterWrite = (
  run: RotationRun,
  unitId: UnitId,
  users: readonly PlannedUser[],
  credential: CredentialName,
): Pause => {
  const names = users.map((user) => user.key).join(', ')
  return new Pause(
    credential === 'new' ? 'NEW_CREDENTIAL_REFUSED' : 'CURRENT_REFUSED',
    `${run.name(unitId)} refused the ${credential} credential of ${names} although it was written there`,
  )
}
