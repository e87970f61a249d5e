import { Flags } from '@oclif/core'
import { exitCodes } from '../../cli/exit-codes.js'
import { RotationCommand } from '../../cli/rotation-command.js'
import { lockFlags, parseRotationId } from '../../cli/rotation-flags.js'
import type { LockFinder } from '../../domain/cluster-lock.js'
import { usageError } from '../../domain/errors.js'
import type { ClusterId, RotationId } from '../../domain/ids.js'
import { lockedRotations } from '../../use-cases/rotation/rotation-holder.js'
import { unlockRotation } from '../../use-cases/rotation/unlock-rotation.js'

interface Unlocked {
  readonly rotationId: RotationId
  readonly removed: readonly ClusterId[]
}

export default class RotateUnlock extends RotationCommand {
  static override summary = 'Remove the locks that a rotation left behind.'
  static override description =
    `Seldom needed: resume and rollback take over the locks of a process that is certainly gone. Refused while the holder
runs. Where it ran on another machine that gives no sign of life, you are asked whether it is gone.

${exitCodes({
  0: 'removed, or the rotation that --rotation names holds none',
  2: 'a flag is wrong, or --rotation is missing',
  3: 'declined; no lock was removed',
  5: 'the holder runs',
})}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> --rotation r-20260301-031500-k7q2',
    '<%= config.bin %> <%= command.id %> --rotation r-20260301-031500-k7q2 --lock dynamodb:hsm-rotations --yes',
  ]
  static override flags = {
    rotation: Flags.string({ description: 'Which rotation.', helpValue: 'ID' }),
    ...lockFlags,
    yes: Flags.boolean({ description: 'Yes, holders on other machines are certainly gone.', char: 'y' }),
  }

  async run(): Promise<Unlocked> {
    const { flags } = await this.parse(RotateUnlock)
    const lockForm = this.lockForm(flags)
    const named = flags.rotation === undefined ? null : parseRotationId(flags.rotation)
    const locks = await this.wiring.lockFinder(this.sharedLock(lockForm, {}, 'cmu'), (text) => this.note(text))
    const rotationId = named ?? (await this.whichIsMeant(locks))
    const removed = await unlockRotation(rotationId, locks, await this.wiring.operator(flags.yes))
    if (!this.jsonEnabled()) {
      this.log(removed.length === 0 ? `${rotationId} holds no lock` : `unlocked: ${removed.join(', ')}`)
    }
    return { rotationId, removed }
  }

  /** @throws {OperatorError} `FLAG_MISSING` (exit 2), naming the rotations that it can be */
  private async whichIsMeant(locks: LockFinder): Promise<never> {
    const locked = await lockedRotations(await this.wiring.journals(), locks)
    throw usageError(
      'FLAG_MISSING',
      `--rotation is missing${locked.length === 0 ? ', and no rotation known here holds a lock' : ''}`,
      locked.length === 0 ? ['lockstep rotate list'] : locked.map((rotationId) => `--rotation ${rotationId}`),
    )
  }
}
