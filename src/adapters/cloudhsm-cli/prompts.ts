import type { Prompt } from '../utility-process/terminal-process.js'

/**
 * Every prompt the program is known to wait at, each alone on the last line: a JSON answer that has arrived in part
 * never ends with such a line, whatever stands in its texts. At the command prompt is shown who is logged in where the
 * configuration lists several clusters, so it is known by its form.
 * Source: AWS CloudHSM User Guide, pages `cloudhsm_cli-*`; the published examples differ in the blank before `>`.
 */
const PROMPTS = {
  command: /(?:^|\n)[\w.@-]+ ?> ?$/,
  password: /(?:^|\n)Enter password: ?$/i,
  confirmation: /(?:^|\n)Confirm password: ?$/i,
  tokenFile: /(?:^|\n)Enter signed token file path[^\n]*: ?$/i,
  publicKey: /(?:^|\n)Enter public key [^\n]*: ?$/i,
} as const

export type CliPromptName = keyof typeof PROMPTS

/** A prompt found at the end of the output. */
export interface CliPrompt extends Prompt {
  readonly name: CliPromptName
}

/**
 * The prompt at the end of `text`, if there is one. A command prompt that follows a command stands on a line of its
 * own: before that it is the old one, drawn again around what was typed.
 */
export const findCliPrompt = (text: string, answering: boolean): CliPrompt | null => {
  const tail = text.slice(Math.max(0, text.lastIndexOf('\n')))
  for (const [name, pattern] of Object.entries(PROMPTS) as [CliPromptName, RegExp][]) {
    const match = pattern.exec(tail)
    if (match === null || (name === 'command' && answering && !tail.startsWith('\n'))) continue
    return { name, before: text.slice(0, text.length - tail.length + match.index) }
  }
  return null
}
