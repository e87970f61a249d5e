import { appendFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { followJournalNow } from '../../../src/adapters/journal-file/follow.js'
import { journalShelf } from '../../../src/adapters/journal-file/shelf.js'
import type { ClusterId, RotationId } from '../../../src/domain/ids.js'
import type { JournalEntry, JournalEvent } from '../../../src/domain/rotation/journal-entry.js'
import type { Rotation } from '../../../src/domain/rotation/rotation.js'
import { operatorErrorOf } from '../../helpers/errors.js'
import { factsOf, ROTATION, rosterOf } from '../../helpers/rotation.js'
import { tempFolders } from '../../helpers/temp-folder.js'

const newFolder = tempFolders()
const [SOURCE, ELSEWHERE] = ['cluster-aaaaaaaaaaa', 'cluster-zzzzzzzzzzz'] as [ClusterId, ClusterId]
const AT = new Date('2026-03-01T03:15:00Z')
const DISCARDED: JournalEvent = { type: 'store', act: 'discard', phase: 'read-back' }
const stageDone = (stage: 'rehearse' | 'change'): JournalEvent => ({ type: 'stage-completed', stage })

const begun = async (events: readonly JournalEvent[] = []) => {
  const folder = join(await newFolder(), 'rotations')
  const shelf = journalShelf(folder, () => AT)
  const { journal } = await shelf.create(factsOf(rosterOf(1, 1)))
  await Promise.all(events.map((event) => journal.append(event)))
  await journal.close()
  return { folder, shelf, path: join(folder, `${ROTATION}.jsonl`) }
}

describe('a journal file', () => {
  test('is read back line by line, in the order of the calls', async () => {
    const { shelf } = await begun([stageDone('rehearse'), stageDone('change')])
    const { entries, torn } = await shelf.read(ROTATION)
    expect(entries.map(({ seq, event }) => [seq, event.type])).toEqual([
      [1, 'started'],
      [2, 'stage-completed'],
      [3, 'stage-completed'],
    ])
    expect(torn).toBe(false)
  })

  test('belongs to its owner alone', async () => {
    const { path } = await begun()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  test('is on the disk when append returns', async () => {
    const folder = join(await newFolder(), 'rotations')
    const { journal } = await journalShelf(folder, () => AT).create(factsOf(rosterOf(1, 1)))
    await journal.append(stageDone('rehearse'))
    expect((await readFile(join(folder, `${ROTATION}.jsonl`), 'utf8')).split('\n')).toHaveLength(3)
    await journal.close()
  })

  test('a torn last line is left out, and cut off before the journal goes on', async () => {
    const { shelf, path } = await begun([stageDone('rehearse')])
    await appendFile(path, '{"seq":3,"at":"2026-03')
    expect(await shelf.read(ROTATION)).toMatchObject({ torn: true, entries: [{ seq: 1 }, { seq: 2 }] })
    const { journal } = await shelf.reopen(ROTATION)
    await journal.append(stageDone('change'))
    await journal.close()
    expect(await shelf.read(ROTATION)).toMatchObject({ torn: false, entries: [{ seq: 1 }, { seq: 2 }, { seq: 3 }] })
  })

  test.each([
    ['edited', (text: string) => text.replace('"rehearse"', '"change"'), 3],
    ['missing', (text: string) => text.split('\n').toSpliced(1, 1).join('\n'), 2],
    ['not JSON', (text: string) => text.replace('{"seq":2', '{seq:2'), 2],
  ])('a line that is %s breaks the chain, and the place is named', async (_, damage, line) => {
    const { shelf, path } = await begun([stageDone('rehearse'), stageDone('change')])
    await writeFile(path, damage(await readFile(path, 'utf8')))
    const error = await operatorErrorOf(() => shelf.read(ROTATION))
    expect(error.code).toBe('JOURNAL_BROKEN')
    expect(error.message).toBe(`line ${line} of ${path} does not follow from the line before it`)
  })

  test('a rotation that never got its first line is not open', async () => {
    const { shelf, path } = await begun()
    await writeFile(path, '{"seq":1')
    expect(await shelf.openRotations([SOURCE])).toEqual([])
  })

  test('what is closed is among the rotations on its clusters, the one that began first before the others', async () => {
    const { folder, shelf } = await begun([{ type: 'rollback-started', method: 'none' }, DISCARDED])
    const earlier = { ...factsOf(rosterOf(1, 1)), rotationId: 'r-20260301-031500-zzzz' as RotationId }
    const { journal } = await journalShelf(folder, () => new Date(AT.getTime() - 1)).create(earlier)
    await journal.close()
    const idsOf = (rotations: readonly Rotation[]) => rotations.map(({ facts }) => facts.rotationId)
    expect(idsOf(await shelf.rotationsOn([SOURCE]))).toEqual([earlier.rotationId, ROTATION])
    expect(idsOf(await shelf.openRotations([SOURCE]))).toEqual([earlier.rotationId])
    expect(await shelf.rotationsOn([ELSEWHERE])).toEqual([])
  })

  test('a damaged journal may be an open rotation of the clusters it begins with, and stands in the way of no other', async () => {
    const { shelf, path } = await begun([stageDone('rehearse'), stageDone('change')])
    await writeFile(path, (await readFile(path, 'utf8')).replace('"rehearse"', '"change"'))
    const error = await operatorErrorOf(() => shelf.openRotations([SOURCE]))
    expect([error.code, error.exitCode]).toEqual(['JOURNAL_BROKEN', 5])
    expect(error.message).toBe(
      `line 3 of ${path} does not follow from the line before it; ${ROTATION} may be unfinished on these clusters`,
    )
    expect(await shelf.openRotations([ELSEWHERE])).toEqual([])
  })

  test.each([
    ['whose first line is damaged', (path: string) => writeFile(path, 'damaged\n'), 'JOURNAL_BROKEN'],
    ['that the system does not let be read', (path: string) => rm(path).then(() => mkdir(path)), 'JOURNAL_UNREADABLE'],
  ])('a journal %s may be an open rotation of any cluster, and is named', async (_, damage, code) => {
    const { shelf, path } = await begun()
    await damage(path)
    const error = await operatorErrorOf(() => shelf.openRotations([ELSEWHERE]))
    expect([error.code, error.exitCode]).toEqual([code, 5])
    expect(error.message).toContain(path)
    expect(error.suggestions).not.toEqual([])
  })

  test('an edited first line shows by the line behind it, whatever it says', async () => {
    const { shelf, path } = await begun([stageDone('rehearse')])
    await writeFile(path, (await readFile(path, 'utf8')).replace('"started"', '"finished"'))
    await expect(operatorErrorOf(() => shelf.openRotations([ELSEWHERE]))).resolves.toMatchObject({
      code: 'JOURNAL_BROKEN',
    })
  })

  test.each([
    ['broken', '{"seq":1}\n'],
    ['empty', ''],
  ])('a %s one is kept under another name when it is begun anew', async (word, text) => {
    const { shelf, path } = await begun()
    await writeFile(path, text)
    const { journal, setAside } = await shelf.create(factsOf(rosterOf(1, 1)))
    await journal.close()
    expect(setAside).toBe(`${path}.${word}-20260301T031500Z`)
    expect(await readFile(`${setAside}`, 'utf8')).toBe(text)
    expect((await shelf.read(ROTATION)).entries).toHaveLength(1)
    expect(await shelf.list()).toEqual([ROTATION])
  })

  test('a whole one is never begun anew', async () => {
    const { shelf, path } = await begun([stageDone('rehearse')])
    const before = await readFile(path, 'utf8')
    await expect(operatorErrorOf(() => shelf.create(factsOf(rosterOf(1, 1))))).resolves.toMatchObject({
      code: 'JOURNAL_UNWRITABLE',
    })
    expect(await readFile(path, 'utf8')).toBe(before)
  })

  test('is read at once just as it is read in passing', async () => {
    const { shelf, path } = await begun([stageDone('rehearse'), stageDone('change')])
    await appendFile(path, '{"seq":4,"at":"2026-03')
    const entries: JournalEntry[] = []
    followJournalNow(path, ROTATION, (entry) => entries.push(entry))
    expect(entries).toEqual((await shelf.read(ROTATION)).entries)
    await writeFile(path, (await readFile(path, 'utf8')).replace('"rehearse"', '"change"'))
    await expect(operatorErrorOf(() => followJournalNow(path, ROTATION, () => undefined))).resolves.toMatchObject({
      code: 'JOURNAL_BROKEN',
    })
    await writeFile(path, '{"seq":1')
    await expect(operatorErrorOf(() => followJournalNow(path, ROTATION, () => undefined))).resolves.toMatchObject({
      code: 'JOURNAL_EMPTY',
    })
  })

  test('an unknown rotation is named', async () => {
    const { shelf } = await begun()
    const other = 'r-20270101-000000-none' as typeof ROTATION
    await expect(operatorErrorOf(() => shelf.read(other))).resolves.toMatchObject({ code: 'ROTATION_NOT_FOUND' })
  })

  test('a folder that cannot be written is an error for the operator', async () => {
    const folder = join(await newFolder(), 'file')
    await writeFile(folder, '')
    const shelf = journalShelf(folder, () => AT)
    const error = await operatorErrorOf(() => shelf.create(factsOf(rosterOf(1, 1))))
    expect(error.code).toBe('JOURNAL_UNWRITABLE')
  })
})
