import { randomUUID } from 'node:crypto'
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import type { ClusterLocks, HeldLock, LockFinder, LockHolder } from '../../domain/cluster-lock.js'
import { EXIT, OperatorError, refusal } from '../../domain/errors.js'
import type { ClusterId, RotationId } from '../../domain/ids.js'
import { lockedBy } from './locked-by.js'
import { isGone, ownIdentity, type ProcessIdentity } from './process-identity.js'

/** What a lock file holds. `token` tells one taking of the lock from another. */
interface LockRecord extends LockHolder, ProcessIdentity {
  readonly token: string
}

/**
 * Locks as files below `folder`, one per cluster. A lock is taken by linking a finished file into place, so it is
 * never seen half-written, and it goes stale only when its process is certainly gone: never by age, because a
 * stopped or sleeping holder may still have a command under way.
 * @param lastAction one line about what a rotation did last, for the refusal
 */
export const localLocks = (
  folder: string,
  now: () => Date,
  lastAction: (rotationId: RotationId) => Promise<string | null>,
): ClusterLocks & LockFinder => {
  const pathOf = (clusterId: ClusterId) => join(folder, `${clusterId}.lock`)

  const take = async (clusterId: ClusterId, record: LockRecord): Promise<void> => {
    const path = pathOf(clusterId)
    const mine = join(folder, `.${clusterId}.${record.token}`)
    await writeFile(mine, JSON.stringify(record), { mode: 0o600, flag: 'wx' })
    try {
      for (;;) {
        try {
          await link(mine, path)
          return
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
        }
        const holder = await readRecord(path)
        if (holder === null) continue
        if (!isGone(holder)) throw await locked(clusterId, holder)
        await removeStale(path, holder, record.token)
      }
    } finally {
      await rm(mine, { force: true })
    }
  }

  const locked = async (clusterId: ClusterId, holder: LockRecord): Promise<OperatorError> =>
    lockedBy(clusterId, holder, holder.rotationId === null ? null : await lastAction(holder.rotationId))

  return {
    async acquire(clusterIds) {
      let record: LockRecord = {
        ...ownIdentity(),
        rotationId: null,
        user: userInfo().username,
        since: now().toISOString(),
        token: randomUUID(),
      }
      const held: ClusterId[] = []
      const release = async () => {
        for (const clusterId of held.splice(0)) {
          const path = pathOf(clusterId)
          const current = await readRecord(path).catch(() => null)
          if (current?.token === record.token) await rm(path, { force: true }).catch(() => undefined)
        }
      }
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        for (const clusterId of [...new Set(clusterIds)].sort()) {
          await take(clusterId, record)
          held.push(clusterId)
        }
      } catch (error) {
        await release()
        if (error instanceof OperatorError) throw error
        throw refusal('STATE_UNWRITABLE', `locks cannot be kept in ${folder}: ${(error as Error).message}`, [
          'set LOCKSTEP_STATE_DIR to a folder that can be written',
        ])
      }
      const lock: HeldLock = {
        async name(rotationId) {
          record = { ...record, rotationId }
          for (const clusterId of held) {
            const draft = join(folder, `.${clusterId}.${record.token}`)
            await writeFile(draft, JSON.stringify(record), { mode: 0o600 })
            await rename(draft, pathOf(clusterId))
          }
        },
        async assertHeld() {
          for (const clusterId of held) {
            const current = await readRecord(pathOf(clusterId))
            if (current?.token === record.token) continue
            throw new OperatorError('LOCK_LOST', `the lock on ${clusterId} was taken over by somebody else`, {
              exitCode: EXIT.locked,
            })
          }
        },
        release,
      }
      return lock
    },
    async find(rotationId) {
      const names = await readdir(folder).catch(() => [])
      const found = []
      for (const name of names.filter((entry) => entry.endsWith('.lock')).sort()) {
        const path = join(folder, name)
        const record = await readRecord(path)
        if (record?.rotationId !== rotationId) continue
        const remove = async () => {
          await removeStale(path, record, randomUUID())
          return (await readRecord(path)) === null
        }
        const process = isGone(record) ? 'gone' : record.host === hostname() ? 'runs' : 'unknown'
        const clusterId = name.slice(0, -'.lock'.length) as ClusterId
        found.push({ clusterId, holder: record, process, place: 'this machine', leased: false, remove } as const)
      }
      return found
    },
  }
}

/**
 * Moves a dead holder's lock out of the way. If another process did so first and holds the lock now, its file is put
 * back; a holder notices in any case, because it looks at its lock before each command.
 */
const removeStale = async (path: string, stale: LockRecord, token: string): Promise<void> => {
  const aside = `${path}.${token}`
  try {
    await rename(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const moved = await readRecord(aside)
  if (moved !== null && moved.token !== stale.token) await link(aside, path).catch(() => undefined)
  await rm(aside, { force: true })
}

const readRecord = async (path: string): Promise<LockRecord | null> => {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as LockRecord
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
