import type { UnitId } from '../ids.js'
import type { CellState, Evidence, KnownCell, Proof } from './cell.js'
import type { CredentialName, Intent } from './journal-entry.js'

/** What a cell holds, as far as somebody showed it. */
export interface Knowledge {
  readonly state: 'unknown' | 'old' | 'new' | 'other'
  readonly proof: Proof
  readonly evidence: Evidence | null
  /** UTC, ISO 8601. */
  readonly at: string
  /** The line of the journal that shows it. */
  readonly seq: number
}

/**
 * All that a journal tells of one cell. What it holds, whether the user is there, whether it is locked and whether its
 * HSM is in sight are observed apart from one another, and none of them is forgotten because of another.
 */
export interface CellRecord {
  holds: Knowledge
  present: boolean
  /** The line that showed last that some HSM of its cluster lacks the user, but not which; 0 where none lacks it. */
  somewhereMissingSeq: number
  locked: boolean
  /** The line that showed it locked last; 0 where none did. */
  lockedSeq: number
  inSight: boolean
  /** Out of sight only because some HSM of its cluster does not answer, and nobody saw which. */
  mayAnswer: boolean
  /** Failed logins in a row as listed last and those we made since; undefined where they were never shown. */
  failures: number | undefined
  /** Attributes that are other ones than planned, as listed last. */
  different: string | null
  /** It has a second factor or a quorum key, as listed last. */
  registered: boolean
  /** It has another ID than planned, as listed last. */
  hasOtherId: boolean
  /** The user was missing when the HSM was met first; on some HSM of its cluster. */
  readonly missedFirst: { is: boolean; inPart: boolean }
  /** The last write that was meant for it, but for rehearsals, and whether it reported success. */
  lastWrite: Intent | null
  lastWriteDone: boolean
  /** The line of the last write that was meant for it, rehearsals among them; 0 where there was none. */
  lastWriteSeq: number
  /** The line of the last change that was meant for it; 0 where there was none. */
  lastChangeSeq: number
  /** A change was meant for it at some time, so that a login no longer tells what a copy did. */
  everChanged: boolean
  /**
   * Where a copy of the old credential, also of a rehearsal, came from that may stand there now, and whether that counted as
   * what it was before then.
   */
  oldFrom: { readonly unitId: UnitId; readonly wasAsBefore: boolean } | null
  /** It logged in with the current credential before anything was written to it. */
  heldCurrentAtFirst: boolean
  /** Credentials it refused since something was meant to be written there last. */
  refused: readonly CredentialName[]
  /** Its budget allowed no login, and nothing was meant to be written there since. */
  mayNotBeAsked: boolean
  /**
   * Somebody else has written it, perhaps: it refused what was typed for the current credential although it was proved to
   * hold that, or was unlocked or made anew by nothing of ours. Nothing was ever meant to be written there.
   */
  mayBeOther: boolean
  /** It was proved to hold the new credential, and then refused what was typed for that: who is wrong nobody knows. */
  refusedTyped: boolean
  /** It refused the new credential by itself: of a cluster that refuses, only some HSM is known to. */
  refusedNewAlone: boolean
}

/** A cell before anything was seen of it. */
export const newRecord = (holds: Knowledge): CellRecord => ({
  holds,
  present: true,
  somewhereMissingSeq: 0,
  locked: false,
  lockedSeq: 0,
  inSight: true,
  mayAnswer: false,
  failures: undefined,
  different: null,
  registered: false,
  hasOtherId: false,
  missedFirst: { is: false, inPart: false },
  lastWrite: null,
  lastWriteDone: false,
  lastWriteSeq: 0,
  lastChangeSeq: 0,
  everChanged: false,
  oldFrom: null,
  heldCurrentAtFirst: false,
  refused: [],
  mayNotBeAsked: false,
  mayBeOther: false,
  refusedTyped: false,
  refusedNewAlone: false,
})

/** Nobody knows what it holds. */
export const unknownSince = (at: string, seq: number): Knowledge => ({
  state: 'unknown',
  proof: 'none',
  evidence: null,
  at,
  seq,
})

/**
 * The one word for a cell. What was proved stays true while the HSM is out of sight.
 * @param goingBack a rollback was begun: from then on `old` is a proof of it
 */
export const shownAs = (record: CellRecord, goingBack: boolean): KnownCell => {
  const { holds } = record
  const as = (state: CellState): KnownCell => ({ state, proof: 'none', evidence: null, observedAt: holds.at })
  if (!record.present) return { ...as('absent'), proof: record.lastWrite === null ? 'untouched' : 'none' }
  if (record.locked) return as('locked')
  const isProved = holds.state === 'new' || holds.state === 'other' || (goingBack && holds.state === 'old')
  if (!record.inSight && !isProved) return as(record.mayAnswer ? 'unknown' : 'unreachable')
  // One of the cluster lacks the user, and it may be this one: what was known of all of them is not so any more.
  const isAsMet = holds.proof === 'untouched' && record.missedFirst.inPart
  if (record.somewhereMissingSeq > holds.seq || (record.somewhereMissingSeq > 0 && isAsMet))
    return { ...as('unknown'), proof: isAsMet ? 'untouched' : 'none' }
  return { state: holds.state, proof: holds.proof, evidence: holds.evidence, observedAt: holds.at }
}
