import { Flags } from '@oclif/core'
import { type ClusterRef, refOf, showClusterRef } from '../domain/cluster.js'
import { usageError } from '../domain/errors.js'
import type { ClusterId, RotationId } from '../domain/ids.js'
import { ledgerOf } from '../domain/rotation/ledger.js'
import type { RotationDocument } from '../domain/rotation/outcome.js'
import { type Rotation, rotationOf } from '../domain/rotation/rotation.js'
import { describePlaces } from '../use-cases/rotation/describe-plan.js'
import { newestRotation } from '../use-cases/rotation/find-rotation.js'
import type { ReopenRequest } from '../use-cases/rotation/open/reopen.js'
import type { ReopenPorts, RunOptions } from '../use-cases/rotation/ports.js'
import { lookAgain } from '../use-cases/rotation/survey/unseen-regions.js'
import { scopeForClusters } from '../use-cases/scope-for-clusters.js'
import { discoveryFlags, discoveryScope, parseClusterRef } from './flags.js'
import { NO_STORE } from './no-store.js'
import { readOfficers, resolveOfficers } from './officers.js'
import { readPasswordFlag, resolvePasswords } from './passwords.js'
import { RotationCommand } from './rotation-command.js'
import {
  parseRotationId,
  planFlags,
  runFlags,
  runOptions,
  silenceLimits,
  stagesOf,
  storeFlags,
  utilityFlags,
} from './rotation-flags.js'
import { reasonForNothing } from './rotation-target.js'

const { yes: _, ...againFlags } = runFlags

/** Flags of `rotate resume` and `rotate rollback`. */
export const reopenFlags = {
  rotation: Flags.string({ description: 'Which rotation.', helpValue: 'ID', exclusive: ['most-recent'] }),
  'most-recent': Flags.boolean({ description: 'The newest rotation on this machine.' }),
  ...againFlags,
  'lockout-limit': planFlags['lockout-limit'],
  'create-missing': planFlags['create-missing'],
  'new-password': Flags.string({
    description:
      'New password once more, where the rotation stopped before the store held it; another one, where the store has lost it; of a repair, what its origin holds.',
    helpValue: '[USER=]SECRET|generate',
    multiple: true,
    multipleNonGreedy: true,
  }),
  ...storeFlags,
  ...utilityFlags,
  ...discoveryFlags,
}

/** @throws {OperatorError} `BAD_CLUSTER_REFERENCE`, `SERIALS_FOR_NOBODY` (exit 2) */
const readNewSerials = (texts: readonly string[], clusters: readonly ClusterRef[]): readonly ClusterId[] =>
  texts.map((text) => {
    const { clusterId } = parseClusterRef(text)
    if (clusters.some((cluster) => cluster.clusterId === clusterId)) return clusterId
    throw usageError(
      'SERIALS_FOR_NOBODY',
      `--accept-new-serials names ${text}, which takes no part in this rotation`,
      clusters.map((cluster) => `--accept-new-serials ${showClusterRef(cluster)}`),
    )
  })

type ReopenFlagValues = Awaited<ReturnType<ReopenCommand['parseReopen']>>

/** What `rotate resume` and `rotate rollback` share: they differ in the direction alone. */
export abstract class ReopenCommand extends RotationCommand {
  protected async parseReopen() {
    const { flags } = await this.parse({ flags: reopenFlags, enableJsonFlag: true })
    return flags
  }

  /** Whether the command has nothing to do with a rotation that is closed already. */
  protected abstract readonly goesForward: boolean

  protected async reopen(
    work: (request: ReopenRequest, ports: ReopenPorts) => Promise<Rotation>,
  ): Promise<RotationDocument> {
    const flags = await this.parseReopen()
    const rotationId = await this.rotationId(flags)
    const stop = await this.listenToLeave(() => rotationId)
    try {
      return await this.workOn(rotationId, flags, work)
    } catch (error) {
      return await this.showRefusal(rotationId, error)
    } finally {
      stop.release()
    }
  }

  private async workOn(
    rotationId: RotationId,
    flags: ReopenFlagValues,
    work: (request: ReopenRequest, ports: ReopenPorts) => Promise<Rotation>,
  ): Promise<RotationDocument> {
    const lockForm = this.lockForm(flags)
    const shelf = await this.wiring.journals()
    const known = rotationOf(ledgerOf((await shelf.read(rotationId)).entries))
    const { plan, facts } = known
    const { config } = facts
    const goesBack = !this.goesForward || known.direction === 'back'
    const lost = known.lostClusters.map(refOf)
    const clusters = [plan.source, ...plan.destinations].map(refOf)
    const options: RunOptions = {
      ...runOptions(flags, stagesOf(facts.procedure, goesBack)),
      createMissing: flags['create-missing'],
      acceptNewSerials: readNewSerials(flags['accept-new-serials'] ?? [], [...clusters, ...lost]),
    }
    if (flags.reason !== undefined && options.mayStayBehind.hsmIds.length === 0) throw reasonForNothing(false)
    const lock = this.sharedLock(lockForm, flags, config.utility)
    const discoverUnseen = async () => this.discoverUnseen(await discoveryScope(flags, this.wiring), refOf(plan.source))
    if (known.closed && this.goesForward) {
      this.noteClosed(known)
      if (known.direction === 'back' || known.unseenRegions.length === 0) return this.showRotation(known)
      const ports = await this.wiring.rotationPorts(lock, (text) => this.note(text))
      const view = await this.progressView()
      const looked = await lookAgain(rotationId, {
        ...ports,
        progress: view.progress,
        discoverUnseen: await discoverUnseen(),
      }).finally(() => view.end())
      return this.showRotation(looked)
    }
    const { users } = plan
    const next = readPasswordFlag('--new-password', flags['new-password'])
    if (facts.procedure === 'repair' && next.forms.some(({ form }) => form.kind === 'generate')) {
      throw usageError(
        'REPAIR_MAKES_NO_PASSWORD',
        `--new-password generate makes a new password, and ${rotationId} is a repair: it gives what its origin holds`,
        ['--new-password SECRET, what --password gave when it began'],
      )
    }
    const given = readPasswordFlag('--current-password', flags['current-password'])
    const officers = readOfficers(flags, clusters, lost)
    const secrets = await this.wiring.secrets()
    const officerOf = await resolveOfficers(officers, secrets)
    // A repair that copies what an HSM holds has none.
    const store = facts.store === null ? NO_STORE : await this.openStore(flags, secrets)
    const currentPasswords = await resolvePasswords(given, users, secrets)
    const newPasswords = await resolvePasswords(next, users, secrets)
    const scope = scopeForClusters(await discoveryScope(flags, this.wiring), [...clusters, ...lost])
    const stop = await this.listen(
      () => rotationId,
      () => true,
    )
    const view = await this.progressView()
    try {
      const rotation = await work(
        {
          rotationId,
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
          discover: this.discoverAgain(scope, [...clusters, ...lost]),
          discoverUnseen: await discoverUnseen(),
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

  /** What closed it was true then; it is not asked again, and says so. */
  private noteClosed({ facts, plan, outcome }: Rotation): void {
    if (!outcome.startsWith('completed') || facts.store === null) return
    const repair = `lockstep users repair --to-current --store ${facts.store} ${describePlaces(plan)}`
    this.note(
      `${facts.rotationId} is completed, and no HSM is asked again: ${repair}   brings along one that joined since`,
    )
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
