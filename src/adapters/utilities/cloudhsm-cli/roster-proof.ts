import type { ClusterId, HsmId } from '../../../domain/ids.js'
import type { RosterEntry } from '../../../domain/roster.js'
import { contradiction, type SerialObservation, shownBy } from '../../../domain/serial-numbers.js'

/** What a session was opened on in one cluster. */
export interface ClusterPart {
  readonly clusterId: ClusterId
  readonly asked: readonly RosterEntry[]
  /** Those that the program's configuration lists: a file that is fixed lists all. */
  readonly listed: readonly RosterEntry[]
  /** All HSMs of the cluster. */
  readonly whole: readonly RosterEntry[]
}

/** Which HSMs a cluster shows. HSMs cannot be told apart by what it says, so they are counted. */
export type Verdict =
  /** These are the HSMs a command reaches. */
  | { readonly kind: 'reached'; readonly reached: readonly RosterEntry[] }
  /** These are missing. */
  | { readonly kind: 'missing'; readonly missing: readonly RosterEntry[]; readonly text: string; readonly how: string }
  /** Some HSM is missing, and nothing says which. */
  | { readonly kind: 'untold'; readonly text: string }
  /** They are not those of the roster, or these may not be. */
  | { readonly kind: 'wrong'; readonly meant: readonly RosterEntry[]; readonly text: string }

/** Groups the servers of a session by cluster, in their order. */
export const clusterParts = (servers: readonly RosterEntry[], roster: readonly RosterEntry[]): readonly ClusterPart[] =>
  [...new Set(servers.map(({ clusterId }) => clusterId))].map((clusterId) => {
    const asked = servers.filter((server) => server.clusterId === clusterId)
    return { clusterId, asked, listed: asked, whole: roster.filter((server) => server.clusterId === clusterId) }
  })

/**
 * What the serial numbers alone say.
 * @returns null where it has to be looked which HSMs take connections: `judgeAnswering`
 */
export const judgeShown = (part: ClusterPart, serials: readonly string[]): Verdict | null => {
  const { asked, listed, whole } = part
  const shown = shows(part, serials.length)
  if (new Set(serials).size < serials.length) {
    const text = `${shown}, two of them with one serial number (${serials.join(', ')})`
    return { kind: 'wrong', meant: asked, text }
  }
  if (serials.length > whole.length) {
    return { kind: 'wrong', meant: asked, text: `${shown}, and AWS reported ${whole.length}` }
  }
  if (serials.length === whole.length) return { kind: 'reached', reached: whole }
  // No other address was given, and another HSM is found only through this one.
  const alone = asked.length === 1 && listed.length === 1 && serials.length === 1
  return alone ? { kind: 'reached', reached: asked } : null
}

/**
 * What is said by the HSMs whose serial numbers these are.
 * @param told null where that is not known
 */
export const judgeNumbers = (part: ClusterPart, told: readonly HsmId[] | null): Verdict | null => {
  if (told === null) return null
  const missing = part.asked.filter(({ hsmId }) => !told.includes(hsmId))
  if (missing.length > 0) return { kind: 'missing', missing, text: showsOf(part, told.length), how: NO_ANSWER }
  return { kind: 'reached', reached: part.whole.filter(({ hsmId }) => told.includes(hsmId)) }
}

/** Of an HSM that may take the connection all the same. */
export const NO_ANSWER = 'does not answer'
export const NO_CONNECTION = 'cannot be reached'

/**
 * What is said by the number of HSMs that are shown, some of the cluster being missing, together with who takes a connection.
 * @param away those of the whole cluster that take none
 */
export const judgeAnswering = (part: ClusterPart, count: number, away: readonly RosterEntry[]): Verdict => {
  const { asked, whole } = part
  const text = showsOf(part, count)
  const missing = asked.filter((server) => away.includes(server))
  if (missing.length > 0) return { kind: 'missing', missing, text, how: NO_CONNECTION }
  const answering = whole.filter((server) => !away.includes(server))
  // One that was left out and takes connections may stand there for one that was asked for.
  return count === answering.length ? { kind: 'reached', reached: answering } : { kind: 'untold', text }
}

/** How many are shown, and of how many: `cluster-abc shows 2 HSMs of 3, and was asked for 1`. */
const showsOf = (part: ClusterPart, count: number): string => {
  const { asked, whole } = part
  if (count < asked.length) return `${shows(part, count)} of ${asked.length}`
  return `${shows(part, count)} of ${whole.length}, and was asked for ${asked.length}`
}

const shows = ({ clusterId }: ClusterPart, count: number): string =>
  `${clusterId} shows ${count} HSM${count === 1 ? '' : 's'}`

/** Remembers which serial numbers were shown, for one console. */
export class SerialNumbers {
  readonly #known: SerialObservation[] = []

  /** @returns what speaks against an observation, which then is not remembered; null where nothing does */
  compare(now: SerialObservation): string | null {
    const reason = contradiction(this.#known, now)
    const { clusterId, hsmIds } = now
    const seen = (one: SerialObservation) => one.clusterId === clusterId && one.hsmIds.join() === hsmIds.join()
    if (reason === null && !this.#known.some(seen)) this.#known.push(now)
    return reason
  }

  /** Whose these numbers are, where it is told by those that were shown before; null where it is not. */
  ownersOf({ clusterId, whole }: ClusterPart, serials: readonly string[]): readonly HsmId[] | null {
    const known = this.#known.filter((one) => one.clusterId === clusterId)
    return shownBy(
      known,
      whole.map(({ hsmId }) => hsmId),
      serials,
    )
  }
}
