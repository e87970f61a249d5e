import type { ClusterLocks, HeldLock, LockFinder } from '../../domain/cluster-lock.js'

type Locks = ClusterLocks & LockFinder

/** Two kinds of lock as one: both are taken, the near one first, and both have to be held. */
export const locksTogether = (near: Locks, far: Locks): Locks => ({
  async acquire(clusterIds, rotationId) {
    const first = await near.acquire(clusterIds, rotationId)
    let second: HeldLock
    try {
      second = await far.acquire(clusterIds, rotationId)
    } catch (error) {
      await first.release()
      throw error
    }
    return {
      async name(id) {
        await first.name(id)
        await second.name(id)
      },
      async assertHeld() {
        await first.assertHeld()
        await second.assertHeld()
      },
      async release() {
        await second.release()
        await first.release()
      },
    }
  },
  async find(rotationId) {
    return [...(await near.find(rotationId)), ...(await far.find(rotationId))]
  },
})
