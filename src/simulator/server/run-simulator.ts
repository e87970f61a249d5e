import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { type ControlFile, controlPath, isRunning } from '../control-client.js'
import type { Fleet } from '../fleet/fleet.js'
import type { Hsm } from '../hsm/hsm.js'
import type { User } from '../hsm/user.js'
import { Problem } from '../problem.js'
import { type AddressBlock, claimBlock } from './address-block.js'
import { controlChannel } from './control-channel.js'
import { stopListening } from './listen.js'
import { type Programs, writePrograms } from './programs.js'
import { Simulator } from './simulator.js'

/** What `start` prints when everything listens. */
export interface Ready {
  readonly ready: true
  /** URL of the AWS endpoint. */
  readonly endpoint: string
  /** The program to start instead of `cloudhsm_mgmt_util`. */
  readonly managementUtility: string
  /** The program to start instead of `cloudhsm-cli`. */
  readonly cloudhsmCli: string
  /** The program to start instead of `configure-cli`. */
  readonly configureCli: string
  /** Environment for the product and for AWS's own clients. */
  readonly env: Readonly<Record<string, string>>
  /** File that tells `state`, `check` and `fault` where to ask. */
  readonly control: string
}

/** The users of every HSM at one moment. */
export type FleetMemory = ReadonlyMap<Hsm, readonly Readonly<User>[]>

export interface RunningSimulator {
  readonly ready: Ready
  /** Remembers the users of every HSM as they are now, for `restore`. */
  remember(): FleetMemory
  /** Gives the HSMs the users they had then. */
  restore(memory: FleetMemory): void
  /** Closes every port and removes what was written into the folder. */
  stop(): Promise<void>
}

/**
 * Runs a fleet in this process.
 * @param dir folder for its files; made when missing
 * @throws {Problem} another simulator runs in the folder, the folder cannot be used, or an address is taken
 */
export const runSimulator = async (fleet: Fleet, dir: string): Promise<RunningSimulator> => {
  await refuseOccupied(dir)
  const token = randomBytes(16).toString('hex')
  let simulator: Simulator | null = null
  const count = fleet.clusters.reduce((sum, { hsms }) => sum + hsms.length, 0)
  const block = await claimBlock(dir, count, () => controlChannel(token, () => simulator))
  const running = new Simulator(fleet, block)
  try {
    await running.listen()
  } catch (error) {
    await giveUp(running, block)
    throw new Problem('ADDRESS_IN_USE', `cannot listen: ${(error as Error).message}`, [
      'give the HSM another eniIp, or none',
    ])
  }
  simulator = running
  const programs = writePrograms(dir, fleet.behaviour)
  const address = block.claims[0]?.address()
  if (!address || typeof address === 'string') throw new Error('the control channel is not listening')
  const control: ControlFile = { pid: process.pid, host: block.host, port: address.port, token }
  writeFileSync(controlPath(dir), JSON.stringify(control), { mode: 0o600 })
  return {
    ready: {
      ready: true,
      endpoint: running.endpoint,
      managementUtility: programs.managementUtility,
      cloudhsmCli: programs.cloudhsmCli,
      configureCli: programs.configureCli,
      env: environment(fleet, running.endpoint, programs),
      control: controlPath(dir),
    },
    remember: () => new Map(running.appliances.map(({ hsm }) => [hsm, hsm.users.map((user) => ({ ...user }))])),
    restore: (memory) => {
      for (const [hsm, users] of memory) hsm.replaceUsers(users)
    },
    stop: async () => {
      rmSync(controlPath(dir), { force: true })
      programs.remove()
      await giveUp(running, block)
    },
  }
}

const refuseOccupied = async (dir: string): Promise<void> => {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new Problem('DIR_UNUSABLE', `cannot use ${dir}: ${(error as NodeJS.ErrnoException).code}`, [], 2)
  }
  if (!(await isRunning(dir))) return
  throw new Problem('ALREADY_RUNNING', `another simulator runs in ${dir}`, ['give another folder with --dir'])
}

const giveUp = async (simulator: Simulator, block: AddressBlock): Promise<void> => {
  await simulator.stop()
  await Promise.all(block.claims.map(stopListening))
}

const environment = (fleet: Fleet, endpoint: string, programs: Programs): Record<string, string> => ({
  AWS_ENDPOINT_URL: endpoint,
  AWS_ACCESS_KEY_ID: fleet.accounts[0]?.accessKeyId ?? '',
  AWS_SECRET_ACCESS_KEY: 'simulated-secret-access-key',
  AWS_REGION: fleet.clusters[0]?.region ?? '',
  AWS_EC2_METADATA_DISABLED: 'true',
  ...programs.env,
})
