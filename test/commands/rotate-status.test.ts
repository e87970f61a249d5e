import { readFile, writeFile } from 'node:fs/promises'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { journalShelf } from '../../src/adapters/journal-file/shelf.js'
import { localLocks } from '../../src/adapters/lock/local-locks.js'
import type { ClusterId, RegionName, RotationId } from '../../src/domain/ids.js'
import type { JournalEvent } from '../../src/domain/rotation/journal-entry.js'
import { change, copies, DONE, journalOf, type Line, login, PROMOTED, STORED, TOLD } from '../helpers/journal-lines.js'
import { factsOf, hsm, ROTATION, rosterOf } from '../helpers/rotation.js'
import { run } from '../helpers/run-command.js'
import { tempFolders } from '../helpers/temp-folder.js'

const newFolder = tempFolders()
const SINCE = '2026-03-01T03:15:00.000Z'
const CLUSTER = 'cluster-aaaaaaaaaaa' as ClusterId

const givenToAll = (): Line[] => [
  copies('accepted'),
  ...[hsm('a'), hsm('b')].flatMap((hsmId): Line[] => [
    [change(hsmId), DONE],
    [login(hsmId), DONE],
  ]),
]

/** A rotation at its rehearsal; its locks are not taken yet. */
const underWay = async () => {
  const folder = await newFolder()
  const now = () => new Date(SINCE)
  const shelf = journalShelf(join(folder, 'rotations'), now)
  const { journal } = await shelf.create(factsOf(rosterOf(1, 1)))
  await journal.append(STORED)
  await journal.close()
  const locks = localLocks(join(folder, 'locks'), now, { lastAction: async () => null })
  const status = (...more: string[]) =>
    run(['rotate', 'status', ...more], { journals: async () => shelf, lockFinder: async () => locks })
  const hand = async (change: object) => {
    const path = join(folder, 'locks', `${CLUSTER}.lock`)
    await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...change }))
  }
  return { locks, status, hand }
}

describe('rotate status of a rotation', () => {
  test('that a process works on: who, since when and its last action, and no word of resuming', async () => {
    const { locks, status } = await underWay()
    const held = await locks.acquire([CLUSTER])
    await held.name(ROTATION)
    const who = { user: userInfo().username, host: hostname(), pid: process.pid, since: SINCE }
    const asJson = await status('--json')
    expect([asJson.exitCode, JSON.parse(asJson.stdout)]).toMatchObject([4, { outcome: 'paused', holder: who }])
    expect(Object.keys(JSON.parse(asJson.stdout).holder)).toEqual(Object.keys(who))
    const { stdout, stderr, exitCode } = await status()
    expect(exitCode).toBe(4)
    expect(stdout).toContain(`${ROTATION}: under way at rehearse; `)
    expect(stderr).toContain(
      `${who.user}@${who.host}, process ${who.pid}, works on it since ${SINCE}; last action: store at ${SINCE}`,
    )
    expect(stdout + stderr).not.toMatch(/paused|rotate resume/i)
    await held.release()
  })

  test('that nobody works on and that left no lock: not finished, and no word of a process', async () => {
    const { status } = await underWay()
    expect(JSON.parse((await status('--json')).stdout)).toMatchObject({ holder: null, holderGone: null })
    expect((await status()).stderr).toContain('Paused at rehearse: the run that worked on it is not finished\n')
  })

  test('whose process is gone: paused, and how it is resumed', async () => {
    const { locks, status, hand } = await underWay()
    await (await locks.acquire([CLUSTER])).name(ROTATION)
    // A number that no process has.
    await hand({ pid: 2 ** 30 })
    const { user, host, since } = JSON.parse((await status('--json')).stdout).holderGone
    expect(JSON.parse((await status('--json')).stdout)).toMatchObject({ outcome: 'paused', holder: null })
    const { stdout, stderr } = await status()
    expect(stderr).toContain(
      `the run that worked on it was killed or has crashed: ${user}@${host}, process ${2 ** 30} since ${since}, is gone`,
    )
    expect(stdout).toContain(`${ROTATION}: paused at rehearse; `)
    expect(stderr).toContain(`resume with lockstep rotate resume --rotation ${ROTATION}`)
  })

  test('that another machine holds, which cannot be looked at: told so, with the way out', async () => {
    const { locks, status, hand } = await underWay()
    await (await locks.acquire([CLUSTER])).name(ROTATION)
    await hand({ host: 'elsewhere' })
    expect(JSON.parse((await status('--json')).stdout).holder.host).toBe('elsewhere')
    const { stderr } = await status()
    expect(stderr).toContain('whether that process still runs is not seen from here')
    expect(stderr).toContain(`lockstep rotate unlock --rotation ${ROTATION}`)
  })
})

describe('rotate status without --rotation', () => {
  const LOST = { clusterId: 'cluster-ccccccccccc' as ClusterId, region: 'ap-south-1' as RegionName, profile: null }
  const newer = 'r-20260401-031500-test' as RotationId
  const owing = async (...later: JournalEvent[]) => {
    const folder = await newFolder()
    const shelf = journalShelf(join(folder, 'rotations'), () => new Date(SINCE))
    const facts = factsOf(rosterOf(1, 1), { lostClusters: [{ ...LOST, reason: 'the Region is gone' }] })
    const { journal } = await shelf.create(facts)
    const lines = journalOf([STORED, ...givenToAll(), PROMOTED, TOLD], facts, rosterOf(1, 1)).slice(1)
    for (const { event } of lines) await journal.append(event)
    for (const event of later) await journal.append(event)
    await journal.close()
    await (await shelf.create(factsOf(rosterOf(1, 1), { rotationId: newer }))).journal.close()
    return (...more: string[]) =>
      run(['rotate', 'status', ...more], {
        journals: async () => shelf,
        lockFinder: async () => ({ find: async () => [] }),
      })
  }

  test('names what an older rotation still owes, and where its status is', async () => {
    const status = await owing()
    const { owedElsewhere, rotationId } = JSON.parse((await status('--json')).stdout)
    expect(rotationId).toBe(newer)
    expect(owedElsewhere).toEqual([
      {
        rotationId: ROTATION,
        direction: 'forward',
        startedAt: SINCE,
        debts: [{ hsmId: null, clusterId: LOST.clusterId, region: LOST.region, reason: 'the Region is gone' }],
      },
    ])
    expect((await status()).stderr).toContain(
      [
        `${ROTATION}, started ${SINCE}, still owes what it gave:`,
        '  debt: ap-south-1/cluster-ccccccccccc is left out until it is back: the Region is gone',
        `  * lockstep rotate status --rotation ${ROTATION}`,
      ].join('\n'),
    )
    expect(JSON.parse((await status('--json', '--rotation', newer)).stdout).owedElsewhere).toBeUndefined()
  })

  test('says nothing of a debt that was paid since', async () => {
    const status = await owing({ type: 'cluster-settled', clusterId: LOST.clusterId, by: newer })
    expect(JSON.parse((await status('--json')).stdout).owedElsewhere).toEqual([])
    expect((await status()).stderr).not.toContain(ROTATION)
  })

  test('the rotation itself says which run paid it', async () => {
    const status = await owing({ type: 'cluster-settled', clusterId: LOST.clusterId, by: newer })
    expect((await status('--rotation', ROTATION)).stdout).toContain(
      `settled by ${newer}: ap-south-1/cluster-ccccccccccc`,
    )
    expect(JSON.parse((await status('--json', '--rotation', ROTATION)).stdout).settled).toEqual([
      { hsmId: null, clusterId: LOST.clusterId, region: LOST.region, by: newer },
    ])
  })
})
