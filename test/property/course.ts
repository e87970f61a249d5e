import type { UserKey } from '../../src/domain/hsm-user.js'
import type { ClusterId, HsmId } from '../../src/domain/ids.js'
import type { Asked } from './engine.js'
import type { Appliance, RotatedUser } from './fleet.js'
import type { CellKey } from './logins.js'
import type { Held } from './truth.js'

export const cellKey = ({ hsmId }: Pick<Appliance, 'hsmId'>, user: Pick<RotatedUser, 'key'>): CellKey =>
  `${hsmId} ${user.key}`

/** What happened at one cell, whichever rotation it was. Moments are numbered by the witness. */
export interface CellHistory {
  /** When we logged in or wrote there last, as the HSM saw it. */
  contact: number
  /** When another person gave the user a password there last, and which. */
  byHand: { readonly at: number; readonly held: Held } | null
  /** The utility reported a success that the HSM had refused, and nothing has been written there since. */
  liedAbout: boolean
  /** The same at any time. */
  everLiedAbout: boolean
}

/** What is known of one rotation that its journal need not know. */
export class Course {
  /** What a user is to hold in the end. */
  readonly aims = new Map<UserKey, Held>()
  /** The store keeps what is given. */
  isByStore = true
  /** Somebody knows what is given, so that a login can show it; else nobody knows whether a copy did what it said. */
  isProved = true
  /** What each cell held before it began, or when its HSM joined. */
  readonly before = new Map<CellKey, Held>()
  /** What the origins of the last copy to a cell held. */
  readonly copied = new Map<CellKey, ReadonlySet<Held>>()
  /** Cells whose last copy came from a cluster of which the utility told of a login that one HSM had refused. */
  readonly liedCopies = new Set<CellKey>()
  /** What copies from their own cluster, whose HSMs are taken to hold the same, could bring to cells. */
  readonly ownCopies = new Map<CellKey, ReadonlySet<Held>>()
  /** Up to which moment the program knows what happened at a cell. */
  readonly heard = new Map<CellKey, number>()
  /** Units that a password was ever meant for, rehearsals among them. */
  readonly written = new Set<HsmId>()
  /** The same by cell. */
  readonly writtenCells = new Set<CellKey>()
  /** What the clusters' HSMs said of themselves when it began, and who they were. */
  serials: ReadonlyMap<ClusterId, readonly string[]> = new Map()
  roster: ReadonlySet<HsmId> = new Set()
  /** A copy was refused, or changed nothing. */
  copiesFailed = false
  /** The store may hold the new credential. */
  stored = false
  promoting = false
  back = false
  /** The journal was lost once. */
  lost = false
  /** Intents without a clear answer, by their line. */
  readonly asked = new Map<number, AskedBefore>()
}

/** An intent, and what was known of its cells before it. */
export interface AskedBefore {
  readonly asked: Asked
  readonly copied: ReadonlyMap<CellKey, ReadonlySet<Held> | undefined>
  /** The last write of these cells was a copy. */
  readonly afterCopy: boolean
  /** Of a copy: what its origins held, from the intent to the answer. */
  readonly brings: Set<Held>
}
