import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunningFleet } from '../../helpers/simulator.js'
import { TypedSession } from './typed-session.js'

/** The prompt of CloudHSM CLI at the end of what was printed. */
export const CLI_PROMPT = /(?:^|\n)(aws-cloudhsm|\w+@cluster-\w+) > $/

/** The officer of every fleet here, in both clusters. */
export const ADMIN = {
  CLOUDHSM_ROLE: 'admin',
  CLOUDHSM_PIN: 'admin:TEST-officer-1',
  DESTINATION_CLOUDHSM_ROLE: 'admin',
  DESTINATION_CLOUDHSM_PIN: 'admin:TEST-officer-1',
}

/** A family of one or two clusters, `cluster-aaaaaaaaaaa` and its clone `cluster-bbbbbbbbbbb`. */
export const A = 'cluster-aaaaaaaaaaa'
export const B = 'cluster-bbbbbbbbbbb'
export const cliFleet = (
  behaviour: object = {},
  more: readonly object[] = [],
  types = ['hsm2m.medium', 'hsm2m.medium'],
) => ({
  version: 1,
  families: [
    {
      name: 'payments',
      users: [
        { type: 'CO', name: 'admin', password: 'TEST-officer-1' },
        { type: 'CU', name: 'app_crypto', password: 'TEST-old-1' },
        { type: 'CU', name: 'app_batch', password: 'TEST-old-2' },
        ...more,
      ],
      clusters: [
        { clusterId: A, region: 'us-east-1', hsms: 3, hsmType: types[0] },
        { clusterId: B, region: 'eu-west-1', hsms: 2, hsmType: types[1], clonedFrom: A },
      ],
    },
  ],
  behaviour,
})

let files = 0

/**
 * A configuration of CloudHSM CLI for these clusters.
 * @param listed how many HSMs of each it names
 */
export const writeCliConfig = async (
  sim: RunningFleet,
  clusterIds: readonly string[],
  listed = Number.POSITIVE_INFINITY,
): Promise<string> => {
  files += 1
  const { hsms } = await sim.state()
  const clusters = clusterIds.map((clusterId) => ({
    type: 'hsm1',
    cluster: {
      cluster_id: clusterId,
      hsm_ca_file: '/opt/cloudhsm/etc/customerCA.crt',
      servers: hsms
        .filter((hsm) => hsm.clusterId === clusterId)
        .slice(0, listed)
        .map(({ eniIp }) => ({ hostname: eniIp, port: 2223, enable: true })),
    },
  }))
  const path = join(sim.dir, `cli-${process.pid}-${files}.cfg`)
  await writeFile(path, JSON.stringify({ clusters, logging: { log_type: 'file' } }))
  return path
}

/** What a program did. */
export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** The answer on standard output, null where there is none. */
  readonly answer: { readonly error_code: number; readonly data: unknown } | null
}

/** Runs a program without a terminal and waits for its end. */
export const runProgram = (
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): Promise<Ran> =>
  new Promise((resolve, reject) => {
    // Without a controlling terminal, wherever the tests run.
    const child = spawn(program, [...args], { env, detached: true, stdio: 'pipe' })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.on('error', reject)
    child.on('close', (code) => {
      const json = stdout.startsWith('{') ? (JSON.parse(stdout) as Ran['answer']) : null
      resolve({ code, stdout, stderr, answer: json })
    })
    child.stdin.end(input)
  })

/** A simulator whose CloudHSM CLI is typed at or run for single commands. */
export class CliBench {
  readonly #sessions: TypedSession[] = []

  constructor(
    readonly sim: RunningFleet,
    readonly config: string,
  ) {}

  /** One command in single command mode, as the officer unless told otherwise. */
  run(line: string, env: Readonly<Record<string, string>> = ADMIN): Promise<Ran> {
    return runProgram(this.sim.ready.cloudhsmCli, [...line.split(' '), '--config', this.config], env)
  }

  /** Interactive mode in a pseudo-terminal, at its first prompt. */
  async open(...args: readonly string[]): Promise<TypedSession> {
    const session = this.type('interactive', '--config', this.config, ...args)
    await session.expect(CLI_PROMPT)
    return session
  }

  /** The program in a pseudo-terminal, from its start. */
  type(...args: readonly string[]): TypedSession {
    const session = new TypedSession(this.sim.ready.cloudhsmCli, args, ADMIN)
    this.#sessions.push(session)
    return session
  }

  /** Which HSMs hold the password, cluster A before B. */
  async holding(user: string, password: string): Promise<(boolean | null)[]> {
    return (await this.sim.check(user, password)).hsms.map(({ match }) => match)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#sessions.splice(0).map((session) => session.kill()))
    await this.sim.stop()
  }
}

export const changeTo = (password: string, user = 'app_crypto', role = 'crypto-user'): string =>
  `user change-password --username ${user} --role ${role} --password ${password} --cluster-id ${A}`
export const replicate = (user = 'app_crypto', role = 'crypto-user', from = A, to = B): string =>
  `user replicate --username ${user} --role ${role} --source-cluster-id ${from} --destination-cluster-id ${to}`
