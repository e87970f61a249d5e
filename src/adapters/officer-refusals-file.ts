import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { OfficerRefusals } from '../domain/officer-refusals.js'
import { writeAtomically } from './files/write-atomically.js'

type Noted = Record<string, string>

/** Refused officers in one JSON file: `cluster name` -> when. Names fold case, as the HSMs do. */
export const officerRefusalsFile = (path: string, now: () => Date): OfficerRefusals => {
  const keyOf = (officer: string, clusterId: string) => `${clusterId} ${officer.toLowerCase()}`
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
    async find(officer, clusterIds) {
      const noted = await read()
      for (const clusterId of clusterIds) {
        const at = noted[keyOf(officer, clusterId)]
        if (at !== undefined) return { clusterId, at }
      }
      return null
    },
    note: (officer, clusterIds) =>
      change((noted) => {
        for (const clusterId of clusterIds) noted[keyOf(officer, clusterId)] = now().toISOString()
        return true
      }),
    clear: (officer, clusterIds) =>
      change((noted) => {
        const keys = clusterIds.map((clusterId) => keyOf(officer, clusterId)).filter((key) => key in noted)
        for (const key of keys) delete noted[key]
        return keys.length > 0
      }),
  }
}
