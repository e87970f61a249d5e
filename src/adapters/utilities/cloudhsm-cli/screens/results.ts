import { z } from 'zod'
import type { Answer, RefusalReason } from '../../../../domain/hsm-console.js'
import { NotUnderstood } from '../../process/not-understood.js'
import { type CliAnswer, failureText } from '../json-answer.js'
import { type CliRole, sameRole } from '../roles.js'
import { inconsistentKeys, LISTED_USER } from './user-list.js'

/** A user as it was named to the program. */
export interface TypedUser {
  readonly name: string
  readonly role: CliRole
}

const PARTIAL = /failed on (\d+) of (\d+) connections?\b/i
/**
 * Words of a write that is known to have changed nothing. Those about a logged-in user are the HSM's own, as the other
 * utility prints them; this one's are not known. Source: AWS CloudHSM User Guide, `quorum-auth-chsm-cli-admin`,
 * `troubleshoot-sdk5-user-replicate-failures`; public measurements.
 */
const REFUSALS: readonly (readonly [RegExp, RefusalReason])[] = [
  [/quorum approval/i, 'quorum'],
  [/inconsistent across/i, 'inconsistent'],
  [/user does not exist/i, 'no-such-user'],
  [/logged.?in user is denied|user is (?:(?:still|already|currently) )?logged.?in\b/i, 'user-logged-in'],
]
/** A login that failed for another reason than its password, or may have. */
const NO_LOGIN_REFUSAL =
  /connection|disconnect|communication|device|queue|in progress|error code|response code|partial|quorum|token|mfa|throttl|\b187\b|time.?out|timed out|busy|already logged|failed on/i

const ECHO = z.looseObject({ username: z.string(), role: z.string() })
const REPLICATED = z.looseObject({ user: LISTED_USER })

/**
 * What a login came to. The words of a wrong password are not known, so every failure that does not speak of something
 * else counts as one: it is never tried again.
 * @param asked whether the password was asked for and typed; before that nothing was attempted
 * @throws {NotUnderstood} a success for somebody else
 */
export const loginResult = (answer: CliAnswer, user: TypedUser, asked: boolean): Answer => {
  const success = successOf(answer)
  if (success !== null) return echoed('login', success.data, user)
  const text = failureText(answer)
  if (answer.kind === 'plain' || !asked || NO_LOGIN_REFUSAL.test(text)) return { kind: 'unclear', text }
  return { kind: 'refused', reason: 'login-refused', text }
}

/**
 * What `user change-password` came to. A failure on some of the connections leaves open which HSMs have it.
 * @throws {NotUnderstood} a success for somebody else
 */
export const changeResult = (answer: CliAnswer, user: TypedUser): Answer => {
  const success = successOf(answer)
  return success === null ? refusedOrUnclear(answer) : echoed('user change-password', success.data, user)
}

/**
 * What `user replicate` came to.
 * @param connections how many HSMs the destination has: where as many connections failed, none of them has it
 * @throws {NotUnderstood} a success for somebody else
 */
export const replicateResult = (answer: CliAnswer, user: TypedUser, connections: number): Answer => {
  const success = successOf(answer)
  if (success === null) {
    const text = failureText(answer)
    const [, failed, all] = (answer.kind === 'answered' ? PARTIAL.exec(text) : null) ?? []
    const everywhere = failed === all && Number(all) === connections
    return everywhere ? { kind: 'refused', reason: 'copy-refused', text } : refusedOrUnclear(answer)
  }
  const result = REPLICATED.safeParse(success.data)
  if (!result.success) throw new NotUnderstood('"user replicate" succeeded without showing the user')
  const copied = echoed('user replicate', result.data.user, user)
  const differing = inconsistentKeys(result.data.user)
  if (differing.length === 0) return copied
  return { kind: 'unclear', text: `${user.name} was replicated, and its ${differing.join(', ')} is inconsistent there` }
}

/** The data of a success, or null. */
const successOf = (answer: CliAnswer): { readonly data: unknown } | null =>
  answer.kind === 'answered' && answer.errorCode === 0 ? answer : null

/** An answer without JSON comes before or instead of the HSMs' answers: it says nothing about them. */
const refusedOrUnclear = (answer: CliAnswer): Answer => {
  const text = failureText(answer)
  const known = answer.kind === 'answered' && !PARTIAL.test(text)
  const reason = known ? REFUSALS.find(([pattern]) => pattern.test(text))?.[1] : undefined
  if (reason !== undefined) return { kind: 'refused', reason, text }
  const [, failed, all] = (answer.kind === 'answered' ? PARTIAL.exec(text) : null) ?? []
  return Number(failed) < Number(all) ? { kind: 'unclear', text, partly: true } : { kind: 'unclear', text }
}

/** A success is believed when it names the user it was asked for. */
const echoed = (command: string, data: unknown, { name, role }: TypedUser): Answer => {
  const echo = ECHO.safeParse(data)
  if (!echo.success) throw new NotUnderstood(`"${command}" succeeded without naming the user`)
  if (echo.data.username.toLowerCase() !== name.toLowerCase() || !sameRole(echo.data.role, role)) {
    throw new NotUnderstood(`"${command}" for ${name} (${role}) answered for another user`)
  }
  return { kind: 'done' }
}
