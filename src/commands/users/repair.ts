import { Flags } from '@oclif/core'
import type { SharedLockChoice } from '../../adapters/rotation-state.js'
import { exitCodes, paragraph } from '../../cli/exit-codes.js'
import { discoveryFlags, parseClusterRef, repeatable } from '../../cli/flags.js'
import { NO_STORE } from '../../cli/no-store.js'
import { readOfficers, resolveOfficers } from '../../cli/officers.js'
import { readPasswordFlag, resolvePasswords } from '../../cli/passwords.js'
import { type BeginPorts, RotationCommand } from '../../cli/rotation-command.js'
import { planFlags, REPAIR_STAGES, runFlags, runOptions, storeFlags, utilityFlags } from '../../cli/rotation-flags.js'
import { readTarget } from '../../cli/rotation-target.js'
import { refOf } from '../../domain/cluster.js'
import { usageError } from '../../domain/errors.js'
import type { UserKey } from '../../domain/hsm-user.js'
import { type ClusterId, type HsmId, isHsmId, type UnitId } from '../../domain/ids.js'
import type { Cell } from '../../domain/rotation/cell.js'
import type { RotationDocument } from '../../domain/rotation/outcome.js'
import { previewRepair, type RepairPreview, repairUsers } from '../../use-cases/rotation/open/repair.js'
import { type RepairWrite, repairWrites } from '../../use-cases/rotation/repair-writes.js'

/** What `--dry-run --json` prints. */
interface PreviewDocument {
  /** What users are copied from; null where CURRENT of the store is given. */
  readonly from: UnitId | null
  /** Whether logins show which HSMs hold it. */
  readonly proved: boolean
  readonly users: readonly UserKey[]
  readonly cells: readonly Cell[]
  readonly writes: readonly RepairWrite[]
}

