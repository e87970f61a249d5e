import { type Cluster, showCluster } from '../cluster.js'
import { type OperatorError, refusal } from '../errors.js'

/** The program that speaks to HSMs: `cmu` is cloudhsm_mgmt_util of Client SDK 3, `cloudhsm-cli` that of Client SDK 5. */
export type UtilityName = 'cmu' | 'cloudhsm-cli'

/** What an operator may ask for; `auto` goes by the HSM types of the clusters. */
export const UTILITY_CHOICES = ['auto', 'cmu', 'cloudhsm-cli'] as const
export type UtilityChoice = (typeof UTILITY_CHOICES)[number]

/** The utility, and what an operator should know of the choice although it stops nothing. */
export interface ChosenUtility {
  readonly utility: UtilityName
  readonly warnings: readonly string[]
}

/**
 * The utility for these clusters: `cmu` where all of them consist of hsm1.medium HSMs, `cloudhsm-cli` as soon as one
 * does not. Sources: AWS CloudHSM User Guide, `hsm1-to-hsm2-migration` (Client SDK 3 does not work with hsm2m.medium)
 * and `cloudhsm_cli-user-replicate` (not from hsm2m.medium to hsm1.medium).
 * @throws {OperatorError} exit 3: `HSM_TYPE_NOT_SUPPORTED`, where `cmu` is asked for and cannot work
 */
export const chooseUtility = (choice: UtilityChoice, clusters: readonly Cluster[]): ChosenUtility => {
  const other = clusters.filter((cluster) => !worksWithCmu(cluster))
  const [stranger] = other
  if (choice === 'cmu' && stranger !== undefined) {
    throw refuseCmu(stranger, [
      '--utility cloudhsm-cli works with every HSM type; so does --utility auto, which picks it',
    ])
  }
  const utility = choice === 'auto' ? (stranger === undefined ? 'cmu' : 'cloudhsm-cli') : choice
  if (other.length === 0 || other.length === clusters.length) return { utility, warnings: [] }
  const types = clusters.map((cluster) => `${showCluster(cluster)} ${cluster.hsmType}`).join(', ')
  const warning = `the clusters differ in their HSM type (${types}): AWS does not support replicating a user from hsm2m.medium to hsm1.medium`
  return { utility, warnings: [warning] }
}

/** Whether cloudhsm_mgmt_util works with the HSMs of a cluster. */
export const worksWithCmu = ({ hsmType }: Pick<Cluster, 'hsmType'>): boolean => hsmType.startsWith('hsm1')

/** Says that cloudhsm_mgmt_util does not work with a cluster. */
export const refuseCmu = (cluster: Cluster, suggestions: readonly string[]): OperatorError =>
  refusal(
    'HSM_TYPE_NOT_SUPPORTED',
    `cluster ${showCluster(cluster)} consists of ${cluster.hsmType} HSMs, and the management utility works with hsm1.medium only`,
    suggestions,
  )
