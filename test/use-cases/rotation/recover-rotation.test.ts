import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { journalShelf } from '../../../src/adapters/journal-file/shelf.js'
import type { Cluster } from '../../../src/domain/cluster.js'
import { ConsoleFailure, type ConsoleFailureKind, type HsmConsole } from '../../../src/domain/hsm-console.js'
import type { UserKey } from '../../../src/domain/hsm-user.js'
import type { ClusterId, HsmId, RotationId } from '../../../src/domain/ids.js'
import { Secret } from '../../../src/domain/secret.js'
import type { ChosenForRotation } from '../../../src/use-cases/rotation/open/plan.js'
import { recoverRotation } from '../../../src/use-cases/rotation/open/recover.js'
import { clusterOf } from '../../helpers/clusters.js'
import { operatorErrorOf } from '../../helpers/errors.js'
import { MemoryCredentialStore } from '../../helpers/memory-credential-store.js'
import { MemoryRefusedLogins } from '../../helpers/memory-refused-logins.js'
import { consoleWithOneOdd } from '../../helpers/one-odd-hsm.js'
import { APP, factsOf, hsm, ROTATION, rosterOf } from '../../helpers/rotation.js'
import { tempFolders } from '../../helpers/temp-folder.js'

const newFolder = tempFolders()
const AT = new Date('2026-03-01T03:15:00Z')
const roster = rosterOf(1, 1)
const [source, destination] = [clusterOf('a', 'us-east-1', []), clusterOf('b', 'eu-west-1', [])]
const CLUSTERS = [source.clusterId, destination.clusterId] as [ClusterId, ClusterId]

const beyondReach = (console: HsmConsole, away: readonly HsmId[]): HsmConsole => ({
  ...console,
  open: async (servers) => {
    const gone = servers.flatMap(({ hsmId }) => (away.includes(hsmId) ? [hsmId] : []))
    if (gone.length > 0) throw new ConsoleFailure('unreachable', `${gone.join()} cannot be reached`, gone)
    return console.open(servers)
  },
})

/** A console whose second conversation with the first HSM breaks: by then everything was listed. */
const breaking = (console: HsmConsole, kind: ConsoleFailureKind | null): HsmConsole => {
  let opened = 0
  return {
    ...console,
    open: async (servers) => {
      const [first] = servers
      if (kind !== null && first !== undefined && first.hsmId === roster[0]?.hsmId && ++opened === 2) {
        throw new ConsoleFailure(kind, `it is ${kind}`, [first.hsmId])
      }
      return console.open(servers)
    },
  }
}

interface Pending {
  readonly rotationId?: RotationId
  readonly users?: readonly UserKey[]
  readonly about?: readonly ClusterId[]
  /** What is wrong with the first HSM once it was listed. */
  readonly odd?: ConsoleFailureKind | null
  /** HSMs that nobody reaches. */
  readonly away?: readonly HsmId[]
  /** The store keeps a current credential too. */
  readonly withCurrent?: boolean
}

