import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { BackupRecord } from '../domain/backup-record.js'
import type { BackupRecordCache } from '../domain/ports.js'
import { writeAtomically } from './files/write-atomically.js'

const Stored = z.object({
  backupId: z.string(),
  region: z.string(),
  account: z.string().nullable(),
  clusterId: z.string().nullable(),
  sourceRegion: z.string().nullable(),
  sourceBackup: z.string().nullable(),
  sourceCluster: z.string().nullable(),
})

/**
 * `backup-records.jsonl` in the state directory: one record a line, written as a whole and renamed into place. Two
 * runs that write at once may lose a record of one of them, which the next run reads from AWS again.
 */
export class BackupRecordFile implements BackupRecordCache {
  readonly #path: string

  constructor(stateDirectory: string) {
    this.#path = join(stateDirectory, 'backup-records.jsonl')
  }

  async load(): Promise<readonly BackupRecord[]> {
    const text = await readFile(this.#path, 'utf8').catch(() => '')
    return text.split('\n').flatMap(parseLine)
  }

  async add(records: readonly BackupRecord[]): Promise<void> {
    if (records.length === 0) return
    const before = new Map((await this.load()).map((record) => [keyOf(record), line(record)]))
    const after = new Map(before)
    for (const record of records) after.set(keyOf(record), line(record))
    if ([...after].every(([key, text]) => before.get(key) === text)) return
    const text = [...after.values()].sort().join('')
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 })
      .then(() => writeAtomically(this.#path, text, { mode: 0o600 }))
      .catch(() => undefined)
  }
}

const keyOf = ({ region, backupId }: BackupRecord): string => `${region}/${backupId}`

const line = ({ seen: _, ...record }: BackupRecord): string => `${JSON.stringify(record, Object.keys(Stored.shape))}\n`

/** A line that was cut short or edited counts as not there. */
const parseLine = (text: string): BackupRecord[] => {
  try {
    return [{ ...(Stored.parse(JSON.parse(text)) as Omit<BackupRecord, 'seen'>), seen: 'cached' }]
  } catch {
    return []
  }
}
