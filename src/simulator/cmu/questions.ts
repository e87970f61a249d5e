import { ASSUMED } from './assumed-texts.js'
import type { UtilitySession } from './session.js'
import { CONTINUE_QUESTION, caution, ENTER_NEW_PASSWORD, INVALID_ANSWER, REENTER_NEW_PASSWORD } from './texts.js'

export const HIDDEN = '-hpswd'

/** Shows the caution block and asks. Anything but y and n is asked again, so leftover input is taken as the answer. */
export const confirmed = async (session: UtilitySession): Promise<boolean> => {
  session.print(caution(session.settings))
  for (;;) {
    const answer = await session.terminal.ask(CONTINUE_QUESTION)
    if (answer === null || answer === 'n') return false
    if (answer === 'y') return true
    session.print(INVALID_ANSWER)
  }
}

/** Shows a failure menu until one of its letters is typed; null when input ends. */
export const choose = async <Letter extends string>(
  session: UtilitySession,
  menu: string,
  letters: readonly Letter[],
): Promise<Letter | null> => {
  for (;;) {
    const answer = await session.terminal.ask(menu)
    if (answer === null) return null
    const letter = letters.find((known) => known === answer.trim().toUpperCase())
    if (letter) return letter
  }
}

/** The new password: the argument itself or, for `-hpswd`, asked twice. Null when the two differ or input ends. */
export const newPassword = async (session: UtilitySession, argument: string): Promise<string | null> => {
  if (argument !== HIDDEN) return argument
  const first = await session.terminal.askHidden(ENTER_NEW_PASSWORD)
  const second = await session.terminal.askHidden(REENTER_NEW_PASSWORD)
  if (first !== null && first === second) return first
  session.print(ASSUMED.passwordsDiffer)
  return null
}
