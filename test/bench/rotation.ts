import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { parse } from 'yaml'
import { fleetFixture, startSimulator } from '../helpers/simulator.js'
import { criticalPath, lengthOf } from './critical-path.js'
import { interleaved, type Measure, median, spreadOf } from './measure.js'
import { type Ran, weighedLockstep } from './program.js'
import { expectInstalled, type RunbookFleet, runRunbook } from './runbook.js'

/** The parts of a fleet file that the bench reads; `hsms` is a number in the fleet it uses. */
interface Fleet {
  readonly families: readonly [
    {
      readonly users: readonly { readonly type: string; readonly name: string; readonly password: string }[]
      readonly clusters: readonly { readonly clusterId: string; readonly region: string; readonly hsms: number }[]
    },
  ]
  readonly latencyMs: number
}

/** Cuts a fleet down for a quick look. */
const smaller = (fleet: Fleet, hsms: number, users: number): Fleet => {
  const [family] = fleet.families
  const officers = family.users.filter(({ type }) => type === 'CO')
  const others = family.users.filter(({ type }) => type === 'CU').slice(0, users)
  const clusters = family.clusters.map((cluster) => ({ ...cluster, hsms }))
  return { ...fleet, families: [{ ...family, users: [...officers, ...others], clusters }] }
}

/** A rotation against the critical path of its HSMs, and against a script that does one step after another. */
export const rotation = async (rounds: number, quick: boolean): Promise<Measure[]> => {
  const whole = parse(await readFile(fleetFixture('three-by-four.yaml'), 'utf8')) as Fleet
  const fleet = quick ? smaller(whole, 2, 5) : whole
  const [family] = fleet.families
  const officer = family.users.find(({ type }) => type === 'CO')
  if (officer === undefined) throw new Error('the fleet has no officer')
  const users = family.users.filter(({ type }) => type === 'CU').map(({ name }) => name)
  const simulator = await startSimulator(fleet)
  try {
    const { hsms } = await simulator.state()
    // Lowest address first, as the product orders them.
    const addresses = family.clusters.flatMap(({ clusterId }) =>
      hsms.filter((hsm) => hsm.clusterId === clusterId).map(({ eniIp }) => eniIp),
    )
    const runbook: RunbookFleet = {
      addresses,
      canary: family.clusters[0]?.hsms ?? 1,
      users,
      utility: simulator.ready.managementUtility,
      officer,
    }
    // A passphrase would cost seconds of key stretching, which has nothing to do with HSMs.
    const identity = await generateX25519Identity()
    const recipient = await identityToRecipient(identity)
    const [source, ...destinations] = family.clusters.map(({ region, clusterId }) => `${region}/${clusterId}`)
    let turn = 0
    const folder = (): string => join(simulator.dir, `turn-${++turn}`)
    const password = (): string => `TEST-bench-${turn}`
    const rotate = (): Promise<Ran> => {
      const place = folder()
      return weighedLockstep(
        [
          ...['rotate', 'start', '--json', '--yes', '--source', source ?? ''],
          ...destinations.flatMap((destination) => ['--destination', destination]),
          ...users.flatMap((name) => ['--user', `CU:${name}`]),
          ...[
            '--officer',
            officer.name,
            '--officer-password',
            'env:OFFICER_PASSWORD',
            '--new-password',
            'env:NEW_PASSWORD',
          ],
          ...['--store', `file:${place}.age`, '--store-recipient', recipient, '--store-identity', 'env:IDENTITY'],
        ],
        {
          ...simulator.env,
          LOCKSTEP_STATE_DIR: place,
          OFFICER_PASSWORD: officer.password,
          NEW_PASSWORD: password(),
          IDENTITY: identity,
        },
      )
    }
    const script = await expectInstalled()
    const taken = await interleaved<Ran | null, 'product' | 'script'>(rounds, {
      product: rotate,
      script: () => (script ? runRunbook(runbook, folder(), password()) : Promise.resolve(null)),
    })
    const terms = criticalPath({ clusters: family.clusters.map((cluster) => cluster.hsms), users: users.length })
    const pathMs = lengthOf(terms) * fleet.latencyMs
    const ran = taken.product.filter((one) => one !== null)
    const product = ran.map(({ ms }) => ms)
    const scripted = taken.script.flatMap((one) => (one === null ? [] : [one.ms]))
    const size = `${family.clusters.length} clusters, ${addresses.length} HSMs, ${users.length} users, ${fleet.latencyMs} ms`
    return [
      {
        name: 'rotation against its critical path',
        value: median(product) / pathMs,
        unit: 'x',
        bar: 1.3,
        kind: 'most',
        how: [
          `${spreadOf(product)} against ${lengthOf(terms)} operations, ${pathMs} ms (${size})`,
          ...terms.map(({ stage, operations, made }) => `${stage}: ${operations} (${made})`),
        ].join('\n'),
      },
      {
        name: 'rotation against an expect script',
        value: scripted.length === 0 ? null : median(scripted) / median(product),
        unit: 'x',
        bar: 4,
        kind: 'least',
        how:
          scripted.length === 0
            ? 'expect is not installed'
            : `script ${spreadOf(scripted)} against ${spreadOf(product)}; whoever drives the HSMs, no more than ${(median(scripted) / pathMs).toFixed(1)} x is possible`,
      },
      {
        name: 'peak memory of the rotation',
        value: Math.max(...ran.map(({ peakMb }) => peakMb)),
        unit: 'MB',
        bar: 400,
        kind: 'most',
        how: `resident, the program alone (${size})`,
      },
    ]
  } finally {
    await simulator.stop()
  }
}