export default class UsersRepair extends RotationCommand {
  static override summary = 'Give HSMs what another one holds, or what the store keeps as CURRENT.'
  static override description = `${paragraph(
    'For HSMs that fell out of step: that hold another password, or lack a user. With --from users are copied from an HSM',
    'or a cluster; what --password says it holds is compared and proved by logins, and without --password nothing is.',
    'With --to-current every HSM is brought to CURRENT of the store, and proved. HSMs that hold it are left alone. What',
    'would be written is shown before the question. Looking costs one failed login on each HSM that holds another password.',
  )}

${paragraph(
  'A repair has a journal: rotate status, resume and rollback work on it. What it overwrites nobody knows, so that it can',
  'be rolled back only from HSMs of the same cluster that it did not write.',
)}

${exitCodes({
  0: 'every HSM holds it, or was given it where nobody knows the password to prove it; with --dry-run: shown',
  1: 'unexpected failure; rotate status shows how things stand',
  2: 'a flag is wrong',
  3: 'declined, or refused for a fact found by asking; nothing has changed',
  4: 'paused; rotate resume goes on',
  5: 'another run works on one of the clusters, or is not finished there',
  6: 'completed with debt: HSMs that --allow-unreachable names stayed behind',
  130: 'interrupted before anything changed',
})}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> --source us-east-1/cluster-aaaaaaaaaaa --destination eu-west-1/cluster-bbbbbbbbbbb --user CU:app_crypto --to-current --store file:credentials.age --store-passphrase prompt --officer admin --officer-password prompt --dry-run',
    '<%= config.bin %> <%= command.id %> --source us-east-1/cluster-aaaaaaaaaaa --destination eu-west-1/cluster-bbbbbbbbbbb --user CU:app_crypto --from us-east-1/cluster-aaaaaaaaaaa --password prompt --officer admin --officer-password prompt',
    '<%= config.bin %> <%= command.id %> --source us-east-1/cluster-aaaaaaaaaaa --user CU:app_crypto --from hsm-abcdefghijk --officer admin --officer-password prompt',
  ]
  static override flags = {
    utility: planFlags.utility,
    source: Flags.string({ description: 'Cluster whose HSMs are looked at first.', helpValue: 'CLUSTER' }),
    destination: Flags.string({
      description: 'Another cluster of the family that takes part; may be given several times.',
      helpValue: 'CLUSTER',
      ...repeatable,
    }),
    user: Flags.string({
      description: 'User to repair, e.g. CU:app_crypto; may be given several times.',
      helpValue: 'CU:NAME',
      ...repeatable,
    }),
    from: Flags.string({ description: 'HSM or cluster that users are copied from.', helpValue: 'HSM|CLUSTER' }),
    password: Flags.string({
      description: 'What --from holds, for every user or per user; compared and proved by logins.',
      helpValue: '[USER=]SECRET',
      ...repeatable,
    }),
    'to-current': Flags.boolean({ description: 'Bring every HSM to CURRENT of the store.' }),
    'dry-run': Flags.boolean({ description: 'Show who holds what and what would be written, and stop.' }),
    'accept-unproven-clone': planFlags['accept-unproven-clone'],
    'allow-kmsuser': planFlags['allow-kmsuser'],
    'lockout-limit': planFlags['lockout-limit'],
    config: Flags.string({ description: 'Merged configuration to use instead of a generated one.', helpValue: 'FILE' }),
    lock: runFlags.lock,
    officer: runFlags.officer,
    'officer-password': runFlags['officer-password'],
    'retry-officer': runFlags['retry-officer'],
    'pause-before': runFlags['pause-before'],
    'wait-for-drain': runFlags['wait-for-drain'],
    'allow-unreachable': runFlags['allow-unreachable'],
    reason: runFlags.reason,
    'accept-new-serials': runFlags['accept-new-serials'],
    'before-change': runFlags['before-change'],
    'after-finalize': runFlags['after-finalize'],
    yes: Flags.boolean({ description: 'Answer the question before the first write with yes.', char: 'y' }),
    ...storeFlags,
    ...utilityFlags,
    ...discoveryFlags,
  }

  async run(): Promise<RotationDocument | PreviewDocument> {
    const { flags } = await this.parse(UsersRepair)
    const from = readOrigin(flags)
    const options = runOptions(flags, REPAIR_STAGES)
    const lockForm = this.lockForm(flags)
    const target = await readTarget(flags, null, this.wiring, { wholeFamily: false })
    refuseForeignOrigin(from, [target.request.source, ...target.request.destinations])
    const said = readPasswordFlag('--password', flags.password)
    const officers = readOfficers(flags, [target.request.source, ...target.request.destinations])
    const secrets = await this.wiring.secrets()
    const officerOf = await resolveOfficers(officers, secrets)
    const store = from === null ? await this.openStore(flags, secrets, { write: false }) : NO_STORE
    if (from !== null && flags.store !== undefined) this.note('--store is not used: --from copies what an HSM holds')
    const passwords = await resolvePasswords(said, target.users, secrets)
    const { chosen, config } = await this.find(target, flags.config)
    if (!flags['dry-run']) this.noteLocalLock(lockForm, 'repair')
    const request = {
      chosen,
      users: target.users,
      rules: { lockoutLimit: flags['lockout-limit'], allowKmsuser: flags['allow-kmsuser'] },
      options,
      from,
      passwords,
      retryOfficer: flags['retry-officer'],
      config,
    }
    const ports = {
      console: await this.console(flags, config, chosen.roster),
      officerOf,
      lockoutLimit: flags['lockout-limit'],
      concurrency: flags.concurrency,
      store,
      hooks: await this.hooks(flags),
      operator: await this.wiring.operator(flags.yes),
      discover: this.discoverAgain(target.scope, [chosen.source, ...chosen.destinations].map(refOf)),
    }
    const lock = this.sharedLock(lockForm, flags, config.utility)
    if (flags['dry-run']) {
      return this.preview(lock, (begun) => previewRepair(request, { ...ports, ...begun, showRepair: async () => {} }))
    }
    return this.begin(lock, ({ settle, ...begun }) =>
      repairUsers(request, {
        ...ports,
        ...begun,
        showRepair: async (preview) => {
          await settle()
          await this.showPreview(preview)
        },
      }),
    )
  }

  private async preview(
    lock: SharedLockChoice | undefined,
    look: (ports: Omit<BeginPorts, 'settle'>) => Promise<RepairPreview>,
  ): Promise<PreviewDocument> {
    const { plainView } = await import('../../adapters/terminal/progress.js')
    const stop = await this.listenToLeave(() => null)
    try {
      const preview = await look({
        ...(await this.wiring.rotationPorts(lock, (text) => this.note(text))),
        stop,
        progress: plainView((line) => this.note(line)).progress,
        who: this.who(),
        version: this.config.version,
      })
      await this.showPreview(preview)
      const { plan, from, isProved, cells } = preview
      return { from, proved: isProved, users: plan.users.map(({ key }) => key), cells, writes: repairWrites(preview) }
    } finally {
      stop.release()
    }
  }

  private async showPreview(preview: RepairPreview): Promise<void> {
    const { renderRepair } = await import('../../cli/views/repair.js')
    this.note(renderRepair(preview))
  }
}

/**
 * A cluster that is not named is none of the repair's; of an HSM only AWS knows where it is.
 * @throws {OperatorError} `UNKNOWN_HSM` (exit 2)
 */
const refuseForeignOrigin = (
  from: HsmId | ClusterId | null,
  clusters: readonly { readonly clusterId: ClusterId }[],
): void => {
  if (from === null || isHsmId(from) || clusters.some(({ clusterId }) => clusterId === from)) return
  throw usageError('UNKNOWN_HSM', `--from names ${from}, which is no HSM or cluster of this repair`, [
    `clusters: ${clusters.map(({ clusterId }) => clusterId).join(', ')}`,
  ])
}

interface OriginFlagValues {
  readonly from?: string | undefined
  readonly password?: readonly string[] | undefined
  readonly 'to-current': boolean
}

/**
 * What the HSMs are to hold: what an HSM or a cluster holds, or null for CURRENT of the store.
 * @throws {OperatorError} `ORIGIN_MISSING`, `TWO_ORIGINS`, `PASSWORD_OF_NOBODY`, `BAD_ORIGIN` (exit 2)
 */
const readOrigin = (flags: OriginFlagValues): HsmId | ClusterId | null => {
  const { from, password = [], 'to-current': toCurrent } = flags
  if (from === undefined && !toCurrent) {
    throw usageError('ORIGIN_MISSING', 'neither --from nor --to-current says what the HSMs are to hold', [
      '--from HSM   copies users from an HSM or a cluster that is right; --password prompt proves it',
      '--to-current --store STORE   gives what the store keeps as CURRENT',
    ])
  }
  if (from !== undefined && toCurrent) {
    throw usageError(
      'TWO_ORIGINS',
      '--from and --to-current each say what the HSMs are to hold; only one of them can',
      [
        '--from HSM   without --to-current, to copy what that HSM holds',
        '--to-current --store STORE   without --from, to give what the store keeps as CURRENT',
      ],
    )
  }
  if (from === undefined) {
    if (password.length === 0) return null
    throw usageError('PASSWORD_OF_NOBODY', '--password says what --from holds; with --to-current the store says it', [
      'leave --password out',
      '--from HSM --password prompt   without --to-current',
    ])
  }
  if (isHsmId(from)) return from
  try {
    return parseClusterRef(from).clusterId
  } catch {
    throw usageError('BAD_ORIGIN', `--from "${from}" names neither an HSM nor a cluster`, [
      '--from hsm-abcdefghijk',
      '--from eu-west-1/cluster-abcdefghijk',
      'lockstep clusters list --json',
    ])
  }
}
