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

/**
 * Whose these serial numbers are, as far as earlier observations of a cluster tell: HSMs that were always shown together are
 * told from the others, and from each other where all of them or none are shown.
 * @param hsmIds all HSMs of the cluster
 * @returns those of them that are shown, in their order; null where that is not told
 */
export const shownBy = (
  known: readonly SerialObservation[],
  hsmIds: readonly HsmId[],
  serials: readonly string[],
): readonly HsmId[] | null => {
  const numbers = alike(known, (one) => one.serials, serials)
  const shown = new Set<HsmId>()
  for (const [key, group] of alike(known, (one) => one.hsmIds, hsmIds)) {
    const count = (numbers.get(key) ?? []).filter((serial) => serials.includes(serial)).length
    numbers.delete(key)
    if (count === 0) continue
    if (count !== group.length) return null
    for (const hsmId of group) shown.add(hsmId)
  }
  const isNobodys = [...numbers.values()].flat().some((serial) => serials.includes(serial))
  const owners = hsmIds.filter((hsmId) => shown.has(hsmId))
  return isNobodys || owners.length < shown.size ? null : owners
}

/** Those that stand in the same observations, by these: `101`. */
const alike = <T>(
  known: readonly SerialObservation[],
  of: (one: SerialObservation) => readonly T[],
  more: readonly T[],
): Map<string, readonly T[]> => {
  const groups = new Map<string, readonly T[]>()
  for (const member of new Set([...known.flatMap(of), ...more])) {
    const key = known.map((one) => (of(one).includes(member) ? '1' : '0')).join('')
    groups.set(key, [...(groups.get(key) ?? []), member])
  }
  return groups
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
