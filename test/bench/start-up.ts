import { interleaved, type Measure, median, spreadOf } from './measure.js'
import { lockstep, run } from './program.js'

/** Start-up against that of Node itself. */
export const startUp = async (rounds: number, stateDir: string): Promise<Measure[]> => {
  const env = { LOCKSTEP_STATE_DIR: stateDir }
  const ms = async (ran: Promise<{ readonly ms: number }>): Promise<number> => (await ran).ms
  const subjects = {
    node: () => ms(run(process.execPath, ['-e', '0'])),
    version: () => ms(lockstep(['--version'], env)),
    help: () => ms(lockstep(['--help'], env)),
    list: () => ms(lockstep(['rotate', 'list'], env)),
  }
  await interleaved(1, subjects) // fills the disk cache
  const taken = await interleaved(rounds, subjects)
  const base = median(taken.node)
  const against = (values: readonly number[]): string => `${spreadOf(values)} against node -e 0 ${spreadOf(taken.node)}`
  const line = (name: string, values: readonly number[], bar: number): Measure => ({
    name: `start-up of ${name}`,
    value: median(values) / base,
    unit: 'x',
    bar,
    kind: 'most',
    how: against(values),
  })
  return [
    line('--version', taken.version, 1.5),
    line('--help', taken.help, 1.5),
    line('rotate list', taken.list, Number(process.versions.node.split('.')[0]) < 24 ? 4.2 : 3),
  ]
}
