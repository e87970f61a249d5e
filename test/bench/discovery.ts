import { regionCatalogue } from '../../src/adapters/cloudhsm-api/regions.js'
import { startSimulator } from '../helpers/simulator.js'
import { interleaved, type Measure, median, spreadOf } from './measure.js'
import { lockstep } from './program.js'

const DELAY_MS = 50

/** Discovery over every Region at once, against the slowest Region asked alone. */
export const discovery = async (rounds: number, regionCount: number): Promise<Measure[]> => {
  const regions = regionCatalogue({}).known.slice(0, regionCount)
  const [first = 'us-east-1', ...others] = regions
  const clusterId = (index: number): string =>
    `cluster-${'abcdefghijklmnopqrstuvwxyz234567'[index % 32]?.repeat(11)}${index < 32 ? '' : '2'}`
  // Every Region but the first holds a clone, so that its lineage has to be asked for as well.
  const fleet = {
    version: 1,
    families: [
      {
        name: 'everywhere',
        users: [{ type: 'CO', name: 'admin', password: 'TEST-officer-1' }],
        clusters: [
          { clusterId: clusterId(0), region: first, hsms: 1 },
          ...others.map((region, index) => ({
            clusterId: clusterId(index + 1),
            region,
            hsms: 1,
            clonedFrom: clusterId(0),
          })),
        ],
      },
    ],
    awsDelayMs: DELAY_MS,
  }
  const simulator = await startSimulator(fleet)
  try {
    const list = async (asked: readonly string[]): Promise<number> => {
      const env = { ...simulator.env, LOCKSTEP_STATE_DIR: `${simulator.dir}/state` }
      const { ms, stdout } = await lockstep(
        ['clusters', 'list', '--json', ...asked.flatMap((region) => ['--region', region])],
        env,
      )
      const found = JSON.parse(stdout) as { clusters: unknown[]; problems: unknown[] }
      if (found.clusters.length !== asked.length || found.problems.length > 0)
        throw new Error(`not every Region answered: ${stdout}`)
      return ms
    }
    const alone = [first, others[0] ?? first, others[others.length >> 1] ?? first, others.at(-1) ?? first]
    const subjects = Object.fromEntries([
      ['all', () => list(regions)] as const,
      ...alone.map((region) => [region, () => list([region])] as const),
    ])
    const taken = await interleaved(rounds, subjects)
    const all = taken['all'] ?? []
    const slowest = alone.map((region) => taken[region] ?? []).reduce((a, b) => (median(b) > median(a) ? b : a))
    return [
      {
        name: `discovery over ${regions.length} Regions`,
        value: median(all) / median(slowest),
        unit: 'x',
        bar: 1.3,
        kind: 'most',
        how: `${spreadOf(all)} against the slowest Region alone ${spreadOf(slowest)}, ${DELAY_MS} ms per AWS call`,
      },
    ]
  } finally {
    await simulator.stop()
  }
}
