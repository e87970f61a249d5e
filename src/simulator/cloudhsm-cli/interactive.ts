import type { Terminal } from '../terminal.js'
import { type Answer, CommandFailed, failed, PlainError, Shown, shownAnswer, UsageError } from './answer.js'
import { ASSUMED } from './assumed-texts.js'
import { parseCommand } from './command-line.js'
import { TYPED_COMMANDS } from './commands/index.js'
import type { Program } from './program.js'
import { loggedInPrompt, TEXTS } from './texts.js'
import { wordsOf } from './words.js'

/** Prompts, reads and runs commands until `quit` or the end of the input. A failing command does not end it. */
export const runInteractive = async (program: Program, terminal: Terminal): Promise<void> => {
  while (!program.ended) {
    const line = await nextLine(terminal, promptOf(program))
    if (line === null) return
    await runLine(program, terminal, line)
  }
}

const promptOf = ({ promptUser, severalClusters }: Program): string =>
  promptUser && severalClusters ? loggedInPrompt(promptUser.username, promptUser.clusterId) : TEXTS.prompt

/** A line, with those that a `\` at its end continues. */
const nextLine = async (terminal: Terminal, prompt: string): Promise<string | null> => {
  let line = await terminal.ask(prompt)
  while (line?.endsWith('\\')) {
    const more = await terminal.ask(ASSUMED.continuation)
    line = more === null ? line.slice(0, -1) : `${line.slice(0, -1)} ${more}`
  }
  return line
}

const runLine = async (program: Program, terminal: Terminal, line: string): Promise<void> => {
  const words = wordsOf(line)
  if (words?.length === 0) return
  try {
    if (!words) throw new UsageError('error: a quote is not closed\n')
    const { command, values } = parseCommand(words, TYPED_COMMANDS, program.settings)
    const answer = await answerOf(command.run(program, values))
    if (!program.ended) terminal.print(shownAnswer(answer))
  } catch (error) {
    if (error instanceof Shown) terminal.print(error.message)
    else if (error instanceof UsageError) process.stderr.write(error.message)
    else if (error instanceof PlainError) process.stderr.write(error.shown)
    else throw error
  }
}

/** The answer, failures that are answered included. */
export const answerOf = async (running: Promise<Answer>): Promise<Answer> => {
  try {
    return await running
  } catch (error) {
    if (error instanceof CommandFailed) return failed(error.message)
    throw error
  }
}
