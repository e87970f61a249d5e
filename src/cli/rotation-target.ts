import { refusal, usageError } from '../domain/errors.js'
import type { HsmUserRef } from '../domain/hsm-user.js'
import { sameUser, userKey } from '../domain/hsm-user.js'
import { parseUserRef } from '../domain/hsm-user-text.js'
import { type ConfigDocument, mergedConfig } from '../domain/merged-config.js'
import type { DiscoveryScope } from '../domain/ports.js'
import type { Roster } from '../domain/roster.js'
import type { RotationPlan } from '../domain/rotation/plan.js'
import { type ClusterChoiceRequest, checkClusterRefs, chooseClusters } from '../use-cases/choose-clusters.js'
import type { ChosenForRotation } from '../use-cases/rotation/plan-rotation.js'
import { scopeForClusters } from '../use-cases/scope-for-clusters.js'
import type { Wiring } from '../wiring.js'
import { requireCmuConfig } from './cmu-config.js'
import { type DiscoveryFlagValues, discoveryScope, parseClusterRef } from './flags.js'
import { requireFlag } from './rotation-flags.js'

/** Flags that say what a rotation is about, as oclif hands them over. */
export interface TargetFlagValues extends DiscoveryFlagValues {
  readonly source?: string | undefined
  readonly destination?: readonly string[] | undefined
  readonly 'leave-out'?: readonly string[] | undefined
  readonly user?: readonly string[] | undefined
  readonly 'accept-unproven-clone': boolean
  readonly config?: string | undefined
}

/** What the flags name, checked before anything is asked. */
export interface RotationTarget {
  readonly request: ClusterChoiceRequest
  readonly users: readonly HsmUserRef[]
  readonly scope: DiscoveryScope
}

/** The clusters as AWS reports them now, and the configuration to reach them by. */
export interface FoundTarget {
  readonly chosen: ChosenForRotation
  /** The utility's configuration that lists every HSM of the rotation. */
  readonly document: ConfigDocument
  readonly configSha256: string | null
  readonly warnings: readonly string[]
}

/**
 * Reads what the rotation is about from flags, or from a plan file in their place.
 * @throws {OperatorError} exit 2
 */
export const readTarget = async (
  flags: TargetFlagValues,
  plan: RotationPlan | null,
  wiring: Wiring,
): Promise<RotationTarget> => {
  const request: ClusterChoiceRequest = {
    source: plan?.source ? refOf(plan.source) : parseClusterRef(requireFlag(flags.source, '--source', EXAMPLE)),
    destinations: plan?.destinations.map(refOf) ?? (flags.destination ?? []).map(parseClusterRef),
    leaveOut: plan?.leftOut.map(refOf) ?? (flags['leave-out'] ?? []).map(parseClusterRef),
    waiveCloneProof: flags['accept-unproven-clone'],
    requireFamilyNamed: true,
  }
  checkClusterRefs(request)
  const users = plan?.users.map(({ type, name }) => ({ type, name })) ?? (flags.user ?? []).map(parseUserRef)
  if (users.length === 0) throw usageError('FLAG_MISSING', '--user is missing', ['--user CU:app_crypto'])
  for (const [index, user] of users.entries()) {
    if (users.findIndex((candidate) => sameUser(candidate, user)) === index) continue
    throw usageError('USER_TWICE', `--user names ${userKey(user)} twice`)
  }
  const scope = scopeForClusters(await discoveryScope(flags, wiring), [
    request.source,
    ...request.destinations,
    ...request.leaveOut,
  ])
  return { request, users, scope }
}

/** Asks AWS, proves the clone family and settles the roster. */
export const findTarget = async (
  { request, scope }: RotationTarget,
  configPath: string | undefined,
  wiring: Wiring,
): Promise<FoundTarget> => {
  const discovery = await (await wiring.clusterSource()).discover(scope)
  const choice = chooseClusters(discovery, request)
  const { source, destinations, leftOut, family, warnings } = choice
  if (configPath === undefined) {
    const { roster, document } = mergedConfig({ source, destinations })
    return { chosen: { source, destinations, leftOut, family, roster }, document, configSha256: null, warnings }
  }
  const { roster, document, sha256 } = requireCmuConfig(configPath, await wiring.loadRoster(configPath))
  refuseOtherRoster(configPath, roster, mergedConfig({ source, destinations }).roster)
  return { chosen: { source, destinations, leftOut, family, roster }, document, configSha256: sha256, warnings }
}

/** A config that does not list exactly the HSMs AWS reports would leave one on the old password unseen. */
const refuseOtherRoster = (path: string, listed: Roster, reported: Roster): void => {
  const words = (roster: Roster) => new Set(roster.map((entry) => `${entry.hsmId} (${entry.eniIp}, ${entry.role})`))
  const [mine, theirs] = [words(listed), words(reported)]
  const missing = [...theirs].filter((entry) => !mine.has(entry))
  const extra = [...mine].filter((entry) => !theirs.has(entry))
  if (missing.length === 0 && extra.length === 0) return
  throw refusal(
    'CONFIG_OUTDATED',
    `${path} does not list the HSMs that AWS reports: ${[
      ...missing.map((entry) => `${entry} is missing`),
      ...extra.map((entry) => `${entry} is not there any more`),
    ].join('; ')}`,
    [`lockstep config check ${path}`, 'lockstep config generate'],
  )
}

const EXAMPLE = '--source us-east-1/cluster-aaaaaaaaaaa'
const refOf = ({ clusterId, region, profile }: RotationPlan['source']) => ({
  clusterId,
  region,
  ...(profile === null ? {} : { profile }),
})
