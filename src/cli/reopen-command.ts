import { Flags } from '@oclif/core'
import { usageError } from '../domain/errors.js'
import type { RotationId } from '../domain/ids.js'
import type { RotationDocument } from '../domain/rotation/outcome.js'
import { ledgerOf, type Rotation } from '../domain/rotation/rotation.js'
import { newestRotation } from '../use-cases/rotation/find-rotation.js'
import type { ReopenPorts, ReopenRequest } from '../use-cases/rotation/reopen-rotation.js'
import { discoveryFlags, discoveryScope } from './flags.js'
import { readOfficers, resolveOfficers } from './officers.js'
import { readPasswordFlag, resolvePasswords } from './passwords.js'
import { RotationCommand } from './rotation-command.js'
import {
  parseRotationId,
  planFlags,
  runFlags,
  runOptions,
  silenceLimits,
  storeFlags,
  utilityFlags,
} from './rotation-flags.js'
import { refOf } from './rotation-target.js'

const { yes: _, ...againFlags } = runFlags

/** Flags of `rotate resume` and `rotate rollback`. */
export const reopenFlags = {
  rotation: Flags.string({ description: 'Which rotation.', helpValue: 'ID', exclusive: ['most-recent'] }),
  'most-recent': Flags.boolean({ description: 'The newest rotation on this machine.' }),
  ...againFlags,
  'lockout-limit': planFlags['lockout-limit'],
  'new-password': Flags.string({
    description: 'New password once more, where the rotation stopped before the store held it.',
    helpValue: '[USER=]SECRET|generate',
    multiple: true,
    multipleNonGreedy: true,
  }),
  ...storeFlags,
  ...utilityFlags,
  ...discoveryFlags,
}

type ReopenFlagValues = Awaited<ReturnType<ReopenCommand['parseReopen']>>

/** What `rotate resume` and `rotate rollback` share: they differ in the direction alone. */
export abstract class ReopenCommand extends RotationCommand {
  protected async parseReopen() {
    const { flags } = await this.parse({ flags: reopenFlags, enableJsonFlag: true })
    return flags
  }

  protected async reopen(
    direction: ReopenRequest['direction'],
    work: (request: ReopenRequest, ports: ReopenPorts) => Promise<Rotation>,
  ): Promise<RotationDocument> {
    const flags = await this.parseReopen()
    const rotationId = await this.rotationId(flags)
    const stop = await this.listenToLeave(() => rotationId)
    try {
      return await this.workOn(rotationId, direction, flags, work)
    } catch (error) {
      return await this.showRefusal(rotationId, error)
    } finally {
      stop.release()
    }
  }

  private async workOn(
    rotationId: RotationId,
    direction: ReopenRequest['direction'],
    flags: ReopenFlagValues,
    work: (request: ReopenRequest, ports: ReopenPorts) => Promise<Rotation>,
  ): Promise<RotationDocument> {
    const options = runOptions(flags)
    const lockForm = this.lockForm(flags)
    const shelf = await this.wiring.journals()
    const known = ledgerOf((await shelf.read(rotationId)).entries).rotation()
    if (known.finished !== null && known.debts.length === 0 && direction === 'forward') return this.showRotation(known)
    const { plan, config } = known.facts
    const lock = this.sharedLock(lockForm, flags, config.utility)
    const users = plan.users
    const next = readPasswordFlag('--new-password', flags['new-password'])
    const given = readPasswordFlag('--current-password', flags['current-password'])
    const clusters = [plan.source, ...plan.destinations]
    const officers = readOfficers(flags, clusters.map(refOf))
    const secrets = await this.wiring.secrets()
    const officerOf = await resolveOfficers(officers, secrets)
    const store = await this.openStore(flags, secrets)
    const currentPasswords = await resolvePasswords(given, users, secrets)
    const newPasswords = await resolvePasswords(next, users, secrets)
    const scope = await discoveryScope(flags, this.wiring)
    const profiles = clusters.flatMap(({ profile }) => (profile === null ? [] : [profile]))
    const stop = await this.listen(
      () => rotationId,
      () => true,
    )
    const view = await this.progressView()
    try {
      const rotation = await work(
        {
          rotationId,
          direction,
          options,
          retryOfficer: flags['retry-officer'],
          newPasswords,
          currentPasswords,
          commandMs: silenceLimits(flags, config.utility).commandMs,
        },
        {
          ...(await this.wiring.rotationPorts(lock, (text) => this.note(text))),
          leftovers: await this.wiring.leftovers(),
          hooks: await this.hooks(flags),
          console: await this.console(flags, config, known.plan.roster),
          officerOf,
          lockoutLimit: flags['lockout-limit'],
          concurrency: flags.concurrency,
          stop,
          store,
          progress: view.progress,
          discover: this.discoverAgain(
            { ...scope, profiles: [...new Set([...scope.profiles, ...profiles])] },
            clusters,
          ),
          who: this.who(),
          version: this.config.version,
        },
      )
      await view.end()
      return await this.showRotation(rotation)
    } finally {
      await view.end()
      stop.release()
    }
  }

  private async rotationId(flags: ReopenFlagValues): Promise<RotationId> {
    if (flags.rotation !== undefined) return parseRotationId(flags.rotation)
    if (flags['most-recent']) return newestRotation(await this.wiring.journals())
    throw usageError('FLAG_MISSING', 'which rotation is not said', [
      '--rotation ID',
      '--most-recent',
      'lockstep rotate list',
    ])
  }
}
