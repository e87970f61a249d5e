import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Config } from '@oclif/core'
import { runCommand } from '@oclif/test'
import { BaseCommand } from '../../src/cli/base-command.js'
import type { Wiring } from '../../src/wiring.js'

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..')

/** How a command ended. */
export interface Ended {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

/** The commands as they were compiled: they share their wiring with the test, which those in `dist/app` do not. */
const compiledCommands = async (): Promise<Config> => {
  const config = (await Config.load({ root })) as Config
  for (const command of config.commands) {
    const { id } = command
    command.load = async () => {
      const { default: found } = await import(`../../src/commands/${id.replace(':', '/')}.js`)
      return Object.assign(found, { id })
    }
  }
  return config
}

/** Runs one command in this process, with part of the wiring replaced. */
export const run = async (argv: readonly string[], replaced: Partial<Wiring> = {}): Promise<Ended> => {
  const before = BaseCommand.wiring
  BaseCommand.wiring = { ...before, ...replaced }
  try {
    process.exitCode = undefined
    // in test mode oclif warns of a command line that did not parse, some ticks later and so in the next test's stderr
    const { stdout, stderr, error } = await runCommand([...argv], await compiledCommands(), {
      testNodeEnv: 'production',
    })
    const thrown = error as (Error & { oclif?: { exit?: number } }) | undefined
    return { stdout, stderr, exitCode: Number(process.exitCode ?? thrown?.oclif?.exit ?? (thrown ? 1 : 0)) }
  } finally {
    BaseCommand.wiring = before
    process.exitCode = undefined
  }
}
