import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { journalShelf } from '../../../src/adapters/journal-file/shelf.js'
import type { ClusterId, RotationId } from '../../../src/domain/ids.js'
import { Secret } from '../../../src/domain/secret.js'
import { recoverRotation } from '../../../src/use-cases/rotation/open/recover.js'
import { clusterOf } from '../../helpers/clusters.js'
import { operatorErrorOf } from '../../helpers/errors.js'
import { MemoryCredentialStore } from '../../helpers/memory-credential-store.js'
import { MemoryRefusedLogins } from '../../helpers/memory-refused-logins.js'
import { consoleWithOneOdd } from '../../helpers/one-odd-hsm.js'
import { APP, factsOf, ROTATION, rosterOf } from '../../helpers/rotation.js'
import { tempFolders } from '../../helpers/temp-folder.js'

const newFolder = tempFolders()
const AT = new Date('2026-03-01T03:15:00Z')
const roster = rosterOf(1, 1)
const [source, destination] = [clusterOf('a', 'us-east-1', []), clusterOf('b', 'eu-west-1', [])]
const CLUSTERS = [source.clusterId, destination.clusterId] as [ClusterId, ClusterId]

/** A rotation whose new credential is PENDING, with the journal that `damage` made of a whole one. */
const halfDone = async (damage: (text: string) => string, rotationId: RotationId = ROTATION) => {
  const folder = await newFolder()
  const path = join(folder, `${ROTATION}.jsonl`)
  const shelf = journalShelf(folder, () => AT)
  const { journal } = await shelf.create(factsOf(roster))
  await journal.append({ type: 'stage-completed', stage: 'store-pending' })
  await journal.close()
  await writeFile(path, damage(await readFile(path, 'utf8')))
  const store = new MemoryCredentialStore()
  await store.putPending({
    rotationId,
    clusters: CLUSTERS,
    restorePoint: null,
    startedAt: AT.toISOString(),
    users: new Map([[APP, new Secret('TEST-SECRET-recover')]]),
  })
  const said: string[] = []
  const waits: number[] = []
  const recover = (commandMs = 1_000) =>
    recoverRotation(
      {
        chosen: { source, destinations: [destination], leftOut: [], family: 'family-test', roster },
        users: [{ type: 'CU', name: 'app' }],
        config: { sha256: null, utility: 'cmu', document: { servers: [] } },
        commandMs,
      },
      {
        refusedLogins: new MemoryRefusedLogins(),
        lockoutLimit: 5,
        concurrency: 1,
        stop: { requested: false },
        console: consoleWithOneOdd(roster, 'cmu', null),
        locks: {
          acquire: async () => ({
            name: async () => undefined,
            assertHeld: async () => undefined,
            release: async () => undefined,
          }),
        },
        shelf,
        store,
        clock: { now: () => AT, wait: async (ms) => void waits.push(ms) },
        progress: (event) => {
          if (event.kind === 'notice') said.push(event.text)
        },
        who: { user: 'tester', host: 'here', pid: 1 },
        version: '0.0.0',
      },
    )
  return { path, shelf, recover, said, waits }
}

describe('rotate recover', () => {
  test.each([
    ['broken', (text: string) => text.replace('store-pending', 'rehearse').replace('"seq":2', '"seq":3'), 'line 2 of '],
    ['empty', () => '', ' has no complete line'],
  ])('begins a %s journal anew, keeps the file and says so', async (word, damage, what) => {
    const { path, shelf, recover, said } = await halfDone(damage)
    const rotation = await recover()
    expect(rotation.pause?.code).toBe('RECOVERED')
    const aside = `${path}.${word}-20260301T031500Z`
    expect(said[0]).toContain(what)
    expect(said[0]).toContain(`; the file is kept as ${aside}`)
    expect(rotation.facts.brokenJournal).toContain(what)
    const kept = await readFile(aside, 'utf8')
    expect(kept).toBe(damage(kept))
    expect(await shelf.openRotations(CLUSTERS)).toHaveLength(1)
  })

  test('leaves the journal of a rotation alone that the store keeps nothing of', async () => {
    const { path, recover } = await halfDone(() => 'damaged\n', 'r-20260301-031501-else' as RotationId)
    await recover()
    expect(await readFile(path, 'utf8')).toBe('damaged\n')
  })

  test('leaves a whole journal alone', async () => {
    const { path, recover } = await halfDone((text) => text)
    const before = await readFile(path, 'utf8')
    expect(await operatorErrorOf(() => recover())).toMatchObject({ code: 'ROTATION_KNOWN' })
    expect(await readFile(path, 'utf8')).toBe(before)
  })

  test('says how long it waits, and again while it does', async () => {
    const { recover, said, waits } = await halfDone(() => '')
    await recover(70_000)
    const why = 'a command sent before the journal was lost could still take effect'
    expect(said.filter((text) => text.startsWith('waiting'))).toEqual([
      `waiting 70 s: ${why}`,
      `waiting 40 s more: ${why}`,
      `waiting 10 s more: ${why}`,
    ])
    expect(waits).toEqual([30_000, 30_000, 10_000])
    expect(said.at(-1)).toBe('asking 2 HSMs by at most one login per user each')
  })
})
