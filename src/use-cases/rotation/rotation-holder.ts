import type { LockFinder } from '../../domain/cluster-lock.js'
import type { RotationId } from '../../domain/ids.js'

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

/** The holder of a rotation's locks; null where there is none, or its process is certainly gone. */
export const holderOf = async (locks: LockFinder, rotationId: RotationId): Promise<RotationHolder | null> => {
  const lock = (await locks.find(rotationId)).find(({ process }) => process !== 'gone')
  if (lock === undefined) return null
  const { user, host, pid, since } = lock.holder
  return { user, host, pid, since, runs: lock.process === 'runs' }
}
