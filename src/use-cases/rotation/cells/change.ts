import type { HsmSession } from '../../../domain/hsm-console.js'
import type { UnitId } from '../../../domain/ids.js'
import type { CredentialName } from '../../../domain/rotation/journal-entry.js'
import type { PlannedUser } from '../../../domain/rotation/plan.js'
import { type FailedAnswer, pauseAfter } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'
import { inSession, inTwoConversations, jointAnswer, usersOf } from '../sessions/in-session.js'
import { loginOfficer } from '../sessions/officer.js'
import { isMissingIn, toBeMade } from './absent-users.js'
import { askUntilWhole } from './ask-until-whole.js'
import { agreeToWrite } from './consent.js'
import { whenDrained } from './draining.js'

/**
 * Gives users the credential on one unit by a change of their password, which also clears their failed logins there.
 * @throws {Pause} when the unit refuses one of them
 */
export const changeUsers = async (
  run: RotationRun,
  unitId: UnitId,
  users: readonly PlannedUser[],
  credential: CredentialName,
): Promise<void> => {
  if (users.length === 0) return
  await agreeToWrite(run, unitId, users)
  await inTwoConversations(users, (share) => {
    const waiting = new Set(share)
    return whenDrained(run, () => changeEach(run, unitId, waiting, credential))
  })
}

const mayBeMissing = (answer: FailedAnswer): boolean =>
  answer.kind === 'unclear' ? answer.partly === true : answer.reason === 'no-such-user'

/** Changes those that wait, one after the other; who is changed waits no more. */
const changeEach = (
  run: RotationRun,
  unitId: UnitId,
  waiting: Set<PlannedUser>,
  credential: CredentialName,
): Promise<void> => {
  const servers = run.servers(unitId)
  const hsmIds = servers.map(({ hsmId }) => hsmId)
  return inSession(run.parts, servers, async (session) => {
    await loginOfficer(run.parts, session, servers, await session.listUsers())
    for (const user of waiting) {
      const intent = { act: 'change', user: user.key, hsmIds, credential } as const
      const answer = await askUntilWhole(run, session, intent, async () =>
        jointAnswer(await session.changePassword(user, run.password(user.key, credential)), hsmIds),
      )
      if (answer.kind !== 'done') {
        if (mayBeMissing(answer)) await refuseMissing(run, unitId, user, session)
        throw pauseAfter(`${run.words.change} of ${user.key}`, run.name(unitId), answer)
      }
      await run.parts.budget.noteChanged(user, servers)
      waiting.delete(user)
    }
    await session.logout()
  })
}

/**
 * A change that failed on some HSMs, or on all, may be explained by a user that is missing there now, whatever was listed
 * before.
 * @throws {Pause} `USER_MISSING`
 */
const refuseMissing = async (
  run: RotationRun,
  unitId: UnitId,
  user: PlannedUser,
  session: HsmSession,
): Promise<void> => {
  const servers = run.servers(unitId)
  const listing = await session.listUsers([user])
  await run.observe(listing, servers)
  if (servers.some(({ hsmId }) => isMissingIn(usersOf(listing, hsmId), user))) throw toBeMade(run, unitId, user)
}
