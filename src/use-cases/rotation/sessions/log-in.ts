import type { Answer, HsmSession } from '../../../domain/hsm-console.js'
import type { LoginBudget, WantedLogin } from '../../../domain/rotation/login-budget.js'
import type { Secret } from '../../../domain/secret.js'
import { jointAnswer } from './in-session.js'

/** One login of a user on the HSMs that a session reaches. Whoever calls asked the budget for an objection before. */
export interface UserLogin extends WantedLogin {
  readonly session: HsmSession
  readonly password: Secret
  /** How the credential is named where a refusal is remembered; null where it cannot be named without telling it. */
  readonly credential: string | null
}

/**
 * Logs in, once, and tells the budget. After a success it logs out again: our own sessions count as logins too.
 * @param ask makes the attempt, with an intent before it where there is a journal
 * @throws {ConsoleFailure}
 */
export const logIn = async (
  budget: LoginBudget,
  login: UserLogin,
  ask: (attempt: () => Promise<Answer>) => Promise<Answer> = (attempt) => attempt(),
): Promise<Answer> => {
  const { session, user, reached, password, credential } = login
  const hsmIds = reached.map(({ hsmId }) => hsmId)
  const answer = await ask(async () => {
    await budget.noteBegun(login)
    try {
      return jointAnswer(await session.login(user, password, hsmIds), hsmIds)
    } catch (error) {
      budget.noteUnanswered(login)
      throw error
    }
  })
  if (answer.kind === 'unclear') budget.noteUnanswered(login)
  if (answer.kind === 'refused' && answer.reason === 'login-refused') {
    await budget.noteRefused(login, credential)
  } else if (answer.kind === 'done') {
    await budget.noteGood(user, reached)
    await session.logout()
  }
  return answer
}
