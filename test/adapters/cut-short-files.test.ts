import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { BackupRecordFile } from '../../src/adapters/backup-record-file.js'
import { configFiles } from '../../src/adapters/config-file/config-files.js'
import { loadConfig } from '../../src/adapters/config-file/load-config.js'
import { openCredentialStore } from '../../src/adapters/credential-store/open-credential-store.js'
import { journalShelf } from '../../src/adapters/journal-file/shelf.js'
import { localLocks } from '../../src/adapters/lock/local-locks.js'
import { readPlan, writePlan } from '../../src/adapters/plan-file.js'
import { refusedLoginsFile } from '../../src/adapters/refused-logins-file.js'
import { readTargets } from '../../src/adapters/targets-file.js'
import { requireFixedConfig } from '../../src/adapters/utilities/cloudhsm-cli/fixed-config.js'
import { mergedCliConfig } from '../../src/domain/cli-config.js'
import type { DraftConfig } from '../../src/domain/config-files.js'
import { OperatorError } from '../../src/domain/errors.js'
import type { ClusterId, RegionName, RotationId } from '../../src/domain/ids.js'
import { mergedConfig } from '../../src/domain/merged-config.js'
import { mappedClusters } from '../../src/domain/roster-map.js'
import { Secret } from '../../src/domain/secret.js'
import { twoClones } from '../helpers/clusters.js'
import { credentialsOf } from '../helpers/credentials.js'
import { factsOf, planOver, ROTATION, rosterOf } from '../helpers/rotation.js'
import { tempFolders } from '../helpers/temp-folder.js'

const newFolder = tempFolders()
const NOW = () => new Date('2026-03-01T03:15:00Z')
const [CLUSTER] = ['cluster-aaaaaaaaaaa'] as [ClusterId]
const PLACE = { clusterId: CLUSTER, hsmId: null }
const USER = { type: 'CU', name: 'app' } as const

/** A file that is read again by a later invocation, and what reads it. */
interface Kept {
  readonly path: string
  /** Each of these comes upon the file as it stands. */
  readonly reads: readonly (() => Promise<unknown>)[]
}

const { a, b } = twoClones()
const clusters = { source: a, destinations: [b] }
const written = async (utility: 'cmu' | 'cloudhsm-cli'): Promise<string> => {
  const path = join(await newFolder(), 'merged.cfg')
  const draft: DraftConfig =
    utility === 'cmu'
      ? { utility, ...mergedConfig(clusters), clusters: mappedClusters(clusters) }
      : {
          utility,
          ...mergedCliConfig(clusters, undefined, { common: null, byCluster: new Map() }),
          clusters: mappedClusters(clusters),
        }
  await configFiles(NOW).write(path, draft)
  return path
}

const config =
  (utility: 'cmu' | 'cloudhsm-cli', which: (path: string) => string | Promise<string>) => async (): Promise<Kept> => {
    const path = await written(utility)
    return { path: await which(path), reads: [() => loadConfig(path)] }
  }

const FILES: readonly (readonly [string, () => Promise<Kept>, readonly string[]])[] = [
  [
    'refused logins',
    async () => {
      const path = join(await newFolder(), 'refused-logins.json')
      const file = () => refusedLoginsFile(path, NOW)
      await file().note(USER, [PLACE], null)
      const whole = await readFile(path)
      const other = { clusterId: 'cluster-zzzzzzzzzzz' as ClusterId, hsmId: null }
      return {
        path,
        reads: [
          () => file().of(USER, [CLUSTER]),
          () =>
            file()
              .note(USER, [PLACE], null)
              .finally(() => writeFile(path, whole)),
          () => file().clear(USER, [other]),
        ].map((read) => async () => {
          await read()
        }),
      }
    },
    ['REFUSED_LOGINS_UNREADABLE'],
  ],
  [
    'plan',
    async () => {
      const path = join(await newFolder(), 'plan.json')
      await writePlan(path, planOver(rosterOf(2, 2)), NOW())
      return { path, reads: [() => readPlan(path)] }
    },
    ['PLAN_MALFORMED'],
  ],
  ['configuration of cloudhsm_mgmt_util', config('cmu', (path) => path), ['CONFIG_MALFORMED', 'CONFIG_EDITED']],
  ['configuration of cloudhsm-cli', config('cloudhsm-cli', (path) => path), ['CONFIG_MALFORMED', 'CONFIG_EDITED']],
  ['map of the one', config('cmu', (path) => `${path}.map.json`), ['MAP_MALFORMED']],
  ['map of the other', config('cloudhsm-cli', (path) => `${path}.map.json`), ['MAP_MALFORMED']],
  [
    'configuration of a single HSM',
    config('cloudhsm-cli', async (path) => (await loadConfig(path)).proofConfigs[0]?.path ?? ''),
    ['CONFIG_EDITED'],
  ],
  [
    'fixed configuration of cloudhsm-cli',
    async () => {
      const path = await written('cloudhsm-cli')
      const whole = (await loadConfig(path)).roster.filter(({ clusterId }) => clusterId === a.clusterId)
      return { path, reads: [() => requireFixedConfig(path, [{ clusterId: a.clusterId, whole }])] }
    },
    ['CLI_CONFIG_DIFFERS'],
  ],
  [
    'credential store',
    async () => {
      const identity = await generateIdentity()
      const keys = { recipients: [await identityToRecipient(identity)], identity: new Secret(identity) }
      const path = join(await newFolder(), 'store.age')
      const open = () => openCredentialStore(`file:${path}`, keys)
      await (await open()).putPending(credentialsOf(ROTATION, { 'CU:app': 'TEST-SECRET-cut-short' }))
      return { path, reads: [async () => (await open()).read('pending')] }
    },
    ['STORE_MALFORMED'],
  ],
  [
    'targets file',
    async () => {
      const path = join(await newFolder(), 'targets.yaml')
      await writeFile(path, 'targets:\n  - {profile: prod, regions: [eu-west-1]}\n')
      return { path, reads: [() => readTargets(path, (text) => text as RegionName)] }
    },
    ['BAD_TARGETS'],
  ],
]

