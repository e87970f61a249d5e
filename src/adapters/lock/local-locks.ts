import { randomUUID } from 'node:crypto'
import { link, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import type { ClusterLocks, HeldLock, LockFinder, LockHolder } from '../../domain/cluster-lock.js'
import { EXIT, OperatorError, refusal } from '../../domain/errors.js'
import type { ClusterId, RotationId } from '../../domain/ids.js'
import { fileTrouble } from '../files/trouble.js'
import { writeAtomically } from '../files/write-atomically.js'
import { lockedBy, lockLost } from './locked-by.js'
import { isGone, ownIdentity, type ProcessIdentity } from './process-identity.js'

/** What a lock file holds. `token` tells one taking of the lock from another. */
interface LockRecord extends LockHolder, ProcessIdentity {
  readonly token: string
}

/** What stands in a lock file that is cut short. */
const TORN = 'torn'

/** What stands in a lock file; null where there is none. */
type Found = LockRecord | typeof TORN | null

/** What local locks tell, and ask. */
interface LocalLocksParts {
  /** One line about what a rotation did last, for the refusal; null where it is not known. */
  readonly lastAction: (rotationId: RotationId) => Promise<string | null>
  /** Told what people should know, in one sentence. */
  readonly notice?: (text: string) => void
}

const MODE = 0o600

/**
 * Locks as files below `folder`, one per cluster. A lock is taken by linking a finished file into place, so it is
 * never seen half-written, and it goes stale only when its process is certainly gone: never by age, because a
 * stopped or sleeping holder may still have a command under way. A file that is cut short nevertheless was left by
 * a machine that lost its power before the content was on the disk: its holder is gone.
 */
export const localLocks = (
  folder: string,
  now: () => Date,
  { lastAction, notice = () => {} }: LocalLocksParts,
): ClusterLocks & LockFinder => {
  const pathOf = (clusterId: ClusterId) => join(folder, `${clusterId}.lock`)

  const take = async (clusterId: ClusterId, record: LockRecord): Promise<void> => {
    const path = pathOf(clusterId)
    for (;;) {
      try {
        await writeAtomically(path, JSON.stringify(record), { mode: MODE, exclusive: true })
        return
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const holder = await readRecord(path)
      if (holder === null) continue
      if (holder === TORN) notice(`${cutShort(path)}; it is taken over`)
      else if (!isGone(holder)) throw await locked(clusterId, holder)
      await removeStale(path, holder, record.token)
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
          if (isOf(current, record.token)) await rm(path, { force: true }).catch(() => undefined)
        }
      }
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        for (const clusterId of [...new Set(clusterIds)].sort()) {
          // First: what is released is only what turns out to be ours.
          held.push(clusterId)
          await take(clusterId, record)
        }
      } catch (error) {
        await release()
        if (error instanceof OperatorError) throw error
        throw unwritable(folder, error)
      }
      const lock: HeldLock = {
        async name(rotationId) {
          record = { ...record, rotationId }
          for (const clusterId of held) {
            await writeAtomically(pathOf(clusterId), JSON.stringify(record), { mode: MODE }).catch((error: unknown) => {
              throw unwritable(folder, error)
            })
          }
        },
        async assertHeld() {
          for (const clusterId of held) {
            const current = await readRecord(pathOf(clusterId))
            if (isOf(current, record.token)) continue
            const how = current === TORN ? 'is damaged' : 'was taken over by somebody else'
            throw lockLost(`the lock on ${clusterId} ${how}`)
          }
        },
        release,
      }
      return lock
    },
    async find(rotationId) {
      const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return []
        throw unreadable(folder, fileTrouble(error))
      })
      const found = []
      for (const name of names.filter((entry) => entry.endsWith('.lock')).sort()) {
        const path = join(folder, name)
        const record = await readRecord(path)
        if (record === TORN) notice(`${cutShort(path)}; the next rotation on that cluster takes it over`)
        if (record === null || record === TORN || record.rotationId !== rotationId) continue
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
const removeStale = async (path: string, stale: LockRecord | typeof TORN, token: string): Promise<void> => {
  const aside = `${path}.${token}`
  try {
    await rename(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const moved = await readRecord(aside).catch(() => 'unreadable' as const)
  const same = stale === TORN ? moved === TORN : moved !== 'unreadable' && isOf(moved, stale.token)
  if (moved !== null && !same) await link(aside, path).catch(() => undefined)
  await rm(aside, { force: true })
}

const isOf = (found: Found, token: string): boolean => found !== null && found !== TORN && found.token === token

/** @throws {OperatorError} `LOCK_UNREADABLE` (exit 5): somebody may hold it */
const readRecord = async (path: string): Promise<Found> => {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw unreadable(path, fileTrouble(error))
  }
  let record: unknown
  try {
    record = JSON.parse(text)
  } catch {
    return TORN
  }
  if (!isLockRecord(record)) throw unreadable(path, 'holds something else than a lock')
  return record
}

const isLockRecord = (value: unknown): value is LockRecord => {
  const { token, host, pid, user, since, bootId, startTicks, rotationId } = (value ?? {}) as Partial<
    Record<keyof LockRecord, unknown>
  >
  return (
    [token, host, user, since].every((text) => typeof text === 'string') &&
    [bootId, startTicks, rotationId].every((text) => text === null || typeof text === 'string') &&
    typeof pid === 'number'
  )
}

const cutShort = (path: string): string =>
  `the lock ${path} is cut short, as a machine leaves it that lost its power, and nobody holds it`

const unwritable = (folder: string, error: unknown): OperatorError =>
  refusal('STATE_UNWRITABLE', `locks cannot be kept in ${folder}: ${(error as Error).message}`, [
    'set LOCKSTEP_STATE_DIR to a folder that can be written',
  ])

const unreadable = (path: string, why: string): OperatorError =>
  new OperatorError('LOCK_UNREADABLE', `the lock ${path} ${why}`, {
    exitCode: EXIT.locked,
    suggestions: [
      'make it readable for this user',
      'where it is certain that nobody works on its cluster: move it to another folder',
    ],
  })
