import { generateCommand } from '../domain/ask-for-drift.js'
import { mergedCliConfig } from '../domain/cli-config.js'
import { refOf } from '../domain/cluster.js'
import { onlyConfig, type UtilityConfig } from '../domain/config-files.js'
import { refusal, usageError } from '../domain/errors.js'
import type { HsmUserRef } from '../domain/hsm-user.js'
import { sameUser, userKey } from '../domain/hsm-user.js'
import { parseUserRef } from '../domain/hsm-user-text.js'
import { mergedConfig } from '../domain/merged-config.js'
import { type MergedClusters, mergedRoster } from '../domain/merged-roster.js'
import type { DiscoveryScope } from '../domain/ports.js'
import type { Roster } from '../domain/roster.js'
import type { RotationFacts } from '../domain/rotation/journal-entry.js'
import type { PlanFile } from '../domain/rotation/plan-file.js'
import { chooseUtility, type UtilityChoice, type UtilityName } from '../domain/utility/utility.js'
import { type ClusterChoiceRequest, checkClusterRefs, chooseClusters } from '../use-cases/choose-clusters.js'
import { knownFamilies } from '../use-cases/known-members.js'
import { type LeavingOut, splitLeftOut } from '../use-cases/lost-clusters.js'
import type { ChosenForRotation } from '../use-cases/rotation/open/plan.js'
import { scopeForClusters } from '../use-cases/scope-for-clusters.js'
import type { Wiring } from '../wiring.js'
import { type DiscoveryFlagValues, discoveryScope, parseClusterRef } from './flags.js'
import { requireFlag } from './rotation-flags.js'

/** Flags that say what a rotation is about, as oclif hands them over. */
export interface TargetFlagValues extends DiscoveryFlagValues {
  readonly source?: string | undefined
  readonly destination?: readonly string[] | undefined
  readonly 'leave-out'?: readonly string[] | undefined
  readonly reason?: string | undefined
  readonly 'allow-unreachable'?: readonly string[] | undefined
  readonly user?: readonly string[] | undefined
  readonly 'accept-unproven-clone': boolean
  readonly config?: string | undefined
  readonly utility: UtilityChoice
}

/** What the flags name, checked before anything is asked. */
export interface RotationTarget {
  readonly request: ClusterChoiceRequest
  readonly leavingOut: Pick<LeavingOut, 'reason' | 'isForHsms' | 'planned'>
  readonly users: readonly HsmUserRef[]
  readonly scope: DiscoveryScope
  readonly utility: UtilityChoice
}

/** The clusters as AWS reports them now, and the configuration to reach them by. */
export interface FoundTarget {
  readonly chosen: ChosenForRotation
  /** The utility's configuration that lists every HSM of the rotation, and its hash where it is the operator's file. */
  readonly config: RotationFacts['config']
  readonly warnings: readonly string[]
}

/**
 * Reads what the rotation is about from flags, or from a plan file in their place.
 * @param wholeFamily whether every known member of the family has to be named or left out
 * @throws {OperatorError} exit 2
 */
export const readTarget = async (
  flags: TargetFlagValues,
  file: PlanFile | null,
  wiring: Wiring,
  { wholeFamily = true } = {},
): Promise<RotationTarget> => {
  const plan = file?.plan ?? null
  const planned = file?.lost ?? []
  const request: ClusterChoiceRequest = {
    source: plan === null ? parseClusterRef(requireFlag(flags.source, '--source', EXAMPLE)) : refOf(plan.source),
    destinations: plan?.destinations.map(refOf) ?? (flags.destination ?? []).map(parseClusterRef),
    leaveOut:
      plan === null
        ? (flags['leave-out'] ?? []).map(parseClusterRef)
        : [...plan.leftOut.map(refOf), ...planned.map(refOf)],
    waiveCloneProof: flags['accept-unproven-clone'],
    requireFamilyNamed: wholeFamily,
    lostIsDebt: wholeFamily,
    isPlanned: plan !== null,
  }
  checkClusterRefs(request)
  const isForHsms = (flags['allow-unreachable'] ?? []).length > 0
  if (flags.reason !== undefined && !isForHsms && request.leaveOut.length === 0) throw reasonForNothing(wholeFamily)
  const users = plan?.users.map(({ type, name }) => ({ type, name })) ?? (flags.user ?? []).map(parseUserRef)
  if (users.length === 0) throw usageError('FLAG_MISSING', '--user is missing', ['--user CU:app_crypto'])
  for (const [index, user] of users.entries()) {
    if (users.findIndex((candidate) => sameUser(candidate, user)) === index) continue
    throw usageError('USER_TWICE', `--user names ${userKey(user)} twice`, [
      'name each user once: case and the spelling of the type make no difference',
    ])
  }
  const scope = scopeForClusters(await discoveryScope(flags, wiring), [
    request.source,
    ...request.destinations,
    ...request.leaveOut,
  ])
  const leavingOut = { reason: flags.reason ?? null, isForHsms, planned }
  return { request, leavingOut, users, scope, utility: plan?.utility ?? flags.utility }
}