/** What a reader makes of a file: its value, or the code of what it tells the operator. Anything else is a fault. */
const outcomeOf = async (read: () => Promise<unknown>): Promise<unknown> => {
  try {
    return { value: await read() }
  } catch (error) {
    if (!(error instanceof OperatorError) || error.suggestions.length === 0) throw error
    return error.code
  }
}

/** What a power failure can leave: the beginning of the file, of any length, or nothing but zeros in its blocks. */
const leftovers = (whole: Buffer): readonly Buffer[] => {
  const atAnEnd = (length: number) => length < 20 || length > whole.length - 20
  const lengths = [...whole.keys()].filter((length) => atAnEnd(length) || length % 13 === 0)
  return [...lengths.map((length) => whole.subarray(0, length)), Buffer.alloc(whole.length)]
}

describe('a file that is cut short', () => {
  test.each(FILES)('at any length is told of or reads as the whole one: %s', async (_, make, codes) => {
    const { path, reads } = await make()
    const whole = await readFile(path)
    const wanted = await Promise.all(reads.map(outcomeOf))
    for (const bytes of leftovers(whole)) {
      for (const [index, read] of reads.entries()) {
        await writeFile(path, bytes)
        const outcome = await outcomeOf(read)
        if (!codes.includes(String(outcome))) expect([bytes.length, outcome]).toEqual([bytes.length, wanted[index]])
      }
    }
    for (const read of reads) {
      await writeFile(path, '')
      expect(codes).toContain(await outcomeOf(read))
    }
  })

  test('costs the backup records that are no longer whole, and AWS is asked for them again', async () => {
    const folder = await newFolder()
    const file = new BackupRecordFile(folder)
    const record = (backupId: string) =>
      ({
        backupId,
        region: 'eu-west-1' as RegionName,
        account: null,
        clusterId: CLUSTER,
        sourceRegion: null,
        sourceBackup: null,
        sourceCluster: null,
        seen: 'live',
      }) as const
    await file.add([record('backup-a'), record('backup-b')])
    const path = join(folder, 'backup-records.jsonl')
    for (const bytes of leftovers(await readFile(path))) {
      await writeFile(path, bytes)
      const ids = (await file.load()).map(({ backupId }) => backupId)
      expect([[], ['backup-a'], ['backup-a', 'backup-b']]).toContainEqual(ids)
    }
  })

  test('is a journal up to its last whole line, or one that had not begun', async () => {
    const folder = await newFolder()
    const shelf = journalShelf(folder, NOW)
    const { journal } = await shelf.create(factsOf(rosterOf(1, 1)))
    await journal.append({ type: 'stage-completed', stage: 'rehearse' })
    await journal.close()
    const path = join(folder, `${ROTATION}.jsonl`)
    const whole = await readFile(path)
    const lines = (bytes: Buffer) => bytes.toString().split('\n').length - 1
    for (const bytes of leftovers(whole)) {
      await writeFile(path, bytes)
      const outcome = await outcomeOf(async () => (await shelf.read(ROTATION)).entries.length)
      expect(outcome).toEqual(lines(bytes) === 0 ? 'JOURNAL_EMPTY' : { value: lines(bytes) })
      expect(await outcomeOf(() => shelf.openRotations([CLUSTER]).then((open) => open.length))).toEqual({
        value: lines(bytes) === 0 ? 0 : 1,
      })
    }
  })

  test('is a lock that nobody holds: it is taken over, and people are told', async () => {
    const folder = join(await newFolder(), 'locks')
    const notices: string[] = []
    const locks = localLocks(folder, NOW, { lastAction: async () => null, notice: (text) => notices.push(text) })
    const path = join(folder, `${CLUSTER}.lock`)
    const held = await locks.acquire([CLUSTER])
    await held.name(ROTATION)
    const whole = await readFile(path)
    for (const bytes of leftovers(whole)) {
      await writeFile(path, bytes)
      expect(await outcomeOf(() => held.assertHeld())).toBe('LOCK_LOST')
      expect(await locks.find(ROTATION)).toEqual([])
      const next = await locks.acquire([CLUSTER])
      await next.assertHeld()
      await next.release()
    }
    const cut = `the lock ${path} is cut short, as a machine leaves it that lost its power, and nobody holds it`
    expect([...new Set(notices)]).toEqual([
      `${cut}; the next rotation on that cluster takes it over`,
      `${cut}; it is taken over`,
    ])
  })
})

