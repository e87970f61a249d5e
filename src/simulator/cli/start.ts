import { resolve } from 'node:path'
import { FleetError } from '../fleet/fleet-error.js'
import { Problem } from '../problem.js'
import { readOptions, required } from './options.js'

/**
 * `start`: runs a fleet in the foreground until SIGTERM, SIGINT or SIGHUP.
 * With `--ends-with-stdin` the end of standard input ends it too, so that it cannot outlive who started it.
 */
export const start = async (args: readonly string[]): Promise<number> => {
  const { values } = readOptions(args, {
    fleet: { type: 'string' },
    dir: { type: 'string' },
    json: { type: 'boolean' },
    'ends-with-stdin': { type: 'boolean' },
  })
  const fleetPath = required(values.fleet, 'fleet')
  const dir = resolve(required(values.dir, 'dir'))
  // Loaded here because the other commands should start without a YAML parser.
  const { readFleet } = await import('../fleet/read-fleet.js')
  const { runSimulator } = await import('../server/run-simulator.js')
  let fleet: ReturnType<typeof readFleet>
  try {
    fleet = readFleet(fleetPath)
  } catch (error) {
    if (!(error instanceof FleetError)) throw error
    throw new Problem('FLEET_INVALID', `${fleetPath}: ${error.message}`, [], 2)
  }
  const ended = new Promise<void>((end) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => end())
    if (values['ends-with-stdin'])
      process.stdin
        .on('end', () => end())
        .on('error', () => end())
        .resume()
  })
  const running = await runSimulator(fleet, dir)
  process.stdout.write(`${JSON.stringify(running.ready)}\n`)
  await ended
  await running.stop()
  // An input that is still open would keep the process alive.
  process.stdin.destroy()
  return 0
}
