import { spawn } from 'node:child_process'
import { refusal } from '../domain/errors.js'
import type { HookFacts, Hooks } from '../domain/hooks.js'
import { childEnvironment } from './shell/child-environment.js'

/**
 * Hooks as shell commands; those that are not given do nothing. What they print goes to stderr as it is: it is the
 * operator's own program, and one that stays behind would be ended by a pipe of ours that closes.
 */
export const hookCommands = (
  commands: Readonly<Record<Parameters<Hooks['run']>[0], string | undefined>>,
  environment: Readonly<Record<string, string | undefined>>,
): Hooks => ({
  async run(hook, facts) {
    const command = commands[hook]
    if (command === undefined) return
    const child = spawn('/bin/sh', ['-c', command], {
      stdio: ['ignore', process.stderr, process.stderr],
      env: environmentOf(hook, facts, environment),
    })
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (...ended) => resolve(ended))
    })
    if (code === 0) return
    throw refusal('HOOK_FAILED', `the --${hook} command ended with ${code ?? signal}`, [
      `check the command: ${command}`,
    ])
  },
})

const environmentOf = (
  hook: string,
  { rotationId, plan }: HookFacts,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> => ({
  ...childEnvironment(environment),
  LOCKSTEP_HOOK: hook,
  LOCKSTEP_ROTATION: rotationId,
  LOCKSTEP_USERS: plan.users.map((user) => user.key).join(' '),
  LOCKSTEP_SOURCE: `${plan.source.region}/${plan.source.clusterId}`,
  LOCKSTEP_DESTINATIONS: plan.destinations.map(({ region, clusterId }) => `${region}/${clusterId}`).join(' '),
})