describe('a file that this program did not write, or may not read', () => {
  test.each([
    ['{}'],
    ['null'],
    ['[]'],
    ['7'],
    ['{"token":"t","host":"h","user":"u","since":"s","pid":1}'],
    ['{"token":"t","host":"h","user":"u","since":"s","pid":"1","bootId":null,"startTicks":null,"rotationId":null}'],
  ])('is no lock that is taken over: %s', async (text) => {
    const folder = await newFolder()
    const locks = localLocks(folder, NOW, { lastAction: async () => null })
    const path = join(folder, `${CLUSTER}.lock`)
    await writeFile(path, text)
    expect(await outcomeOf(() => locks.acquire([CLUSTER]))).toBe('LOCK_UNREADABLE')
    expect(await outcomeOf(() => locks.find(ROTATION))).toBe('LOCK_UNREADABLE')
    expect(await readFile(path, 'utf8')).toBe(text)
  })

  test.each([
    ['{"cluster-aaaaaaaaaaa CU:app":{"at":"2026-03-01T03:15:00Z"}}'],
    ['{"cluster-aaaaaaaaaaa CU:app":null}'],
    ['[]'],
    ['null'],
  ])('counts no refused logins: %s', async (text) => {
    const path = join(await newFolder(), 'refused-logins.json')
    await writeFile(path, text)
    const file = refusedLoginsFile(path, NOW)
    expect(await outcomeOf(() => file.note(USER, [PLACE], null))).toBe('REFUSED_LOGINS_UNREADABLE')
    expect(await readFile(path, 'utf8')).toBe(text)
  })

  test('is told of wherever a folder stands in its place', async () => {
    const folder = await newFolder()
    const inItsPlace = async (name: string) => {
      await mkdir(join(folder, name), { recursive: true })
      return join(folder, name)
    }
    const refused = refusedLoginsFile(await inItsPlace('refused-logins.json'), NOW)
    const locks = localLocks(dirname(await inItsPlace(`locks/${CLUSTER}.lock`)), NOW, { lastAction: async () => null })
    const plan = await inItsPlace('plan.json')
    expect([
      await outcomeOf(() => refused.of(USER, [CLUSTER])),
      await outcomeOf(() => locks.acquire([CLUSTER])),
      await outcomeOf(() => locks.find(ROTATION)),
      await outcomeOf(() => readPlan(plan)),
    ]).toEqual(['REFUSED_LOGINS_UNREADABLE', 'LOCK_UNREADABLE', 'LOCK_UNREADABLE', 'PLAN_UNREADABLE'])
  })

  test('is told of wherever a file stands in the place of its folder', async () => {
    const path = join(await newFolder(), 'state')
    await writeFile(path, '')
    const locks = localLocks(path, NOW, { lastAction: async () => null })
    const refused = refusedLoginsFile(join(path, 'refused-logins.json'), NOW)
    const shelf = journalShelf(path, NOW)
    expect([
      await outcomeOf(() => locks.find(ROTATION)),
      await outcomeOf(() => locks.acquire([CLUSTER])),
      await outcomeOf(() => refused.note(USER, [PLACE], null)),
      await outcomeOf(() => shelf.list()),
      await outcomeOf(() => shelf.openRotations([CLUSTER])),
      await outcomeOf(() => shelf.read('r-20260301-031500-none' as RotationId)),
    ]).toEqual([
      'LOCK_UNREADABLE',
      'STATE_UNWRITABLE',
      'REFUSED_LOGINS_UNREADABLE',
      'JOURNAL_UNREADABLE',
      'JOURNAL_UNREADABLE',
      'JOURNAL_UNREADABLE',
    ])
  })
})
