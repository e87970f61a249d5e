import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { localLocks } from '../../../src/adapters/lock/local-locks.js'
import { isGone, ownIdentity } from '../../../src/adapters/lock/process-identity.js'
import type { ClusterId } from '../../../src/domain/ids.js'
import { operatorErrorOf } from '../../helpers/errors.js'
import { ROTATION } from '../../helpers/rotation.js'
import { tempFolders } from '../../helpers/temp-folder.js'

const newFolder = tempFolders()
const AT = new Date('2026-03-01T03:15:00Z')
const [one, two] = ['cluster-aaaaaaaaaaa', 'cluster-bbbbbbbbbbb'] as [ClusterId, ClusterId]
const locksIn = (folder: string) => localLocks(folder, () => AT, { lastAction: async () => 'change of CU:app' })

describe('locks on clusters', () => {
  test('a second taker is told who, since when, and what was done last', async () => {
    const folder = await newFolder()
    const held = await locksIn(folder).acquire([one])
    await held.name(ROTATION)
    const error = await operatorErrorOf(() => locksIn(folder).acquire([two, one]))
    expect(error).toMatchObject({ code: 'LOCKED', exitCode: 5 })
    expect(error.message).toMatch(
      new RegExp(
        `^${one} is in use by ${ROTATION}: .+@.+, process ${process.pid}, since ${AT.toISOString()}, last action: change of CU:app$`,
      ),
    )
    await held.release()
  })

  test('a refused taker leaves no lock behind, and a released one can be taken', async () => {
    const folder = await newFolder()
    const held = await locksIn(folder).acquire([two])
    await operatorErrorOf(() => locksIn(folder).acquire([one, two]))
    await held.release()
    expect(await readdir(folder)).toEqual([])
    const again = await locksIn(folder).acquire([two, one])
    expect((await readdir(folder)).sort()).toEqual([`${one}.lock`, `${two}.lock`])
    await again.release()
  })

  test('of many takers at once exactly one gets it', async () => {
    const folder = await newFolder()
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => locksIn(folder).acquire([one, two])))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  test('the lock of a process that is gone is taken over, and its old holder notices', async () => {
    const folder = await newFolder()
    const held = await locksIn(folder).acquire([one])
    const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' })
    await once(child, 'exit')
    const path = join(folder, `${one}.lock`)
    const record = JSON.parse(await readFile(path, 'utf8')) as { token: string }
    await writeFile(path, JSON.stringify({ ...record, pid: child.pid, token: 'stale' }))
    const error = await operatorErrorOf(() => held.assertHeld())
    expect(error.code).toBe('LOCK_LOST')
    const taken = await locksIn(folder).acquire([one])
    await taken.assertHeld()
    await taken.release()
  })

  test('a process with the number but not the start time of the holder is another one', () => {
    expect(isGone(ownIdentity())).toBe(false)
    expect(isGone({ ...ownIdentity(), startTicks: '1' })).toBe(true)
  })

  test('a holder on another machine is never declared gone', () => {
    expect(isGone({ ...ownIdentity(), host: 'elsewhere', pid: 999_999_999 })).toBe(false)
  })

  test('a folder that cannot be made is an error for the operator', async () => {
    const folder = join(await newFolder(), 'file')
    await writeFile(folder, '')
    await mkdir(join(folder, '..', 'ok'))
    await expect(operatorErrorOf(() => locksIn(folder).acquire([one]))).resolves.toMatchObject({
      code: 'STATE_UNWRITABLE',
    })
  })
})
