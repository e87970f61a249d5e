import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { LockTable } from '../../src/adapters/lock/dynamodb/lock-table.js'
import { sharedLocks } from '../../src/adapters/lock/dynamodb/shared-locks.js'
import { localLocks } from '../../src/adapters/lock/local-locks.js'
import { locksTogether } from '../../src/adapters/lock/locks-together.js'
import { rotationLocks } from '../../src/adapters/rotation-state.js'
import type { ClusterId, RotationId } from '../../src/domain/ids.js'
import type { JournalShelf } from '../../src/domain/rotation/journal.js'
import { type LockTables, startLockTables } from '../helpers/lock-tables.js'
import { ROTATION } from '../helpers/rotation.js'
import { run } from '../helpers/run-command.js'
import { tempFolders } from '../helpers/temp-folder.js'

const newFolder = tempFolders()
const [one, two] = ['cluster-aaaaaaaaaaa', 'cluster-bbbbbbbbbbb'] as [ClusterId, ClusterId]
const OTHER = 'r-20260302-031500-else'
const saved = { ...process.env }
let tables: LockTables

beforeAll(async () => {
  tables = await startLockTables()
  Object.assign(process.env, tables.env)
})
afterAll(async () => {
  process.env = saved
  await tables.stop()
})

const locksIn = (folder: string, notice?: (text: string) => void) =>
  localLocks(folder, () => new Date(), { lastAction: async () => null, ...(notice === undefined ? {} : { notice }) })

/** Makes the lock one of somebody else: a process that is gone, or on another machine. */
const hand = async (folder: string, clusterId: ClusterId, change: object): Promise<void> => {
  const path = join(folder, `${clusterId}.lock`)
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...change }))
}

const gonePid = async (): Promise<number> => {
  const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' })
  await once(child, 'exit')
  return child.pid ?? 0
}

const unlock = async (folder: string, ...more: string[]) => {
  const { stdout, exitCode } = await run(['rotate', 'unlock', '--rotation', ROTATION, '--json', ...more], {
    lockFinder: async (lock) => {
      if (lock === undefined) return locksIn(folder)
      const table = new LockTable(lock.form.table, tables.env)
      const parts = { lastAction: async () => null, isFinished: async () => false }
      const times = { commandMs: 0, leaseMs: 60_000, heartbeatMs: 3_600_000 }
      return locksTogether(locksIn(folder), sharedLocks({ table, times, ...parts }))
    },
  })
  return { exitCode, document: JSON.parse(stdout) }
}

