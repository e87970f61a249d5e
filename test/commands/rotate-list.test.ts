import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { journalShelf } from '../../src/adapters/journal-file/shelf.js'
import { refusal } from '../../src/domain/errors.js'
import type { ClusterId, RotationId } from '../../src/domain/ids.js'
import { STORED } from '../helpers/journal-lines.js'
import { factsOf, rosterOf } from '../helpers/rotation.js'
import { run } from '../helpers/run-command.js'
import { tempFolders } from '../helpers/temp-folder.js'

const newFolder = tempFolders()
const [FIRST, SECOND, THIRD] = ['r-20260301-031500-aaaa', 'r-20260301-031500-bbbb', 'r-20260301-031500-cccc'] as [
  RotationId,
  RotationId,
  RotationId,
]

/** Three rotations: the chain of the first one is broken, the second one is whole, the third one is empty. */
const shelfWithBroken = async () => {
  const folder = await newFolder()
  const shelf = journalShelf(folder, () => new Date('2026-03-01T03:15:00Z'))
  const pathOf = (rotationId: RotationId) => join(folder, `${rotationId}.jsonl`)
  for (const rotationId of [FIRST, SECOND, THIRD]) {
    const { journal } = await shelf.create(factsOf(rosterOf(1, 1), { rotationId }))
    await journal.append(STORED)
    await journal.close()
  }
  await writeFile(pathOf(FIRST), (await readFile(pathOf(FIRST), 'utf8')).replace('read-back', 'intent').concat('{}\n'))
  await writeFile(pathOf(THIRD), '')
  return { journals: async () => shelf, path: pathOf(FIRST) }
}

describe('with a broken journal beside others', () => {
  test('rotate list names it, lists the others, and leaves with 6', async () => {
    const { journals, path } = await shelfWithBroken()
    const { stdout, exitCode } = await run(['rotate', 'list', '--json'], { journals })
    expect(exitCode).toBe(6)
    const [first, second, third] = JSON.parse(stdout).rotations
    expect(first).toMatchObject({
      rotationId: FIRST,
      startedAt: '2026-03-01T03:15:00.000Z',
      outcome: 'broken',
      stage: null,
      users: ['CU:app'],
      clusterIds: ['cluster-aaaaaaaaaaa', 'cluster-bbbbbbbbbbb'],
      new: null,
      total: null,
      error: { code: 'JOURNAL_BROKEN', message: `line 3 of ${path} does not follow from the line before it` },
    })
    expect(second).toMatchObject({ rotationId: SECOND, outcome: 'paused', stage: 'rehearse', new: 0, total: 2 })
    expect(second.error).toBeUndefined()
    expect(third).toMatchObject({ rotationId: THIRD, outcome: 'broken', startedAt: null, users: [], clusterIds: [] })
    // Whether something is left to do is known to the store alone.
    expect(third.error.suggestions[0]).toMatch(/PENDING credentials of r-20260301-031500-cccc: lockstep rotate recover/)
  })

  test('in words as well', async () => {
    const { journals, path } = await shelfWithBroken()
    const { stdout, stderr, exitCode } = await run(['rotate', 'list'], { journals })
    expect(exitCode).toBe(6)
    expect(stdout).toMatch(new RegExp(`${FIRST} +2026\\S+ +broken +unknown`))
    expect(stdout).toMatch(new RegExp(`${SECOND} +2026\\S+ +paused at rehearse +new 0/2`))
    expect(stderr).toContain(`line 3 of ${path} does not follow from the line before it`)
    expect(stderr).toContain('lockstep rotate recover')
  })

  test('rotate status of another rotation is not disturbed', async () => {
    const { journals } = await shelfWithBroken()
    const { stdout, exitCode } = await run(['rotate', 'status', '--rotation', SECOND, '--json'], {
      journals,
      lockFinder: async () => ({ find: async () => [] }),
    })
    expect([exitCode, JSON.parse(stdout).stage]).toEqual([4, 'rehearse'])
  })
})

test('a lock that cannot be read keeps no rotation from being listed', async () => {
  const { journals } = await shelfWithBroken()
  const find = async () => {
    throw refusal('LOCK_UNREADABLE', 'the lock cannot be read')
  }
  const { stdout } = await run(['rotate', 'list', '--json'], { journals, lockFinder: async () => ({ find }) })
  expect(JSON.parse(stdout).rotations[1]).toMatchObject({ rotationId: SECOND, process: null })
})

describe('of a rotation that is not finished', () => {
  const holder = { rotationId: FIRST, user: 'u', host: 'h', pid: 1, since: '2026-03-01T03:15:00.000Z' }
  test.each([
    ['runs', '(under way)'],
    ['gone', '(its process is gone)'],
    ['unknown', '(held elsewhere)'],
  ] as const)('rotate list says of its process what the locks tell: %s', async (process, words) => {
    const folder = await newFolder()
    const shelf = journalShelf(folder, () => new Date('2026-03-01T03:15:00Z'))
    for (const rotationId of [FIRST, SECOND]) {
      const { journal } = await shelf.create(factsOf(rosterOf(1, 1), { rotationId }))
      await journal.append(STORED)
      await journal.close()
    }
    const clusterId = 'cluster-aaaaaaaaaaa' as ClusterId
    const lock = { clusterId, holder, process, place: 'here', leased: false, remove: async () => true } as const
    const replaced = {
      journals: async () => shelf,
      lockFinder: async () => ({ find: async (id: RotationId) => (id === FIRST ? [lock] : []) }),
    }
    const asJson = JSON.parse((await run(['rotate', 'list', '--json'], replaced)).stdout)
    expect(asJson.rotations.map((one: { process: string }) => one.process)).toEqual([process, null])
    const { stdout } = await run(['rotate', 'list'], replaced)
    expect(stdout).toContain(`paused at rehearse ${words}`)
    expect(stdout).toMatch(new RegExp(`${SECOND} .* paused at rehearse  `))
  })
})
