import type { LockFinder } from '../../domain/cluster-lock.js'
import { OperatorError, refusal } from '../../domain/errors.js'
import type { ClusterId, RotationId } from '../../domain/ids.js'
import { followReadable } from '../../domain/rotation/follow-rotation.js'
import type { JournalShelf } from '../../domain/rotation/journal.js'
import { RECOVER_ADVICE } from '../../domain/rotation/journal.js'
import type { RotationLedger } from '../../domain/rotation/ledger.js'
import { type RotationDocument, rotationDocument } from '../../domain/rotation/outcome.js'
import { type OutcomeWord, type Rotation, rotationOf } from '../../domain/rotation/rotation.js'
import type { Stage } from '../../domain/rotation/stage.js'
import { holdersOf } from './rotation-holder.js'

/** One line of `rotate list`. */
export interface ListedRotation {
  readonly rotationId: RotationId
  /** UTC, ISO 8601; null where not even the beginning of its journal can be read. */
  readonly startedAt: string | null
  /** `broken`: its journal cannot be read to its end. */
  readonly outcome: OutcomeWord | 'broken'
  readonly stage: Stage | null
  /** Null where not even the beginning of its journal can be read. */
  readonly procedure: Rotation['facts']['procedure'] | null
  readonly direction: Rotation['direction'] | null
  readonly users: readonly string[]
  readonly clusterIds: readonly ClusterId[]
  /** Cells that hold the new credential, the old one, and all cells; null where they are not known. */
  readonly new: number | null
  readonly old: number | null
  readonly total: number | null
  /** HSMs and clusters that are owed the credential. */
  readonly debts: number | null
  /**
   * Of one that is not finished, what its locks say of the process that worked on it last: `gone` was killed or crashed,
   * `unknown` is on another machine. Null where nobody holds a lock.
   */
  readonly process: 'runs' | 'unknown' | 'gone' | null
  /** Why its journal cannot be read. */
  readonly error?: { readonly code: string; readonly message: string; readonly suggestions: readonly string[] }
}

/** @throws {OperatorError} `NO_ROTATION` */
export const newestRotation = async (shelf: JournalShelf): Promise<RotationId> => {
  const newest = (await shelf.list()).at(-1)
  if (newest !== undefined) return newest
  throw refusal('NO_ROTATION', 'there is no rotation on this machine', [
    'lockstep rotate start',
    'LOCKSTEP_STATE_DIR names the folder that journals are kept in',
    RECOVER_ADVICE,
  ])
}

/** All rotations known here, oldest first. A journal that cannot be read is named and keeps no other from being listed. */
export const listRotations = async (shelf: JournalShelf, locks: LockFinder): Promise<readonly ListedRotation[]> => {
  const rotations: ListedRotation[] = []
  for (const rotationId of await shelf.list()) {
    // The locks first: a run that ends in between has written its end before it let them go.
    const process = await processOf(locks, rotationId)
    const { ledger, trouble } = await followReadable(shelf, rotationId)
    if (trouble !== null) {
      rotations.push(brokenRotation(rotationId, ledger, trouble))
      continue
    }
    const { startedAt, outcome, stage, procedure, direction, users, cells, coverage, debts } = rotationDocument(
      rotationOf(ledger),
    )
    rotations.push({
      rotationId,
      startedAt,
      outcome,
      stage,
      procedure,
      direction,
      users,
      clusterIds: coverage.map(({ clusterId }) => clusterId),
      new: coverage.reduce((sum, cluster) => sum + cluster.new, 0),
      total: cells.length,
      old: cells.filter(({ state }) => state === 'old').length,
      debts: debts.length,
      process: outcome === 'paused' ? process : null,
    })
  }
  return rotations
}

/** Null also where a lock cannot be read: the list is of the journals. */
const processOf = async (locks: LockFinder, rotationId: RotationId): Promise<ListedRotation['process']> => {
  try {
    const { holder, gone } = await holdersOf(locks, rotationId)
    if (holder !== null) return holder.runs ? 'runs' : 'unknown'
    return gone === null ? null : 'gone'
  } catch (error) {
    if (error instanceof OperatorError) return null
    throw error
  }
}

/** What another rotation of this machine still owes. */
export interface OwedElsewhere extends Pick<RotationDocument, 'rotationId' | 'startedAt' | 'direction' | 'debts'> {}

/** Rotations but this one that left a debt which nobody has paid since, oldest first. */
export const owedBeside = async (shelf: JournalShelf, shown: RotationId): Promise<readonly OwedElsewhere[]> => {
  const owed: OwedElsewhere[] = []
  for (const id of await shelf.list()) {
    if (id === shown) continue
    const { ledger, trouble } = await followReadable(shelf, id)
    if (trouble !== null) continue
    const { rotationId, startedAt, direction, outcome, debts } = rotationDocument(rotationOf(ledger))
    if (outcome !== 'paused' && debts.length > 0) owed.push({ rotationId, startedAt, direction, debts })
  }
  return owed
}

/** What the beginning of the journal says it is about; what became of it is not known. */
const brokenRotation = (
  rotationId: RotationId,
  ledger: RotationLedger | null,
  { code, message, suggestions }: OperatorError,
): ListedRotation => {
  const document = ledger === null ? null : rotationDocument(rotationOf(ledger))
  return {
    rotationId,
    startedAt: document?.startedAt ?? null,
    outcome: 'broken',
    stage: null,
    procedure: document?.procedure ?? null,
    direction: document?.direction ?? null,
    users: document?.users ?? [],
    clusterIds: document?.coverage.map(({ clusterId }) => clusterId) ?? [],
    new: null,
    total: null,
    old: null,
    debts: null,
    process: null,
    error: { code, message, suggestions },
  }
}
