import { type OperatorError, refusal } from '../../domain/errors.js'
import type { ClusterId, RotationId } from '../../domain/ids.js'
import { followReadable } from '../../domain/rotation/follow-rotation.js'
import type { JournalShelf } from '../../domain/rotation/journal.js'
import { RECOVER_ADVICE } from '../../domain/rotation/journal.js'
import type { RotationLedger } from '../../domain/rotation/ledger.js'
import { rotationDocument } from '../../domain/rotation/outcome.js'
import { type OutcomeWord, type Rotation, rotationOf } from '../../domain/rotation/rotation.js'
import type { Stage } from '../../domain/rotation/stage.js'

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
export const listRotations = async (shelf: JournalShelf): Promise<readonly ListedRotation[]> => {
  const rotations: ListedRotation[] = []
  for (const rotationId of await shelf.list()) {
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
    })
  }
  return rotations
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
    error: { code, message, suggestions },
  }
}
