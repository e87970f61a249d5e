import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type OperatorError, refusal } from '../domain/errors.js'
import { type HsmUserRef, officerType } from '../domain/hsm-user.js'
import type { ClusterId, HsmId } from '../domain/ids.js'
import type { LoginPlace, RefusedLogins } from '../domain/refused-logins.js'
import { fileTrouble } from './files/trouble.js'
import { writeAtomically } from './files/write-atomically.js'

interface Note {
  readonly at: string
  readonly count: number
  readonly credential?: string
}
type Noted = Record<string, Note>

/**
 * Refused logins in one JSON file, under `cluster TYPE:name` or `cluster/hsm TYPE:name`. Names fold case, and a PCO is a
 * CO, as on the HSMs. A file that cannot be read or written stops what asked for it: a login that is forgotten may be the
 * one too many that locks.
 * Every method throws {OperatorError} `REFUSED_LOGINS_UNREADABLE`, and those that write `STATE_UNWRITABLE` (exit 3).
 */
export const refusedLoginsFile = (path: string, now: () => Date): RefusedLogins => {
  const nameOf = ({ type, name }: HsmUserRef) => `${officerType(type)}:${name.toLowerCase()}`
  const keyOf = (user: HsmUserRef, { clusterId, hsmId }: LoginPlace) =>
    `${clusterId}${hsmId === null ? '' : `/${hsmId}`} ${nameOf(user)}`
  const read = async (): Promise<Noted> => {
    let text: string
    try {
      text = await readFile(path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
      throw unreadable(path, fileTrouble(error))
    }
    const noted = parseJson(text)
    if (!isNoted(noted)) throw unreadable(path, 'is damaged')
    return noted
  }
  // Lanes note at the same time; each change reads what the one before it wrote.
  let last: Promise<void> = Promise.resolve()
  const change = (edit: (noted: Noted) => boolean): Promise<void> => {
    const next = last.then(async () => {
      const noted = await read()
      if (!edit(noted)) return
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 })
        await writeAtomically(path, `${JSON.stringify(noted, null, 2)}\n`, { mode: 0o600 })
      } catch (error) {
        throw refusal('STATE_UNWRITABLE', `refused logins cannot be kept: ${path} ${fileTrouble(error)}`, [
          'free some space or make its folder writable for this user',
        ])
      }
    })
    last = next.catch(() => undefined)
    return next
  }
  return {
    async of(user, clusterIds) {
      await last
      return Object.entries(await read()).flatMap(([key, { at, count, credential = null }]) => {
        const [place = '', ...name] = key.split(' ')
        const [clusterId, hsmId = null] = place.split('/') as [ClusterId, HsmId?]
        const isMeant = name.join(' ') === nameOf(user) && clusterIds.includes(clusterId)
        return isMeant ? [{ clusterId, hsmId, at, count, credential }] : []
      })
    },
    note: (user, places, credential, isCounted = false) =>
      change((noted) => {
        for (const place of places) {
          const key = keyOf(user, place)
          const known = noted[key]?.count ?? 0
          const count = isCounted ? Math.max(1, known) : known + 1
          noted[key] = { at: now().toISOString(), count, ...(credential === null ? {} : { credential }) }
        }
        return true
      }),
    clear: (user, places) =>
      change((noted) => {
        const keys = places.map((place) => keyOf(user, place)).filter((key) => key in noted)
        for (const key of keys) delete noted[key]
        return keys.length > 0
      }),
  }
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isNoted = (value: unknown): value is Noted =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((entry) => typeof entry?.at === 'string' && Number.isInteger(entry.count))

const unreadable = (path: string, why: string): OperatorError =>
  refusal('REFUSED_LOGINS_UNREADABLE', `${path}, which counts the logins that were refused, ${why}`, [
    'restore it from a copy',
    'or move it away, once it is certain that no user is near its lock-out: what it counted is forgotten then',
  ])
