import { Flags } from '@oclif/core'
import { BaseCommand } from '../../cli/base-command.js'
import { exitCodes } from '../../cli/exit-codes.js'
import { parseRotationId } from '../../cli/rotation-flags.js'
import type { UserKey } from '../../domain/hsm-user.js'
import type { ClusterId, RotationId } from '../../domain/ids.js'
import { followRotation } from '../../domain/rotation/follow-rotation.js'
import type { JournalEntry } from '../../domain/rotation/journal-entry.js'
import { describeAction } from '../../domain/rotation/last-action.js'
import type { RotationLedger } from '../../domain/rotation/ledger.js'
import { exitCodeFor, type RotationDocument, rotationDocument } from '../../domain/rotation/outcome.js'
import { rotationOf } from '../../domain/rotation/rotation.js'
import { newestRotation, type OwedElsewhere, owedBeside } from '../../use-cases/rotation/find-rotation.js'
import { goneOnSince } from '../../use-cases/rotation/open/superseded.js'
import { holdersOf, type RotationHolder } from '../../use-cases/rotation/rotation-holder.js'

type ShownHolder = Omit<RotationHolder, 'runs'>

/** The document of the rotation, and who works on it right now. */
interface StatusDocument extends RotationDocument {
  readonly holder: ShownHolder | null
  /** Whose process was killed or crashed while it worked on it, so that it is not finished. */
  readonly holderGone: ShownHolder | null
  /** What other rotations still owe; only where no rotation was asked for by name. */
  readonly owedElsewhere?: readonly OwedElsewhere[]
  /** Why what it owes can only be given by a newer run, and by which; absent where that is not so. */
  readonly superseded?: RotationDocument['error']
  /** What newer runs have given its users since; absent where there is nothing of it. */
  readonly newer?: readonly { readonly rotationId: RotationId; readonly user: UserKey; readonly clusterId: ClusterId }[]
}

export default class RotateStatus extends BaseCommand {
  static override summary = 'Show which HSM holds which credential, as a rotation left it.'
  static override description =
    `Reads the journal and the locks of this machine; no HSM is asked. Without --rotation it is the newest one, and what
older ones still owe is named with it.

${exitCodes({
  0: 'completed, or rolled back',
  3: 'no such rotation',
  4: 'not finished; resume goes on with it, unless a process works on it',
  6: 'completed with debt, or rolled back with debt or with cells that nobody could prove',
})}`
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --rotation r-20260301-031500-k7q2 --json',
  ]
  static override flags = {
    rotation: Flags.string({ description: 'Which rotation.', helpValue: 'ID' }),
  }

  async run(): Promise<StatusDocument> {
    const { flags } = await this.parse(RotateStatus)
    const shelf = await this.wiring.journals()
    const rotationId = flags.rotation === undefined ? await newestRotation(shelf) : parseRotationId(flags.rotation)
    // The locks first: a run that ends in between has written its end into the journal before it let them go.
    const { holder, gone } = await holdersOf(await this.wiring.lockFinder(), rotationId)
    const { ledger, torn, last } = await followRotation(shelf, rotationId)
    const document = rotationDocument(rotationOf(ledger))
    const heldBy = document.outcome === 'paused' ? holder : null
    if (!this.jsonEnabled()) {
      const { renderRotation } = await import('../../cli/views/rotation.js')
      this.log(renderRotation(document, heldBy === null ? document.outcome : 'under way'))
    }
    if (torn && heldBy === null)
      this.note('the last line of the journal was cut off while it was written; what it announced was not begun')
    const since = document.outcome === 'paused' ? null : await goneOnSince(ledger, shelf)
    const newer = (since?.newer ?? []).map(({ by: rotationId, user, clusterId }) => ({ rotationId, user, clusterId }))
    const superseded = since?.why == null ? null : this.describe(since.why)
    const leftBy = document.outcome === 'paused' ? gone : null
    if (newer.length > 0 && !this.jsonEnabled()) {
      const { renderNewer } = await import('../../cli/views/rotation.js')
      this.note(renderNewer(newer))
    }
    if (!this.jsonEnabled()) await this.sayHowItGoesOn(document, ledger, { heldBy, leftBy, superseded }, last)
    process.exitCode = exitCodeFor(document)
    const stated = {
      ...document,
      holder: shown(holder),
      holderGone: shown(leftBy),
      ...(newer.length === 0 ? {} : { newer }),
      ...(superseded === null ? {} : { superseded }),
    }
    if (flags.rotation !== undefined) return stated
    const owedElsewhere = await owedBeside(shelf, rotationId)
    if (owedElsewhere.length > 0 && !this.jsonEnabled()) {
      const { renderOwed } = await import('../../cli/views/rotation.js')
      this.note(renderOwed(owedElsewhere))
    }
    return { ...stated, owedElsewhere }
  }

  private async sayHowItGoesOn(
    document: RotationDocument,
    ledger: RotationLedger,
    {
      heldBy,
      leftBy,
      superseded,
    }: {
      readonly heldBy: RotationHolder | null
      readonly leftBy: RotationHolder | null
      readonly superseded: RotationDocument['error'] | null
    },
    last: JournalEntry,
  ): Promise<void> {
    const [{ renderHolder, renderPause }, { rollbackOutlook }] = await Promise.all([
      import('../../cli/views/rotation.js'),
      import('../../use-cases/rotation/open/rollback-outlook.js'),
    ])
    const words =
      heldBy === null
        ? renderPause(document, rollbackOutlook(ledger), leftBy, superseded)
        : renderHolder(document, heldBy, describeAction(last))
    if (words !== null) this.note(words)
  }
}

const shown = (holder: RotationHolder | null): ShownHolder | null => {
  if (holder === null) return null
  const { user, host, pid, since } = holder
  return { user, host, pid, since }
}
