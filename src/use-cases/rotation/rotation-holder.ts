import type { FoundLock, LockFinder } from '../../domain/cluster-lock.js'
import type { RotationId } from '../../domain/ids.js'
import type { JournalShelf } from '../../domain/rotation/journal.js'

/** Who works on a rotation, as its locks tell. */
export interface RotationHolder {
  readonly user: string
  readonly host: string
  readonly pid: number
  /** UTC, ISO 8601. */
  readonly since: string
  /** Whether the process is known to run; one of another machine gives no sign of life here. */
  readonly runs: boolean
}

/** What the locks of a rotation say of the processes that worked on it. */
export interface RotationHolders {
  /** Null where there is none, or its process is certainly gone. */
  readonly holder: RotationHolder | null
  /** One whose process is certainly gone, killed or crashed, without letting go; null where somebody holds it now. */
  readonly gone: RotationHolder | null
}

/** Who holds the locks of a rotation, or left them behind. */
export const holdersOf = async (locks: LockFinder, rotationId: RotationId): Promise<RotationHolders> => {
  const found = await locks.find(rotationId)
  const lock = found.find(({ process }) => process !== 'gone')
  const left = lock === undefined ? found[0] : undefined
  return { holder: shownHolder(lock), gone: shownHolder(left) }
}

const shownHolder = (lock: FoundLock | undefined): RotationHolder | null => {
  if (lock === undefined) return null
  const { user, host, pid, since } = lock.holder
  return { user, host, pid, since, runs: lock.process === 'runs' }
}

/** Rotations of this machine that hold a lock, or left one behind. */
export const lockedRotations = async (
  shelf: Pick<JournalShelf, 'list'>,
  locks: LockFinder,
): Promise<readonly RotationId[]> => {
  const locked: RotationId[] = []
  for (const rotationId of await shelf.list()) {
    if ((await locks.find(rotationId)).length > 0) locked.push(rotationId)
  }
  return locked
}
