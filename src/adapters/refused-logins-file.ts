import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type HsmUserRef, officerType } from '../domain/hsm-user.js'
import type { RefusedLogins } from '../domain/refused-logins.js'
import { writeAtomically } from './files/write-atomically.js'

type Noted = Record<string, { readonly at: string; readonly count: number }>

/** Refused logins in one JSON file, under `cluster TYPE:name`. Names fold case, and a PCO is a CO, as on the HSMs. */
export const refusedLoginsFile = (path: string, now: () => Date): RefusedLogins => {
  const keyOf = ({ type, name }: HsmUserRef, clusterId: string) =>
    `${clusterId} ${officerType(type)}:${name.toLowerCase()}`
  const read = async (): Promise<Noted> => {
    try {
      return JSON.parse(await readFile(path, 'utf8')) as Noted
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
      throw error
    }
  }
  // Lanes note at the same time; each change reads what the one before it wrote.
  let last: Promise<void> = Promise.resolve()
  const change = (edit: (noted: Noted) => boolean): Promise<void> => {
    const next = last.then(async () => {
      const noted = await read()
      if (!edit(noted)) return
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await writeAtomically(path, `${JSON.stringify(noted, null, 2)}\n`, { mode: 0o600 })
    })
    last = next.catch(() => undefined)
    return next
  }
  return {
    async find(user, clusterIds) {
      const noted = await read()
      const found = clusterIds.flatMap((clusterId) => {
        const refused = noted[keyOf(user, clusterId)]
        return refused === undefined ? [] : [{ clusterId, ...refused }]
      })
      return found.sort((a, b) => b.count - a.count)[0] ?? null
    },
    note: (user, clusterIds) =>
      change((noted) => {
        for (const clusterId of clusterIds) {
          const key = keyOf(user, clusterId)
          noted[key] = { at: now().toISOString(), count: (noted[key]?.count ?? 0) + 1 }
        }
        return true
      }),
    clear: (user, clusterIds) =>
      change((noted) => {
        const keys = clusterIds.map((clusterId) => keyOf(user, clusterId)).filter((key) => key in noted)
        for (const key of keys) delete noted[key]
        return keys.length > 0
      }),
  }
}
