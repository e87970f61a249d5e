import { clusterFlags, showCluster } from '../../domain/cluster.js'
import type { LoadedConfig } from '../../domain/config-files.js'
import { OperatorError } from '../../domain/errors.js'
import { type HsmUserRef, officerType, userKey } from '../../domain/hsm-user.js'
import type { Roster } from '../../domain/roster.js'
import type { JournalShelf } from '../../domain/rotation/journal.js'
import { unitsOf } from '../../domain/rotation/plan.js'
import type { Rotation } from '../../domain/rotation/rotation.js'
import { capabilitiesOf } from '../../domain/utility/capabilities.js'
import { NO_SUCH_USER, type PasswordProof } from '../prove-password.js'

/** What was asked, and where. */
export interface ProofFacts {
  readonly proofs: readonly PasswordProof[]
  readonly user: HsmUserRef
  readonly config: Pick<LoadedConfig, 'clusters' | 'roster' | 'utility'>
  /** The configuration, for a command that can be pasted. */
  readonly path: string
}

/**
 * What can be done where not every HSM was shown to hold a password; empty where each does. A rotation that is not finished
 * there, or owes it to an HSM, comes first: it keeps a repair off, or is what gives it.
 */
export const proofAdvice = async (facts: ProofFacts, shelf: JournalShelf): Promise<readonly string[]> => {
  const { proofs, path } = facts
  const without = proofs.filter(({ match, evidence }) => match === false || (match === null && evidence !== null))
  const lacking = proofs.filter(({ reason }) => reason === NO_SUCH_USER)
  const rest = proofs.filter((proof) => proof.match !== true && !without.includes(proof) && !lacking.includes(proof))
  const later = rest.map(({ hsmId }) => hsmId).join(', ')
  return [
    ...(without.length === 0 ? [] : await whatGivesIt(facts, without, shelf)),
    ...(lacking.length === 0
      ? []
      : [
          `no such user on ${lacking.map(({ hsmId }) => hsmId).join(', ')}: lockstep users drift --config ${path}   says what brings it there`,
        ]),
    ...(later === '' ? [] : [`nothing is known of ${later}: the same command again once the reason shown is gone`]),
  ]
}

const whatGivesIt = async (
  facts: ProofFacts,
  without: readonly PasswordProof[],
  shelf: JournalShelf,
): Promise<readonly string[]> => {
  let open: readonly Rotation[]
  try {
    open = await shelf.openRotations(facts.config.clusters.map(({ clusterId }) => clusterId))
  } catch (error) {
    // A journal that cannot be read keeps a repair off as well.
    if (error instanceof OperatorError) return [`${error.message}: ${error.suggestions[0] ?? 'lockstep rotate list'}`]
    throw error
  }
  const unfinished = open.find(({ outcome }) => outcome === 'paused')
  if (unfinished !== undefined) {
    const { rotationId } = unfinished.facts
    return [
      `${rotationId} is not finished there: lockstep rotate status --rotation ${rotationId}   tells what was seen there last, and rotate resume asks again`,
    ]
  }
  const owing = open.filter(({ debts }) => debts.some(({ hsmId }) => without.some((proof) => proof.hsmId === hsmId)))
  return [
    ...owing.map(
      ({ facts: { rotationId }, debts }) =>
        `${debts.map(({ hsmId }) => hsmId).join(', ')} stayed behind in ${rotationId}: lockstep rotate resume --rotation ${rotationId}   gives what it gave the others`,
    ),
    ...repairs(facts, without),
  ]
}

const repairs = ({ user, config, proofs }: ProofFacts, without: readonly PasswordProof[]): readonly string[] => {
  const { clusters, roster, utility } = config
  const places = [
    clusterFlags(clusters),
    `--user ${userKey({ ...user, type: officerType(user.type) })}`,
    ...(user.name.toLowerCase() === 'kmsuser' ? ['--allow-kmsuser'] : []),
  ].join(' ')
  const officer = '--officer NAME --officer-password prompt'
  const from = originOf(roster, config, proofs)
  const where = without.map(({ hsmId }) => hsmId).join(', ')
  const unit =
    capabilitiesOf(utility).writeReach === 'hsm'
      ? 'HSM was shown to hold it'
      : 'cluster was shown to hold it as a whole'
  return [
    from === null
      ? `no ${unit}: check --password first`
      : `where this password is right: lockstep users repair ${places} --from ${from} --password prompt ${officer}   gives it to ${where}`,
    `where the store has the right one: lockstep users repair ${places} --to-current --store STORE ${officer} --dry-run   shows who holds that`,
  ]
}

/** A unit on each of whose HSMs a login succeeded. */
const originOf = (
  roster: Roster,
  { utility }: Pick<LoadedConfig, 'utility'>,
  proofs: readonly PasswordProof[],
): string | null => {
  const holds = new Set(proofs.filter(({ match }) => match === true).map(({ hsmId }) => hsmId))
  const unit = unitsOf(roster, utility).find(({ servers }) => servers.every(({ hsmId }) => holds.has(hsmId)))
  if (unit === undefined) return null
  const [{ clusterId, region }] = unit.servers
  return unit.unitId === clusterId ? showCluster({ clusterId, region }) : unit.unitId
}
