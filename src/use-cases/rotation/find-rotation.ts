import { refusal } from '../../domain/errors.js'
import type { ClusterId, RotationId } from '../../domain/ids.js'
import { followRotation } from '../../domain/rotation/follow-rotation.js'
import type { JournalShelf } from '../../domain/rotation/journal.js'
import { type OutcomeWord, rotationDocument } from '../../domain/rotation/outcome.js'
import type { Stage } from '../../domain/rotation/stage.js'

/** One line of `rotate list`. */
export interface ListedRotation {
  readonly rotationId: RotationId
  /** UTC, ISO 8601. */
  readonly startedAt: string
  readonly outcome: OutcomeWord
  readonly stage: Stage | null
  readonly users: readonly string[]
  readonly clusterIds: readonly ClusterId[]
  /** Cells that hold the new credential, and all cells. */
  readonly new: number
  readonly total: number
}

/** @throws {OperatorError} `NO_ROTATION` */
export const newestRotation = async (shelf: JournalShelf): Promise<RotationId> => {
  const newest = (await shelf.list()).at(-1)
  if (newest !== undefined) return newest
  throw refusal('NO_ROTATION', 'there is no rotation on this machine', [
    'lockstep rotate start',
    'LOCKSTEP_STATE_DIR names the folder that journals are kept in',
  ])
}

/** All rotations known here, oldest first. */
export const listRotations = async (shelf: JournalShelf): Promise<readonly ListedRotation[]> => {
  const rotations: ListedRotation[] = []
  for (const rotationId of await shelf.list()) {
    const { ledger } = await followRotation(shelf, rotationId)
    const { startedAt, outcome, stage, users, cells, coverage } = rotationDocument(ledger.rotation())
    rotations.push({
      rotationId,
      startedAt,
      outcome,
      stage,
      users,
      clusterIds: coverage.map(({ clusterId }) => clusterId),
      new: coverage.reduce((sum, cluster) => sum + cluster.new, 0),
      total: cells.length,
    })
  }
  return rotations
}
