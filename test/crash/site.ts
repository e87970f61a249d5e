import { spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import type { JournalEntry } from '../../src/domain/rotation/journal-entry.js'
import type { RotationDocument } from '../../src/domain/rotation/outcome.js'
import { askCheck, askFault, askState } from '../../src/simulator/control-client.js'
import type { FaultOptions } from '../../src/simulator/faults/catalogue.js'
import { type FleetMemory, type RunningSimulator, runSimulator } from '../../src/simulator/server/run-simulator.js'
import type { Boundary } from './boundary.js'
import { type Command, wordsOf } from './command.js'
import {
  DRIFTED_PASSWORD,
  fleetOf,
  NEW_PASSWORD,
  OFFICER_PASSWORD,
  OLD_PASSWORD,
  regionsOf,
  type Variant,
} from './variant.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const CRASH_AT = join(ROOT, 'test/support/crash-at.mjs')
const HUNG_AFTER_MS = 60_000
const PASSWORDS = [
  ['old', OLD_PASSWORD],
  ['new', NEW_PASSWORD],
  ['drifted', DRIFTED_PASSWORD],
] as const

/** How one call of the program ended. */
export interface Call {
  /** Null when it was killed. */
  readonly exitCode: number | null
  readonly document: Partial<RotationDocument> | null
  readonly stderr: string
}

/** What an HSM holds of a user: which of the passwords there are, or no such user. */
export type Word = 'old' | 'new' | 'drifted' | 'absent' | 'something else'

/** What all of them hold, by `user on HSM`. */
export type Holdings = ReadonlyMap<string, Word>

/** What the HSMs held and the operator's machine kept at one moment. */
export interface Moment {
  readonly fleet: FleetMemory
  readonly folder: string
}

/** One fleet and one operator's machine; gone after `close`. */
export class Site {
  readonly #variant: Variant
  readonly #home: string
  readonly #simulator: RunningSimulator
  readonly #identity: string
  readonly #recipient: string
  /** Where the program keeps its state and the store. */
  readonly #desk: string
  #moments = 0

  private constructor(
    variant: Variant,
    home: string,
    simulator: RunningSimulator,
    keys: { readonly identity: string; readonly recipient: string },
  ) {
    this.#variant = variant
    this.#home = home
    this.#desk = join(home, 'desk')
    this.#simulator = simulator
    this.#identity = keys.identity
    this.#recipient = keys.recipient
  }

  static async open(variant: Variant): Promise<Site> {
    const home = await mkdtemp(join(tmpdir(), 'lockstep-crash-'))
    const simulator = await runSimulator(fleetOf(variant), join(home, 'sim'))
    await Promise.all([mkdir(join(home, 'desk')), mkdir(join(home, 'temp'))])
    const identity = await generateX25519Identity()
    return new Site(variant, home, simulator, { identity, recipient: await identityToRecipient(identity) })
  }

  async close(): Promise<void> {
    await this.#simulator.stop()
    await rm(this.#home, { recursive: true, force: true })
  }

  /** Remembers how everything is now. */
  async remember(): Promise<Moment> {
    this.#moments += 1
    const folder = join(this.#home, `moment-${this.#moments}`)
    await cp(this.#desk, folder, { recursive: true })
    return { fleet: this.#simulator.remember(), folder }
  }

  /** Makes everything as it was then. */
  async restore({ fleet, folder }: Moment): Promise<void> {
    this.#simulator.restore(fleet)
    await rm(this.#desk, { recursive: true, force: true })
    await cp(folder, this.#desk, { recursive: true })
  }

  /** Whether the HSMs and what is kept are as they were then; locks come and go. */
  async isAs({ fleet, folder }: Moment): Promise<boolean> {
    if (!isDeepStrictEqual(this.#simulator.remember(), fleet)) return false
    const [now, then] = await Promise.all([filesIn(this.#desk), filesIn(folder)])
    return isDeepStrictEqual(now, then)
  }

  /** Forgets a moment. */
  async forget({ folder }: Moment): Promise<void> {
    await rm(folder, { recursive: true, force: true })
  }

  /** Calls the program, killed at a boundary of the journal where one is given. */
  async call(command: Command, options: { readonly crashAt?: Boundary; readonly more?: readonly string[] } = {}) {
    const { crashAt, more = [] } = options
    const store = ['--store', `file:${join(this.#desk, 'store.age')}`, '--store-recipient', this.#recipient]
    const officer = ['--officer', 'admin', '--officer-password', 'env:OFFICER']
    return this.#run(
      [
        ...(crashAt === undefined ? [] : ['--import', CRASH_AT]),
        ...[
          join(ROOT, 'bin/run.js'),
          ...wordsOf(this.#variant, command),
          ...officer,
          ...store,
          '--store-identity',
          'env:KEY',
        ],
        ...[...more, '--json'],
      ],
      crashAt === undefined ? {} : { CRASH_AT: `${crashAt.kind} ${crashAt.line}` },
    )
  }

  /** What brings HSMs out of step befalls them. */
  async fallOutOfStep(): Promise<void> {
    const { users, outOfStep } = this.#variant
    const { hsms } = await askState(join(this.#home, 'sim'))
    const idsOf = (places: readonly number[]) => places.flatMap((place) => hsms[place]?.hsmId ?? [])
    const strike = (kind: 'set-password' | 'missing-user', places: readonly number[], options: FaultOptions) =>
      askFault(join(this.#home, 'sim'), { kind, off: false, hsms: idsOf(places), options })
    for (const name of users) {
      const user = `CU:${name}`
      // No HSM at all would mean every one.
      if (outOfStep.drifted.length > 0) {
        await strike('set-password', outOfStep.drifted, { user, password: DRIFTED_PASSWORD })
      }
      if (outOfStep.lacking.length > 0) await strike('missing-user', outOfStep.lacking, { user })
    }
  }

  /** The whole lines of the journal, or none where nothing was begun. Read without the program. */
  async journal(): Promise<readonly JournalEntry[]> {
    const folder = join(this.#desk, 'state/rotations')
    const names = await readdir(folder).catch(() => [])
    const newest = names.sort().at(-1)
    if (newest === undefined) return []
    const text = await readFile(join(folder, newest), 'utf8')
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as JournalEntry)
  }

  /** What the HSMs really hold. */
  async held(): Promise<Holdings> {
    const held = new Map<string, Word>()
    for (const name of this.#variant.users) {
      for (const [word, password] of PASSWORDS) {
        const { hsms } = await askCheck(join(this.#home, 'sim'), { type: 'CU', name }, password)
        for (const { hsmId, match } of hsms) {
          const cell = `CU:${name} on ${hsmId}`
          if (match === null) held.set(cell, 'absent')
          else if (match) held.set(cell, word)
          else if (!held.has(cell)) held.set(cell, 'something else')
        }
      }
    }
    return held
  }

  /** Users that are locked on an HSM, which no kill may lead to. */
  async lockedUsers(): Promise<readonly string[]> {
    const { hsms } = await askState(join(this.#home, 'sim'))
    return hsms.flatMap(({ hsmId, users }) =>
      users.filter((user) => user.locked).map(({ name }) => `${name} is locked on ${hsmId}`),
    )
  }

  /** Locks of clusters that somebody left. */
  async leftLocks(): Promise<readonly string[]> {
    const names = await readdir(join(this.#desk, 'state/locks')).catch(() => [])
    return names.filter((name) => name.endsWith('.lock')).map((name) => `${name} was left`)
  }

  #run(args: readonly string[], more: Readonly<Record<string, string>>): Promise<Call> {
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: HUNG_AFTER_MS,
      killSignal: 'SIGABRT',
      env: {
        PATH: process.env['PATH'],
        ...this.#simulator.ready.env,
        // A process that is killed removes nothing.
        TMPDIR: join(this.#home, 'temp'),
        LOCKSTEP_STATE_DIR: join(this.#desk, 'state'),
        // Where the clusters are is said, and nobody looks anywhere else.
        LOCKSTEP_REGIONS: regionsOf(this.#variant).join(),
        OFFICER: OFFICER_PASSWORD,
        OLD: OLD_PASSWORD,
        NEW: NEW_PASSWORD,
        KEY: this.#identity,
        ...more,
      },
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk
    })
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (exitCode, signal) => {
        if (signal !== null && signal !== 'SIGKILL') reject(new Error(`hung: ${args.join(' ')}\n${stderr}`))
        else resolve({ exitCode, document: parse(stdout), stderr })
      })
    })
  }
}

/** What every file below a folder holds, by its path, but for locks. */
const filesIn = async (folder: string): Promise<ReadonlyMap<string, string>> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.lock'))
  const read = async ({ parentPath, name }: (typeof files)[number]) => {
    const path = join(parentPath, name)
    return [path.slice(folder.length), (await readFile(path)).toString('base64')] as const
  }
  return new Map((await Promise.all(files.map(read))).sort(([a], [b]) => a.localeCompare(b)))
}

const parse = (text: string): Partial<RotationDocument> | null => {
  try {
    return JSON.parse(text) as Partial<RotationDocument>
  } catch {
    return null
  }
}
