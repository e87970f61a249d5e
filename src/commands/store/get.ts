import { Flags } from '@oclif/core'
import { exitCodes } from '../../cli/exit-codes.js'
import { RotationCommand } from '../../cli/rotation-command.js'
import { requireFlag, storeFlags } from '../../cli/rotation-flags.js'
import { type CredentialStage, credentialOf } from '../../domain/credential-store.js'
import { refusal } from '../../domain/errors.js'
import { parseHandOverForm } from '../../domain/hand-over-form.js'
import { type UserKey, userKey } from '../../domain/hsm-user.js'
import { parseUserRef } from '../../domain/hsm-user-text.js'
import type { RotationId } from '../../domain/ids.js'

interface HandedOver {
  readonly user: UserKey
  readonly stage: CredentialStage
  /** The rotation that last wrote this version; null for credentials that were proved before any. */
  readonly rotationId: RotationId | null
  readonly to: string
}

const STAGES: readonly CredentialStage[] = ['pending', 'current', 'previous']

export default class StoreGet extends RotationCommand {
  static override summary = 'Hand one credential out of the store to a file or a command.'
  static override description =
    `Never to the screen. A file gets mode 0600 and holds the credential alone, without a line end; a command gets it on
its standard input. PENDING is what a rotation is giving out, CURRENT is in force, PREVIOUS was in force before.

${exitCodes({
  0: 'handed over',
  2: 'a flag is wrong',
  3: 'the store does not hold it, or it could not be handed over',
})}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> --store secretsmanager:hsm/payments --user CU:app_crypto --stage current --to file:/run/app/hsm-password',
    "<%= config.bin %> <%= command.id %> --store file:credentials.age --store-passphrase prompt --user CU:app_crypto --stage pending --to 'command:vault kv put secret/hsm password=-'",
  ]
  static override flags = {
    user: Flags.string({ description: 'Whose credential.', helpValue: 'CU:NAME' }),
    stage: Flags.string({ description: 'Which one.', options: [...STAGES] }),
    to: Flags.string({ description: 'Where to.', helpValue: 'file:PATH|command:CMD' }),
    force: Flags.boolean({ description: 'Replace the file where it is there already.' }),
    ...storeFlags,
  }

  async run(): Promise<HandedOver> {
    const { flags } = await this.parse(StoreGet)
    const user = parseUserRef(requireFlag(flags.user, '--user', '--user CU:app_crypto'))
    const stage = requireFlag(flags.stage, '--stage', '--stage current') as CredentialStage
    const to = requireFlag(flags.to, '--to', '--to file:PATH')
    const form = parseHandOverForm(to)
    const store = await this.openStore(flags, await this.wiring.secrets(), { write: false })
    const version = await store.read(stage)
    const secret = credentialOf(version, user)
    if (version === null || secret === undefined) {
      const known = [...(version?.users.keys() ?? [])]
      throw refusal('NOT_IN_STORE', `${store.description} holds no ${stage} credential of ${userKey(user)}`, [
        known.length === 0 ? `it holds no ${stage} credential at all` : `it holds those of ${known.join(', ')}`,
      ])
    }
    await this.wiring.handOver(form, secret, flags.force)
    if (!this.jsonEnabled()) this.note(`the ${stage} credential of ${userKey(user)} was handed to ${to}`)
    return { user: userKey(user), stage, rotationId: version.rotationId, to }
  }
}
