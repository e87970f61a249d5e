import { randomUUID } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { ClusterLocks, LockFinder } from '../../../domain/cluster-lock.js'
import type { ClusterId, RotationId } from '../../../domain/ids.js'
import { lockedBy } from '../locked-by.js'
import { isGone, ownIdentity } from '../process-identity.js'
import { type LeaseClock, systemClock } from './clock.js'
import { Lease, type LeaseTimes } from './lease.js'
import type { LockItem, LockTable, SharedHolder } from './lock-table.js'

/** What shared locks need. */
export interface SharedLocksParts {
  readonly table: LockTable
  readonly times: LeaseTimes
  /** The newest line of a rotation's journal in a few words; null where it cannot be read. */
  readonly lastAction: (rotationId: RotationId) => Promise<string | null>
  /** Whether the journal on this machine says that a rotation is finished. */
  readonly isFinished: (rotationId: RotationId) => Promise<boolean>
  /** Told about a wait. */
  readonly notice?: (text: string) => void
  readonly clock?: LeaseClock
  /** Who takes locks here; this process unless a test is somebody else. */
  readonly self?: Self
}

type Self = Pick<SharedHolder, 'host' | 'bootId' | 'pid' | 'startTicks' | 'pidNamespace' | 'user'>

/** A lease beyond the command time-out that a few missed heartbeats do not use up. */
export const leaseTimes = (commandMs: number): LeaseTimes => ({
  commandMs,
  leaseMs: commandMs + 120_000,
  heartbeatMs: 30_000,
})

/**
 * Locks that other machines see: one item per cluster in a DynamoDB table, taken by conditional writes. A lock whose
 * lease has run out is taken over only after its holder was silent for two heartbeats more, so a clock that goes wrong
 * does not count as a death; and not at all while it belongs to another rotation that is not finished: that one's
 * HSMs have to be observed first, which resume, rollback and recover do.
 */
export const sharedLocks = (parts: SharedLocksParts): ClusterLocks & LockFinder => {
  const { table, times, lastAction, isFinished, notice = () => {}, clock = systemClock, self = thisProcess() } = parts

  const take = async (clusterId: ClusterId, holder: SharedHolder, rotationId: RotationId | null): Promise<number> => {
    for (;;) {
      const leaseUntil = () => clock.wall() + times.leaseMs
      const fence = await table.take(clusterId, holder, leaseUntil(), null)
      if (fence !== null) return fence
      const item = await table.get(clusterId)
      if (item === null || item.holder === null) continue
      // Our own, whose answer was lost on the way.
      if (item.holder.claim === holder.claim) return item.fence
      if (!(await isDead(item, item.holder))) throw lockedBy(clusterId, item.holder, item.holder.lastAction)
      await refuseUnfinished(item, item.holder, rotationId)
      const taken = await table.take(clusterId, holder, leaseUntil(), item)
      if (taken !== null) return taken
    }
  }

  const isDead = async (item: LockItem, holder: SharedHolder): Promise<boolean> => {
    if (isHere(holder, self)) return isGone(holder)
    if (clock.wall() <= item.leaseUntil) return false
    const silenceMs = 2 * holder.heartbeatMs
    notice(
      `the lease of ${holder.user}@${holder.host} on ${item.clusterId} has run out; watching ${Math.ceil(silenceMs / 1000)} s for a sign of life`,
    )
    await clock.sleep(silenceMs)
    const now = await table.get(item.clusterId)
    return now === null || (now.fence === item.fence && now.renewals === item.renewals)
  }

  const refuseUnfinished = async (item: LockItem, holder: SharedHolder, rotationId: RotationId | null) => {
    const left = holder.rotationId
    if (left === null || left === rotationId || (await isFinished(left))) return
    throw lockedBy(item.clusterId, holder, `${holder.lastAction ?? 'unknown'}; it gives no sign of life any more`, [
      `on ${holder.host}: lockstep rotate resume --rotation ${left}`,
      'where its journal is lost: lockstep rotate recover',
      `once its HSMs are known: lockstep rotate unlock --rotation ${left} --lock dynamodb:${table.name}`,
    ])
  }

  return {
    async acquire(clusterIds, rotationId) {
      const since = { wall: clock.wall(), steady: clock.steady() }
      const holder: SharedHolder = {
        ...self,
        rotationId: null,
        since: new Date(since.wall).toISOString(),
        claim: randomUUID(),
        heartbeatMs: times.heartbeatMs,
        lastAction: null,
      }
      const fences = new Map<ClusterId, number>()
      try {
        for (const clusterId of [...new Set(clusterIds)].sort()) {
          fences.set(clusterId, await take(clusterId, holder, rotationId ?? null))
        }
      } catch (error) {
        await Promise.allSettled([...fences].map(([clusterId, fence]) => table.free(clusterId, fence)))
        throw error
      }
      return new Lease({ table, times, clock, lastAction }, holder, fences, since)
    },

    async find(rotationId) {
      const items = (await table.all()).toSorted((a, b) => (a.clusterId < b.clusterId ? -1 : 1))
      return items.flatMap((item) => {
        const { clusterId, holder, fence } = item
        if (holder?.rotationId !== rotationId) return []
        const here = isHere(holder, self)
        const lives = here ? !isGone(holder) : clock.wall() <= item.leaseUntil
        const process = lives ? 'runs' : here ? 'gone' : 'unknown'
        const place = `the table ${table.name}`
        const remove = () => table.free(clusterId, fence)
        return [{ clusterId, holder, process, place, leased: true, remove } as const]
      })
    },
  }
}

/** Whether a process number of the holder means the same here: the same machine since its last start. */
const isHere = (holder: SharedHolder, self: Self): boolean =>
  holder.host === self.host &&
  holder.bootId !== null &&
  holder.bootId === self.bootId &&
  holder.pidNamespace === self.pidNamespace

const thisProcess = (): Self => ({ ...ownIdentity(), user: userInfo().username, pidNamespace: pidNamespace() })

const pidNamespace = (): string | null => {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return null
  }
}
