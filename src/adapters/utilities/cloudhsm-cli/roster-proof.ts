import type { ClusterId, HsmId } from '../../../domain/ids.js'
import type { RosterEntry } from '../../../domain/roster.js'

/** What a session was opened on in one cluster. */
export interface ClusterPart {
  readonly clusterId: ClusterId
  readonly asked: readonly RosterEntry[]
  /** All HSMs of the cluster. */
  readonly whole: readonly RosterEntry[]
}

/** What the serial numbers of a cluster say. */
export type Verdict =
  /** These are the HSMs a command reaches. */
  | { readonly kind: 'proved'; readonly reached: readonly RosterEntry[] }
  /** Some of these are missing. */
  | { readonly kind: 'missing'; readonly among: readonly RosterEntry[]; readonly text: string }
  | { readonly kind: 'wrong'; readonly text: string }

/** Groups the servers of a session by cluster, in their order. */
export const clusterParts = (servers: readonly RosterEntry[], roster: readonly RosterEntry[]): readonly ClusterPart[] =>
  [...new Set(servers.map(({ clusterId }) => clusterId))].map((clusterId) => ({
    clusterId,
    asked: servers.filter((server) => server.clusterId === clusterId),
    whole: roster.filter((server) => server.clusterId === clusterId),
  }))

/**
 * Remembers which serial numbers were shown, for one console. HSMs cannot be told apart by anything else, so the proof
 * is weak: as many as AWS reported, all different, and the same as before.
 */
export class SerialNumbers {
  readonly #ofCluster = new Map<ClusterId, readonly string[]>()
  readonly #ofHsm = new Map<HsmId, string>()

  /**
   * Judges what a cluster shows, and remembers it where nothing is wrong.
   * @param serials sorted
   */
  judge(part: ClusterPart, serials: readonly string[]): Verdict {
    const { clusterId, asked, whole } = part
    const count = serials.length
    const shown = `${clusterId} shows ${count} HSM${count === 1 ? '' : 's'}`
    if (new Set(serials).size < count) {
      return { kind: 'wrong', text: `${shown}, two of them with one serial number (${serials.join(', ')})` }
    }
    if (count === whole.length) return this.#judgeWhole(part, serials)
    if (count === asked.length) return this.#judgePart(part, serials)
    if (count > whole.length) return { kind: 'wrong', text: `${shown}, and AWS reported ${whole.length}` }
    if (count < asked.length) return { kind: 'missing', among: asked, text: `${shown} of ${asked.length}` }
    return { kind: 'missing', among: whole, text: `${shown} of ${whole.length}, and was asked for ${asked.length}` }
  }

  #judgeWhole({ clusterId, whole }: ClusterPart, serials: readonly string[]): Verdict {
    const before = this.#ofCluster.get(clusterId)
    if (before !== undefined && before.join() !== serials.join()) {
      return {
        kind: 'wrong',
        text: `${clusterId} shows the serial numbers ${serials.join(', ')}, and a moment ago ${before.join(', ')}`,
      }
    }
    this.#ofCluster.set(clusterId, serials)
    return { kind: 'proved', reached: whole }
  }

  #judgePart({ clusterId, asked }: ClusterPart, serials: readonly string[]): Verdict {
    const known = this.#ofCluster.get(clusterId)
    const stranger = known === undefined ? undefined : serials.find((serial) => !known.includes(serial))
    if (stranger !== undefined) {
      return {
        kind: 'wrong',
        text: `serial number ${stranger} is none of those ${clusterId} showed (${known?.join(', ')})`,
      }
    }
    const [only, ...others] = asked
    const [serial] = serials
    if (only === undefined || others.length > 0 || serial === undefined) return { kind: 'proved', reached: asked }
    const elsewhere = [...this.#ofHsm].find(([hsmId, one]) => (hsmId === only.hsmId) !== (one === serial))
    if (elsewhere !== undefined) {
      const [hsmId, one] = elsewhere
      return {
        kind: 'wrong',
        text: `${only.hsmId} shows the serial number ${serial}, and ${hsmId} showed ${one} before`,
      }
    }
    this.#ofHsm.set(only.hsmId, serial)
    return { kind: 'proved', reached: asked }
  }
}
