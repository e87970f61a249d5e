import type { ClusterId } from '../../../domain/ids.js'
import type { RosterEntry } from '../../../domain/roster.js'
import { contradiction, type SerialObservation } from '../../../domain/serial-numbers.js'

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
  /** Some of these are missing. */
  | { readonly kind: 'missing'; readonly among: readonly RosterEntry[]; readonly text: string }
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
 * What is said by the number of HSMs that are shown, some of the cluster being missing, together with who takes a connection.
 * @param silent those of the whole cluster that take none
 */
export const judgeAnswering = (part: ClusterPart, count: number, silent: readonly RosterEntry[]): Verdict => {
  const { asked, whole } = part
  const shown = shows(part, count)
  const missing: Verdict =
    count < asked.length
      ? { kind: 'missing', among: asked, text: `${shown} of ${asked.length}` }
      : { kind: 'missing', among: whole, text: `${shown} of ${whole.length}, and was asked for ${asked.length}` }
  if (asked.some((server) => silent.includes(server))) return { ...missing, among: asked }
  const answering = whole.filter((server) => !silent.includes(server))
  if (count === answering.length) return { kind: 'reached', reached: answering }
  if (count !== asked.length) return missing
  // One that was left out and is back may stand there for one that is gone, and the number is the same.
  const back = answering.filter((server) => !asked.includes(server))
  const names = back.map(({ hsmId }) => hsmId).join(', ')
  const text = `${shown}, and ${names}, left out, may be one of them: it takes connections`
  return { kind: 'wrong', meant: back, text }
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
}
