import type { Answer, HsmSession } from '../../../domain/hsm-console.js'
import type { Intent } from '../../../domain/rotation/journal-entry.js'
import type { RotationRun } from '../run/rotation-run.js'

/** One command; once more where only some HSMs of a cluster did it, which is harmless and says what is left. */
export const askUntilWhole = async (
  run: RotationRun,
  session: HsmSession,
  intent: Intent,
  command: () => Promise<Answer>,
): Promise<Answer> => {
  const answer = await run.ask(session, intent, command)
  return answer.kind === 'unclear' && answer.partly === true ? run.ask(session, intent, command) : answer
}