describe('rotate unlock', () => {
  test('removes the locks of a process that is gone, and no others', async () => {
    const folder = await newFolder()
    await (await locksIn(folder).acquire([one])).name(ROTATION)
    await (await locksIn(folder).acquire([two])).name(OTHER as typeof ROTATION)
    await hand(folder, one, { pid: await gonePid() })
    expect(await unlock(folder)).toEqual({ exitCode: 0, document: { rotationId: ROTATION, removed: [one] } })
    expect(await readdir(folder)).toEqual([`${two}.lock`])
    expect(await unlock(folder)).toEqual({ exitCode: 0, document: { rotationId: ROTATION, removed: [] } })
  })

  test('refuses while the holder runs', async () => {
    const folder = await newFolder()
    const held = await locksIn(folder).acquire([one])
    await held.name(ROTATION)
    const { exitCode, document } = await unlock(folder, '--yes')
    expect([exitCode, document.error.code]).toEqual([5, 'LOCKED'])
    const advice = document.error.suggestions.join()
    expect(advice).toContain(`kill -INT ${process.pid}`)
    expect(advice).not.toContain('lease')
    await held.assertHeld()
  })

  test('asks about a holder on another machine, and takes no answer for no', async () => {
    const folder = await newFolder()
    await (await locksIn(folder).acquire([one])).name(ROTATION)
    await hand(folder, one, { host: 'elsewhere' })
    const declined = await unlock(folder)
    expect([declined.exitCode, declined.document.error.code]).toEqual([3, 'DECLINED'])
    expect(await readdir(folder)).toEqual([`${one}.lock`])
    expect((await unlock(folder, '--yes')).document).toEqual({ rotationId: ROTATION, removed: [one] })
    expect(await readdir(folder)).toEqual([])
  })

  test('removes shared locks that another machine left behind, once their lease has run out', async () => {
    const folder = await newFolder()
    const name = await tables.create()
    const table = new LockTable(name, tables.env)
    const elsewhere = (wall: number) =>
      sharedLocks({
        table,
        times: { commandMs: 0, leaseMs: 60_000, heartbeatMs: 3_600_000 },
        lastAction: async () => null,
        isFinished: async () => false,
        self: { host: 'elsewhere', bootId: 'b', pid: 1, startTicks: '1', pidNamespace: null, user: 'u' },
        clock: { wall: () => wall, steady: () => 0, sleep: async () => {} },
      })
    const held = await elsewhere(Date.now()).acquire([one, two])
    await held.name(ROTATION)
    const refused = await unlock(folder, '--lock', `dynamodb:${name}`, '--yes')
    expect(refused.exitCode).toBe(5)
    expect(refused.document.error.suggestions.join()).toContain('its lease runs out within minutes')
    await held.release()
    await (await elsewhere(Date.now() - 120_000).acquire([one, two])).name(ROTATION)
    expect((await unlock(folder, '--lock', `dynamodb:${name}`)).exitCode).toBe(3)
    expect((await unlock(folder, '--lock', `dynamodb:${name}`, '--yes')).document.removed).toEqual([one, two])
    expect((await table.get(one))?.holder).toBeNull()
  })

  test('works on the locks below the state directory, and on those --lock names', async () => {
    process.env['LOCKSTEP_STATE_DIR'] = await newFolder()
    const name = await tables.create()
    const lock = { form: { kind: 'dynamodb', table: name }, commandMs: 1000, notice: () => {} } as const
    const held = await (await rotationLocks(lock)).acquire([one])
    await held.name(ROTATION)
    const { stdout, exitCode } = await run(['rotate', 'unlock', '--rotation', ROTATION, '--lock', `dynamodb:${name}`])
    expect([exitCode, stdout]).toEqual([5, ''])
    await held.release()
    const none = await run(['rotate', 'unlock', '--rotation', ROTATION, '--lock', `dynamodb:${name}`])
    expect([none.exitCode, none.stdout]).toEqual([0, `${ROTATION} holds no lock\n`])
  })

  test.each([
    ['nothing', ''],
    ['half of it', '{"host":"here","bootId":"'],
    ['zeros', '\0'.repeat(200)],
  ])('a lock of which a power failure left %s holds nobody up, and that is said', async (_, text) => {
    const state = await newFolder()
    process.env['LOCKSTEP_STATE_DIR'] = state
    await mkdir(join(state, 'locks'))
    const path = join(state, 'locks', `${one}.lock`)
    await writeFile(path, text)
    const { stdout, stderr, exitCode } = await run(['rotate', 'unlock', '--rotation', ROTATION])
    expect([exitCode, stdout]).toEqual([0, `${ROTATION} holds no lock\n`])
    expect(stderr).toContain(`the lock ${path} is cut short, as a machine leaves it that lost its power`)
    const held = await (await rotationLocks()).acquire([one])
    await held.assertHeld()
    await held.release()
  })

  test.each([
    [['--rotation', 'nonsense'], 'ROTATION_MALFORMED'],
    [[], 'FLAG_MISSING'],
    [['--rotation', ROTATION, '--lock', 'redis:x'], 'LOCK_MALFORMED'],
  ])('%j is a mistake', async (argv, code) => {
    const { stdout, exitCode } = await run(['rotate', 'unlock', ...argv, '--json'])
    expect([exitCode, JSON.parse(stdout).error.code]).toEqual([2, code])
  })
})

describe('rotate unlock without --rotation', () => {
  const asked = async (...held: string[]) => {
    const ids = ['r-20260301-031500-aaaa', 'r-20260301-031500-bbbb']
    const folder = await newFolder()
    const locks = locksIn(join(folder, 'locks'))
    for (const rotationId of held) await (await locks.acquire([one])).name(rotationId as RotationId)
    const { stdout, exitCode } = await run(['rotate', 'unlock', '--json'], {
      lockFinder: async () => locks,
      journals: async () => ({ list: async () => ids }) as unknown as JournalShelf,
    })
    return { exitCode, error: JSON.parse(stdout).error }
  }

  test('names those that hold a lock', async () => {
    expect(await asked('r-20260301-031500-bbbb')).toMatchObject({
      exitCode: 2,
      error: {
        code: 'FLAG_MISSING',
        message: '--rotation is missing',
        suggestions: ['--rotation r-20260301-031500-bbbb'],
      },
    })
  })

  test('says that none does', async () => {
    expect((await asked()).error).toMatchObject({
      message: '--rotation is missing, and no rotation known here holds a lock',
      suggestions: ['lockstep rotate list'],
    })
  })
})
