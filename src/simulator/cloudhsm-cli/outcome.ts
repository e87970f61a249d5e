import { type HsmReply, type HsmStatus, STATUS } from '../hsm/status.js'
import { CommandFailed, PlainError } from './answer.js'
import { ASSUMED } from './assumed-texts.js'
import { isLost } from './connection.js'
import { TEXTS } from './texts.js'

const REASONS = new Map<number, string>([
  [STATUS.noSuchUser.code, TEXTS.noSuchUser],
  [STATUS.unknownUser.code, TEXTS.noSuchUser],
  [STATUS.nameTaken.code, TEXTS.userExists],
  [STATUS.quorumRequired.code, TEXTS.quorumRequired],
  [STATUS.notPermitted.code, ASSUMED.adminNeeded],
  [STATUS.full.code, ASSUMED.full],
  [STATUS.limitedWrite.code, ASSUMED.limitedWrite],
  [STATUS.passwordLength.code, ASSUMED.passwordLength],
])

/** What the program prints for an HSM's refusal. */
export const reasonFor = (status: HsmStatus): string => REASONS.get(status.code) ?? status.text

/** The refusals among the replies. */
export const refusalsIn = (replies: readonly HsmReply<object>[]): HsmStatus[] =>
  replies.flatMap((reply) => (reply.ok ? [] : [reply.status]))

/**
 * Nothing where every HSM did what was asked. Where all refused for one reason that has words of its own, those are the
 * failure; otherwise `counted` says on how many connections it failed.
 * @throws {CommandFailed}
 * @throws {PlainError} every line is lost
 */
export const expectAll = (
  replies: readonly HsmReply<object>[],
  counted: (failures: number, connections: number) => string,
): void => {
  const refusals = refusalsIn(replies)
  const [first] = refusals
  if (!first) return
  const alike = refusals.length === replies.length && refusals.every(({ code }) => code === first.code)
  if (alike && isLost(first)) throw new PlainError(TEXTS.disconnected)
  const said = alike && first.code !== STATUS.refusedByFault.code
  throw new CommandFailed(said ? reasonFor(first) : counted(refusals.length, replies.length))
}
