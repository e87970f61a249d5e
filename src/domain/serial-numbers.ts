import type { ClusterId, HsmId } from './ids.js'

/** The serial numbers that some HSMs of a cluster showed together, where nothing says which number is whose. */
export interface SerialObservation {
  readonly clusterId: ClusterId
  readonly hsmIds: readonly HsmId[]
  readonly serials: readonly string[]
}

/**
 * What an observation contradicts: an HSM has one serial number and shares it with nobody, so two observations of a
 * cluster have as many numbers in common as they have HSMs. A number is a check and never an identity: AWS says that it
 * may change when an HSM is replaced, and the HSM then has another ID too.
 * Source: AWS CloudHSM User Guide, `cloudhsm_cli-cluster-hsm-info`.
 * @returns the reason in words; null where nothing speaks against it
 */
export const contradiction = (known: readonly SerialObservation[], now: SerialObservation): string | null => {
  const before = known.find(
    (one) => one.clusterId === now.clusterId && shared(one.serials, now.serials) !== shared(one.hsmIds, now.hsmIds),
  )
  if (before === undefined) return null
  return (
    `${now.clusterId} shows ${words(now)}, and showed ${words(before)} before: ` +
    `${shared(before.hsmIds, now.hsmIds)} of these HSMs and ${shared(before.serials, now.serials)} of the numbers are the same`
  )
}

/** Whether an observation says nothing that was not known. */
export const isKnown = (known: readonly SerialObservation[], now: SerialObservation): boolean =>
  known.some(
    ({ clusterId, hsmIds, serials }) =>
      clusterId === now.clusterId && isSame(hsmIds, now.hsmIds) && isSame(serials, now.serials),
  )

const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && shared(some, others) === some.length

const shared = (some: readonly string[], others: readonly string[]): number => {
  const known = new Set(others)
  return new Set(some.filter((one) => known.has(one))).size
}

const words = ({ serials, hsmIds }: SerialObservation): string =>
  `the serial number${serials.length === 1 ? '' : 's'} ${serials.join(', ')} for ${hsmIds.join(', ')}`
