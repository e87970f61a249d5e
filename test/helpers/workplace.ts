import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { openCredentialStore } from '../../src/adapters/credential-store/open-credential-store.js'
import type { CredentialStage, CredentialVersion } from '../../src/domain/credential-store.js'
import { Secret } from '../../src/domain/secret.js'
import type { Truth } from '../../src/simulator/server/truth.js'
import { type Ended, type LockstepOptions, lockstep } from './lockstep.js'
import { OFFICER_PASSWORD, OLD_BATCH_PASSWORD, OLD_PASSWORD, type SingleFamily, type TestFamily } from './payments.js'
import type { RunningFleet } from './simulator.js'

export const NEW_PASSWORD = 'TEST-new-1'

/** A folder from which one operator works on one family: state directory, temporary folder, store and environment. */
export interface Workplace {
  readonly folder: string
  readonly stateDir: string
  /** What the program leaves in it is a leak. */
  readonly tempDir: string
  readonly storePath: string
  /** Flags that name and open the store. */
  readonly storeFlags: readonly string[]
  /** Flags that name officer and store, as `resume` and `rollback` want them. */
  readonly againFlags: readonly string[]
  /** Flags that name the clusters. */
  readonly clusterFlags: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Writes a file into the folder, which is also where the program runs. @returns its path */
  write(name: string, text: string): Promise<string>
  /** Any command. */
  run(args: readonly string[], options?: LockstepOptions): Promise<Ended>
  /** `rotate start` of `CU:app_crypto` to `NEW_PASSWORD`, with `--yes --json` and what is given here. */
  start(args?: readonly string[], options?: LockstepOptions): Promise<Ended>
  /** `rotate resume --most-recent --json` with officer and store. */
  resume(args?: readonly string[], options?: LockstepOptions): Promise<Ended>
  rollback(args?: readonly string[], options?: LockstepOptions): Promise<Ended>
  /** `users repair` of `CU:app_crypto` with officer, `--yes --json`, and the store for `--to-current`. */
  repair(args: readonly string[], options?: LockstepOptions): Promise<Ended>
  /** `rotate status --json`. */
  status(args?: readonly string[]): Promise<Ended>
  /** What the HSMs of this family really hold, in the order of the roster. */
  truth(options?: { readonly counters?: boolean }): Promise<Truth['hsms']>
  /** IDs of the source's HSMs and of the destination's, in the order of the roster. */
  hsmIds(): Promise<{ readonly source: readonly string[]; readonly destination: readonly string[] }>
  /** Per HSM of this family, in the order of the roster, whether it holds the password. */
  holds(user: string, password: string): Promise<readonly (boolean | null)[]>
  stored(stage: CredentialStage): Promise<CredentialVersion | null>
  /** What was begun: journals, whether the store's file exists, locks. */
  kept(): Promise<{ readonly rotations: string[]; readonly store: boolean; readonly locks: string[] }>
  remove(): Promise<void>
}

/**
 * @param fleet where the family's HSMs are
 * @param acceptsNoWayBack whether every start that knows no current password goes on where there are only two units,
 * which `--yes` does not cover
 */
