import type { Prompt } from '../process/terminal-talk.js'

/**
 * Every prompt the program is known to wait at, each alone on the last line: a JSON answer that has arrived in part
 * never ends with such a line, whatever stands in its texts. At the command prompt is shown who is logged in where the
 * configuration lists several clusters, so it is known by its form.
 * Source: AWS CloudHSM User Guide, pages `cloudhsm_cli-*`; the published examples differ in the blank before `>`.
 */
const PROMPTS = {
  command: /^[\w.@-]+ ?> ?$/,
  password: /^Enter password: ?$/i,
  confirmation: /^Confirm password: ?$/i,
  tokenFile: /^Enter signed token file path[^\n]*: ?$/i,
  publicKey: /^Enter public key [^\n]*: ?$/i,
} as const

export type CliPromptName = keyof typeof PROMPTS

/** A prompt found at the end of the output. */
export interface CliPrompt extends Prompt {
  readonly name: CliPromptName
}

/**
 * The prompt that the last line is, if it is one. A command prompt that follows a command stands on a line of its own:
 * before that it is the old one, drawn again around what was typed.
 */
export const findCliPrompt = (line: string, ownLine: boolean): CliPrompt | null => {
  for (const [name, pattern] of Object.entries(PROMPTS) as [CliPromptName, RegExp][]) {
    if (pattern.test(line) && (name !== 'command' || ownLine)) return { name }
  }
  return null
}