/** A rotation whose new credential is PENDING, with the journal that `damage` made of a whole one. */
const halfDone = async (
  damage: (text: string) => string,
  { rotationId = ROTATION, users = [APP], about = CLUSTERS, odd = null, away = [], withCurrent = false }: Pending = {},
) => {
  const folder = await newFolder()
  const path = join(folder, `${ROTATION}.jsonl`)
  const shelf = journalShelf(folder, () => AT)
  const { journal } = await shelf.create(factsOf(roster))
  await journal.append({ type: 'stage-completed', stage: 'store-pending' })
  await journal.close()
  await writeFile(path, damage(await readFile(path, 'utf8')))
  const store = new MemoryCredentialStore()
  const version = (secret: string) => ({
    rotationId,
    clusters: about,
    restorePoint: null,
    startedAt: AT.toISOString(),
    users: new Map(users.map((key) => [key, new Secret(secret)])),
  })
  const current = { ...version('TEST-SECRET-before'), rotationId: null }
  await store.putPending(version('TEST-SECRET-recover'), withCurrent ? current : undefined)
  const said: string[] = []
  const waits: number[] = []
  const recover = (commandMs = 1_000, chosen: Partial<ChosenForRotation> = {}) =>
    recoverRotation(
      {
        chosen: { source, destinations: [destination], leftOut: [], family: 'family-test', roster, ...chosen },
        users: [{ type: 'CU', name: 'app' }],
        config: { sha256: null, utility: 'cmu', document: { servers: [] } },
        commandMs,
      },
      {
        refusedLogins: new MemoryRefusedLogins(),
        lockoutLimit: 5,
        concurrency: 1,
        stop: { requested: false },
        console: breaking(beyondReach(consoleWithOneOdd(roster, 'cmu', null), away), odd),
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
    const { path, recover } = await halfDone(() => 'damaged\n', {
      rotationId: 'r-20260301-031501-else' as RotationId,
    })
    await recover()
    expect(await readFile(path, 'utf8')).toBe('damaged\n')
  })

  test('leaves a whole journal alone', async () => {
    const { path, recover } = await halfDone((text) => text)
    const before = await readFile(path, 'utf8')
    expect(await operatorErrorOf(() => recover())).toMatchObject({ code: 'ROTATION_KNOWN' })
    expect(await readFile(path, 'utf8')).toBe(before)
  })

  test.each([
    ['unreachable', 'unreachable', false],
    ['wrong-hsm', 'unknown', true],
    ['not-understood', 'unknown', true],
  ] as const)('an HSM that turns out to be %s has cells that are %s', async (odd, state, isSaid) => {
    const { recover, said } = await halfDone(() => '', { odd })
    const { cells } = await recover()
    expect(cells.map((cell) => cell.state)).toEqual([state, 'new'])
    expect(said.some((text) => text.includes(`it is ${odd}`))).toBe(isSaid)
  })

  test.each(['a', 'b'])('goes on where %s alone cannot be reached, and leaves its part to it', async (letter) => {
    const { recover } = await halfDone(() => '', { away: [hsm(letter)] })
    const { cells, pause, plan, debts } = await recover()
    expect([pause?.code, cells.find(({ hsmId }) => hsmId === hsm(letter))?.state]).toEqual(['RECOVERED', 'unreachable'])
    expect(cells.filter(({ state }) => state === 'new')).toHaveLength(1)
    expect([plan.parts.first, plan.parts.restorePoint, debts]).toEqual([hsm('a'), hsm('b'), []])
  })

  test('advises no flag that it does not have where no HSM can be reached', async () => {
    const { recover } = await halfDone(() => '', { away: [hsm('a'), hsm('b')] })
    const error = await operatorErrorOf(() => recover())
    expect(error).toMatchObject({ code: 'HSM_UNREACHABLE', exitCode: 3 })
    expect(error.suggestions.join()).not.toContain('--allow-unreachable')
  })

  test.each([
    ['advises a rollback where it has a way back', [], true],
    [
      'not where a cluster is left out that may hold the new credential',
      [{ clusterId: clusterOf('c', 'eu-west-1', []).clusterId, region: source.region, profile: null, reason: 'lost' }],
      false,
    ],
  ] as const)('%s', async (_words, lost, isAdvised) => {
    const { recover } = await halfDone(() => '', { withCurrent: true })
    const { pause, wayBack } = await recover(1_000, { lost })
    expect(wayBack.byCurrent).toBe(true)
    expect(pause?.suggestions.some((line) => line.includes('rotate rollback'))).toBe(isAdvised)
  })

  test('wants every user that PENDING holds', async () => {
    const { recover } = await halfDone(() => '', { users: [APP, 'CU:second', 'CU:third'] as UserKey[] })
    expect(await operatorErrorOf(() => recover())).toMatchObject({
      code: 'USER_NOT_NAMED',
      exitCode: 3,
      suggestions: ['add --user CU:second --user CU:third'],
    })
  })

  describe('of clusters that PENDING names', () => {
    const third = clusterOf('c', 'eu-west-1', [])
    const about = [...CLUSTERS, third.clusterId]
    const { clusterId, region } = third

    test.each([
      ['not named', {}],
      ['left out although nothing is wrong with it', { leftOut: [third] }],
    ])('wants one that is %s', async (_words, chosen) => {
      const { recover } = await halfDone(() => '', { about })
      expect(await operatorErrorOf(() => recover(1_000, chosen))).toMatchObject({
        code: 'CLUSTER_NOT_NAMED',
        exitCode: 3,
        suggestions: [`add --destination ${clusterId}`, expect.stringContaining('--leave-out CLUSTER --reason TEXT')],
      })
    })

    test.each([
      ['a destination', { destinations: [destination, third] }],
      ['owed', { lost: [{ clusterId, region, profile: null, reason: 'lost' }] }],
      ['deleted', { leftOut: [{ ...third, state: 'DELETED' } as Cluster] }],
    ])('goes on where one is %s', async (_words, chosen) => {
      const { recover } = await halfDone(() => '', { about })
      expect((await recover(1_000, chosen)).pause?.code).toBe('RECOVERED')
    })
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