export const workplace = async (
  fleet: RunningFleet,
  family: TestFamily | SingleFamily,
  acceptsNoWayBack = false,
): Promise<Workplace> => {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-e2e-'))
  const [stateDir, tempDir] = [join(folder, 'state'), join(folder, 'temp')]
  await mkdir(tempDir)
  const identity = await generateIdentity()
  const recipient = await identityToRecipient(identity)
  const storePath = join(folder, 'credentials.age')
  const { destination, third }: Partial<TestFamily> = family
  const destinations = [destination, third].filter((ref) => ref !== undefined)
  const clusterIds = [family.source, ...destinations].map((ref) => ref.split('/')[1] ?? '')
  const env = {
    ...fleet.env,
    HOME: folder,
    TMPDIR: tempDir,
    LOCKSTEP_STATE_DIR: stateDir,
    OFFICER: OFFICER_PASSWORD,
    NEW: NEW_PASSWORD,
    OLD: OLD_PASSWORD,
    OLD_BATCH: OLD_BATCH_PASSWORD,
    STORE_KEY: identity,
  }
  const storeFlags = [`--store=file:${storePath}`, `--store-recipient=${recipient}`, '--store-identity=env:STORE_KEY']
  const againFlags = ['--officer=admin', '--officer-password=env:OFFICER', ...storeFlags]
  const clusterFlags = [
    `--source=${family.source}`,
    ...destinations.map((ref) => `--destination=${ref}`),
    ...[family.source, ...destinations].map((ref) => `--region=${ref.split('/')[0]}`),
  ]
  const run = (args: readonly string[], options: LockstepOptions = {}) =>
    lockstep(args, { cwd: folder, ...options, env: { ...env, ...options.env } })
  const named = (args: readonly string[], flag: string) =>
    args.some((arg) => arg === flag || arg.startsWith(`${flag}=`))
  /** Those that are not given here. */
  const again = (args: readonly string[]) => unnamed(againFlags, args)
  const unnamed = (flags: readonly string[], args: readonly string[]) =>
    flags.filter((flag) => !named(args, flag.split('=')[0] ?? ''))
  // As in the merged configuration: source first, then by HSM ID.
  const ofFamily = <T extends { readonly clusterId: string; readonly hsmId: string }>(hsms: readonly T[]): T[] =>
    clusterIds.flatMap((id) =>
      hsms.filter(({ clusterId }) => clusterId === id).sort((a, b) => a.hsmId.localeCompare(b.hsmId)),
    )
  const truth = async (options = {}) => ofFamily((await fleet.state(options)).hsms)
  return {
    folder,
    stateDir,
    tempDir,
    storePath,
    storeFlags,
    againFlags,
    clusterFlags,
    env,
    write: async (name, text) => {
      await writeFile(join(folder, name), text)
      return join(folder, name)
    },
    run,
    start: (args = [], options) =>
      run(
        [
          'rotate',
          'start',
          ...(named(args, '--plan') ? [] : unnamed(clusterFlags, args)),
          ...(named(args, '--user') || named(args, '--plan') ? [] : ['--user=CU:app_crypto']),
          ...(named(args, '--new-password') ? [] : ['--new-password=env:NEW']),
          ...again(args),
          ...(acceptsNoWayBack && !named(args, '--current-password') ? ['--accept-no-way-back'] : []),
          '--yes',
          '--json',
          ...args,
        ],
        options,
      ),
    resume: (args = [], options) =>
      run(['rotate', 'resume', '--most-recent', ...again(args), '--json', ...args], options),
    rollback: (args = [], options) =>
      run(['rotate', 'rollback', '--most-recent', ...again(args), '--json', ...args], options),
    repair: (args, options) =>
      run(
        [
          'users',
          'repair',
          ...unnamed(clusterFlags, args),
          ...(named(args, '--user') ? [] : ['--user=CU:app_crypto']),
          ...unnamed(named(args, '--to-current') ? againFlags : againFlags.slice(0, 2), args),
          '--yes',
          '--json',
          ...args,
        ],
        options,
      ),
    status: (args = []) => run(['rotate', 'status', '--json', ...args]),
    truth,
    hsmIds: async () => {
      const hsms = await truth()
      const of = (index: number) => hsms.filter((hsm) => hsm.clusterId === clusterIds[index]).map(({ hsmId }) => hsmId)
      return { source: of(0), destination: of(1) }
    },
    holds: async (user, password) => ofFamily((await fleet.check(user, password)).hsms).map(({ match }) => match),
    stored: async (stage) => {
      const keys = { recipients: [recipient], identity: new Secret(identity) }
      return (await openCredentialStore(`file:${storePath}`, keys)).read(stage)
    },
    kept: async () => ({
      rotations: await filesIn(join(stateDir, 'rotations')),
      store: (await filesIn(folder)).includes('credentials.age'),
      locks: await filesIn(join(stateDir, 'locks')),
    }),
    remove: async () => {
      const left = await readdir(tempDir)
      await rm(folder, { recursive: true, force: true })
      if (left.length > 0) throw new Error(`the program left ${left.join(', ')} in its temporary folder`)
    },
  }
}

const filesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => [])
