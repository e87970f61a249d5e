import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { BackupRecordFile } from '../../src/adapters/backup-record-file.js'
import { stateDirectory } from '../../src/adapters/state-directory.js'
import type { BackupRecord } from '../../src/domain/backup-record.js'
import type { RegionName } from '../../src/domain/ids.js'

const record = (backupId: string): BackupRecord => ({
  backupId,
  region: 'eu-west-1' as RegionName,
  account: null,
  clusterId: 'cluster-aaaaaaaaaaa',
  sourceRegion: null,
  sourceBackup: null,
  sourceCluster: null,
  seen: 'live',
})

describe('the backup record file', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lockstep-records-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const path = (): string => join(folder, 'state', 'backup-records.jsonl')

  test('keeps what was added, over several runs, for its owner alone', async () => {
    await new BackupRecordFile(join(folder, 'state')).add([record('backup-b')])
    await new BackupRecordFile(join(folder, 'state')).add([record('backup-a'), record('backup-b')])
    const loaded = await new BackupRecordFile(join(folder, 'state')).load()
    expect(loaded).toEqual(['backup-a', 'backup-b'].map((id) => ({ ...record(id), seen: 'cached' })))
    expect(statSync(path()).mode & 0o777).toBe(0o600)
  })

  test('a line cut short costs that record alone', async () => {
    const file = new BackupRecordFile(join(folder, 'state'))
    await file.add([record('backup-a'), record('backup-b')])
    writeFileSync(path(), readFileSync(path(), 'utf8').slice(0, -20))
    expect((await file.load()).map(({ backupId }) => backupId)).toEqual(['backup-a'])
  })

  test('is empty before the first run, and a folder that cannot be made fails nothing', async () => {
    writeFileSync(join(folder, 'state'), 'a file where the folder should be')
    chmodSync(join(folder, 'state'), 0o400)
    const file = new BackupRecordFile(join(folder, 'state'))
    expect(await file.load()).toEqual([])
    await file.add([record('backup-a')])
    expect(await file.load()).toEqual([])
  })
})

test('the state directory is LOCKSTEP_STATE_DIR, else below the XDG one', () => {
  expect(stateDirectory({ LOCKSTEP_STATE_DIR: '/x/y', XDG_STATE_HOME: '/s' })).toBe('/x/y')
  expect(stateDirectory({ XDG_STATE_HOME: '/s' })).toBe('/s/lockstep')
  expect(stateDirectory({ XDG_STATE_HOME: 'relative' })).toMatch(/\/\.local\/state\/lockstep$/)
  expect(stateDirectory({})).toMatch(/\/\.local\/state\/lockstep$/)
})