/** @param mayLeaveOut whether clusters of the family may be left out as well */
export const reasonForNothing = (mayLeaveOut: boolean) =>
  usageError('REASON_FOR_NOTHING', '--reason says why something stays behind, and nothing is named that may', [
    '--allow-unreachable HSM --reason TEXT',
    ...(mayLeaveOut ? ['--leave-out CLUSTER --reason TEXT'] : []),
  ])

/** Asks AWS, proves the clone family and settles the roster. */
export const findTarget = async (
  { request, leavingOut, scope, utility: asked }: RotationTarget,
  configPath: string | undefined,
  wiring: Wiring,
): Promise<FoundTarget> => {
  const discovery = await (await wiring.clusterSource()).discover(scope)
  const known = await knownFamilies(await wiring.journals())
  const choice = chooseClusters(discovery, { ...request, knownFamilies: known })
  const { source, destinations, family, unseenRegions } = choice
  const { leftOut, lost } = splitLeftOut(choice, {
    ...leavingOut,
    owed: request.knownBefore ?? [],
    isPlanned: request.isPlanned ?? false,
  })
  const { utility, warnings } = chooseUtility(asked, [source, ...destinations])
  const merged = mergedRoster({ source, destinations })
  const found = (config: FoundTarget['config']): FoundTarget => ({
    chosen: { source, destinations, leftOut, lost, unseenRegions, family, roster: merged.roster },
    config,
    warnings: [...choice.warnings, ...warnings],
  })
  if (configPath === undefined) return found({ sha256: null, ...mergedFor(utility, { source, destinations }) })
  const loaded = await wiring.loadRoster(configPath)
  const generate = generateCommand({ clusters: [source, ...destinations], leftOut: [...leftOut, ...lost] }, configPath)
  refuseOtherUtility(configPath, loaded.utility, utility, generate)
  refuseOtherRoster(configPath, loaded.roster, merged.roster, `${generate} --base ${configPath}`)
  return found({ sha256: loaded.sha256, ...onlyConfig(loaded) })
}

const mergedFor = (utility: UtilityName, clusters: MergedClusters): UtilityConfig =>
  utility === 'cmu'
    ? { utility, document: mergedConfig(clusters).document }
    : { utility, document: mergedCliConfig(clusters, undefined, NO_CA_FILES).document }

const NO_CA_FILES = { common: null, byCluster: new Map() }

const refuseOtherUtility = (path: string, listed: UtilityName, utility: UtilityName, generate: string): void => {
  if (listed === utility) return
  throw refusal(
    'CONFIG_OF_OTHER_UTILITY',
    `${path} is a configuration of ${listed}, and this rotation works through ${utility}`,
    [`${generate} --utility ${utility}`, `--utility ${listed}`],
  )
}

/** A config that does not list exactly the HSMs AWS reports would leave one on the old password unseen. */
const refuseOtherRoster = (path: string, listed: Roster, reported: Roster, generate: string): void => {
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
    [`lockstep config check ${path}`, generate],
  )
}

const EXAMPLE = '--source us-east-1/cluster-aaaaaaaaaaa'
