import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readFault } from '../../src/simulator/cli/fault.js'
import { askCheck, askFault, askState } from '../../src/simulator/control-client.js'
import type { FaultReport } from '../../src/simulator/faults/catalogue.js'
import { typedUser } from '../../src/simulator/faults/options.js'
import type { Ready } from '../../src/simulator/server/run-simulator.js'
import type { PasswordCheck, Truth } from '../../src/simulator/server/truth.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const PROGRAM = join(ROOT, 'bin/lockstep-sim.js')

/** A simulator that runs as a program of its own, for one test or one file of tests. */
export interface RunningFleet {
  /** Its own folder below the system's; gone after `stop`. */
  readonly dir: string
  readonly ready: Ready
  /** For the product and for AWS's clients; to be merged over whatever else they need. */
  readonly env: Readonly<Record<string, string>>
  /** The truth. With `counters` also how often users logged in. */
  state(options?: { readonly counters?: boolean }): Promise<Truth>
  /** Which HSMs hold the password, without a login. @param user `CU:name` */
  check(user: string, password: string): Promise<PasswordCheck>
  /** As on the command line: `fault('unreachable', '--hsm', id)`. Resolves once in force. */
  fault(...args: readonly string[]): Promise<FaultReport>
  /** Ends the process and removes the folder. */
  stop(): Promise<void>
}

/** Path of a fleet in `fixtures/fleets/`. */
export const fleetFixture = (name: string): string => join(ROOT, 'fixtures/fleets', name)

/**
 * Starts `bin/lockstep-sim.js` and waits for its ready line. It ends with this process, whatever happens.
 * @param fleet a fleet as an object, or the path of a fleet file
 */
export const startSimulator = async (
  fleet: object | string,
  { nodeArgs = [] }: { readonly nodeArgs?: readonly string[] } = {},
): Promise<RunningFleet> => {
  const home = await mkdtemp(join(tmpdir(), 'lockstep-sim-'))
  const dir = join(home, 'sim')
  const path = typeof fleet === 'string' ? fleet : join(home, 'fleet.json')
  if (typeof fleet !== 'string') await writeFile(path, JSON.stringify(fleet))
  const args = [...nodeArgs, PROGRAM, 'start', '--fleet', path, '--dir', dir, '--ends-with-stdin']
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk
  })
  try {
    const ready = JSON.parse(await firstLine(child.stdout, ended)) as Ready
    return {
      dir,
      ready,
      env: ready.env,
      state: ({ counters = false } = {}) => askState(dir, counters),
      check: (user, password) => askCheck(dir, typedUser(user), password),
      fault: async (...words) => askFault(dir, readFault(words).request),
      stop: async () => {
        child.kill('SIGTERM')
        await ended
        await rm(home, { recursive: true, force: true })
      },
    }
  } catch {
    child.kill('SIGKILL')
    await ended
    await rm(home, { recursive: true, force: true })
    throw new Error(`the simulator did not start: ${errors}`)
  }
}

const firstLine = (output: NodeJS.ReadableStream, ended: Promise<void>): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ''
    output.setEncoding('utf8')
    output.on('data', (chunk: string) => {
      text += chunk
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
    void ended.then(() => reject(new Error('ended')))
  })
