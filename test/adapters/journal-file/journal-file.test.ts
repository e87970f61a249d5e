import { execFile } from 'node:child_process'
import { open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { type AppendedFile, JOURNAL_START, JournalFile } from '../../../src/adapters/journal-file/journal-file.js'
import { journalShelf } from '../../../src/adapters/journal-file/shelf.js'
import type { JournalEvent } from '../../../src/domain/rotation/journal-entry.js'
import { operatorErrorOf } from '../../helpers/errors.js'
import { factsOf, ROTATION, rosterOf } from '../../helpers/rotation.js'
import { tempFolders } from '../../helpers/temp-folder.js'

const newFolder = tempFolders()
const AT = () => new Date('2026-03-01T03:15:00Z')
const STARTED: JournalEvent = { type: 'started', facts: factsOf(rosterOf(1, 1)) }
const done = (stage: 'rehearse' | 'change' | 'prove'): JournalEvent => ({ type: 'stage-completed', stage })

const systemError = (code: string, syscall: string) =>
  Object.assign(new Error(`${code}: it failed, ${syscall}`), { code })
const fails = (code: string, syscall: string) => async () => {
  throw systemError(code, syscall)
}

/** A file whose disk fails as told; all else is done on the real one. */
interface Disk extends AppendedFile {
  fail(how: Partial<AppendedFile>): void
  readonly writes: number
}

const diskOf = (file: AppendedFile): Disk => {
  let broken: Partial<AppendedFile> = {}
  let writes = 0
  const disk: Disk = {
    fail: (how) => {
      broken = how
    },
    get writes() {
      return writes
    },
    appendFile: (data, options) => {
      writes += 1
      return (broken.appendFile ?? file.appendFile.bind(file))(data, options)
    },
    datasync: () => (broken.datasync ?? file.datasync.bind(file))(),
    truncate: (length) => (broken.truncate ?? file.truncate.bind(file))(length),
    close: () => (broken.close ?? file.close.bind(file))(),
  }
  return disk
}

/** A journal of two lines on a disk that can be made to fail. */
const begun = async () => {
  const folder = await newFolder()
  const path = join(folder, `${ROTATION}.jsonl`)
  const file = await open(path, 'ax', 0o600)
  const disk = diskOf(file)
  const journal = new JournalFile(path, disk, AT, JOURNAL_START)
  await journal.append(STARTED)
  await journal.append(done('rehearse'))
  /** Half of what is written, then no space. */
  const shortWrite = async (data: string | Uint8Array) => {
    await file.appendFile(`${data}`.slice(0, Math.ceil(`${data}`.length / 2)))
    throw systemError('ENOSPC', 'write')
  }
  return { path, shelf: journalShelf(folder, AT), disk, journal, file, shortWrite, whole: await readFile(path, 'utf8') }
}

const codesOf = async (appends: readonly Promise<unknown>[]) =>
  (await Promise.allSettled(appends)).map((result) =>
    result.status === 'fulfilled' ? 'written' : (result.reason as { code: string }).code,
  )

describe('a journal whose disk fails', () => {
  test('writes nothing behind half a line, and takes the half line off again', async () => {
    const { path, disk, journal, shortWrite, whole, shelf } = await begun()
    disk.fail({ appendFile: shortWrite })
    const error = await operatorErrorOf(() => journal.append(done('change')))
    expect(error).toMatchObject({
      code: 'JOURNAL_UNWRITABLE',
      message: `the journal ${path} cannot be written: ENOSPC: it failed, write`,
    })
    expect(await readFile(path, 'utf8')).toBe(whole)
    // There is space again, and a lane that knows nothing of it goes on.
    disk.fail({})
    const { writes } = disk
    expect(await codesOf([journal.append(done('change')), journal.append(done('prove'))])).toEqual([
      'JOURNAL_UNWRITABLE',
      'JOURNAL_UNWRITABLE',
    ])
    await journal.close()
    expect(disk.writes).toBe(writes)
    expect(await readFile(path, 'utf8')).toBe(whole)
    expect(await shelf.read(ROTATION)).toMatchObject({ torn: false, entries: [{ seq: 1 }, { seq: 2 }] })
  })

  test('where the half line cannot be taken off, opening the journal again does', async () => {
    const { path, disk, journal, shortWrite, whole, shelf } = await begun()
    disk.fail({ appendFile: shortWrite, truncate: fails('EIO', 'ftruncate') })
    await operatorErrorOf(() => journal.append(done('change')))
    disk.fail({})
    await operatorErrorOf(() => journal.append(done('change')))
    await journal.close()
    expect((await readFile(path, 'utf8')).length).toBeGreaterThan(whole.length)
    const again = await shelf.reopen(ROTATION)
    expect(again.torn).toBe(true)
    await again.journal.append(done('change'))
    await again.journal.close()
    expect(await shelf.read(ROTATION)).toMatchObject({ torn: false, entries: [{ seq: 1 }, { seq: 2 }, { seq: 3 }] })
  })

  test.each([
    ['is taken off again', {}, 2],
    [
      'stays where the disk does not let go of it, and was never acted upon',
      { truncate: fails('EIO', 'ftruncate') },
      3,
    ],
  ])('a line of which is not known whether it reached the disk %s', async (_, more, lines) => {
    const { disk, journal, shelf } = await begun()
    disk.fail({ datasync: fails('EIO', 'fdatasync'), ...more })
    expect(await codesOf([journal.append(done('change'))])).toEqual(['JOURNAL_UNWRITABLE'])
    disk.fail({})
    expect(await codesOf([journal.append(done('change'))])).toEqual(['JOURNAL_UNWRITABLE'])
    await journal.close()
    const { entries, torn } = await shelf.read(ROTATION)
    expect([entries.length, torn]).toEqual([lines, false])
  })

  test('of several lanes none gets further than the first that failed, whenever it asks', async () => {
    const { path, disk, journal, file, whole } = await begun()
    const late: Promise<unknown>[] = []
    disk.fail({
      // The first lanes share a write; others ask while it is under way, and while its half line is taken off.
      appendFile: async (data) => {
        late.push(journal.append(done('prove')))
        await file.appendFile(`${data}`.slice(0, 40))
        throw systemError('ENOSPC', 'write')
      },
      truncate: async (length) => {
        late.push(journal.append(done('prove')))
        await file.truncate(length)
        disk.fail({})
      },
    })
    const first = [journal.append(done('change')), journal.append(done('change'))]
    expect(await codesOf(first)).toEqual(['JOURNAL_UNWRITABLE', 'JOURNAL_UNWRITABLE'])
    expect(await codesOf([...late, journal.append(done('prove'))])).toEqual(Array(3).fill('JOURNAL_UNWRITABLE'))
    await journal.close()
    expect(await readFile(path, 'utf8')).toBe(whole)
  })

  test('that shows only when it is closed has lost nothing: every line was on the disk before', async () => {
    const { path, disk, journal, file, whole } = await begun()
    disk.fail({ close: fails('EDQUOT', 'close') })
    await journal.close()
    expect(await readFile(path, 'utf8')).toBe(whole)
    await file.close()
  })

  test('closing waits for what is being written, and nothing is written after it', async () => {
    const { path, journal, shelf } = await begun()
    const last = journal.append(done('change'))
    await journal.close()
    await last
    expect((await shelf.read(ROTATION)).entries).toHaveLength(3)
    const text = await readFile(path, 'utf8')
    expect(await codesOf([journal.append(done('prove'))])).toEqual(['JOURNAL_UNWRITABLE'])
    expect(await readFile(path, 'utf8')).toBe(text)
  })

  test('before its first line is whole leaves no journal behind, and says so', async () => {
    const folder = await newFolder()
    // The system itself cuts the line off: no file may be longer than a block of 1,024 bytes.
    const program = `
      import { journalShelf } from '${new URL('../../../src/adapters/journal-file/shelf.js', import.meta.url)}'
      const shelf = journalShelf(process.argv[1], () => new Date(0))
      const facts = { ...JSON.parse(process.argv[2]), padding: 'x'.repeat(2000) }
      await shelf.create(facts).catch(({ code, suggestions }) => console.log(JSON.stringify([code, ...suggestions])))`
    const { stdout } = await promisify(execFile)('bash', [
      '-c',
      'ulimit -f 1; exec "$@"',
      'bash',
      process.execPath,
      '--input-type=module',
      '-e',
      program,
      folder,
      JSON.stringify(factsOf(rosterOf(1, 1))),
    ])
    expect(JSON.parse(stdout)).toEqual([
      'JOURNAL_UNWRITABLE',
      'free some space or set LOCKSTEP_STATE_DIR to a folder that can be written',
    ])
    expect(await readdir(folder)).toEqual([])
  })
})
