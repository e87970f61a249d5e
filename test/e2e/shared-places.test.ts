import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CreateSecretCommand, DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { LockTable } from '../../src/adapters/lock/dynamodb/lock-table.js'
import { leaseTimes, sharedLocks } from '../../src/adapters/lock/dynamodb/shared-locks.js'
import type { ClusterId } from '../../src/domain/ids.js'
import { type LockTables, startLockTables } from '../helpers/lock-tables.js'
import { OLD_PASSWORD, testFamily } from '../helpers/payments.js'
import { ROTATION } from '../helpers/rotation.js'
import { sharedFleet } from '../helpers/shared-fleet.js'
import { NEW_PASSWORD, type Workplace } from '../helpers/workplace.js'

const fleet = sharedFleet(
  {
    secret: testFamily('secret', { source: 2 }),
    promote: testFamily('promote', { source: 2 }),
    locked: testFamily('locked', { source: 2 }),
  },
  {},
  { acceptsNoWayBack: true },
)
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

/** `rotate start`, or another command, with another store than the workplace's own. */
const withStore = (place: Workplace, verb: string, store: string, ...more: string[]) => {
  const start = [...place.clusterFlags, '--user=CU:app_crypto', '--new-password=env:NEW', '--yes']
  const args = verb === 'start' ? start : ['--most-recent']
  const officer = ['--officer=admin', '--officer-password=env:OFFICER']
  return place.run(['rotate', verb, ...args, ...officer, `--store=${store}`, '--json', ...more])
}

test('a rotation whose credentials lie in AWS Secrets Manager, from an empty secret to AWSCURRENT and back out', async () => {
  const place = await fleet.at('secret')
  const client = new SecretsManagerClient({
    region: 'us-east-1',
    endpoint: place.env['AWS_ENDPOINT_URL'] ?? '',
    credentials: { accessKeyId: place.env['AWS_ACCESS_KEY_ID'] ?? '', secretAccessKey: 'simulated' },
  })
  const missing = await withStore(place, 'start', 'secretsmanager:hsm/payments')
  expect([missing.exitCode, missing.json.error.code]).toEqual([3, 'STORE_MISSING'])
  await client.send(new CreateSecretCommand({ Name: 'hsm/payments' }))

  const paused = await withStore(
    place,
    'start',
    'secretsmanager:hsm/payments',
    '--current-password=env:OLD',
    '--pause-before=spread',
  )
  expect(paused.exitCode).toBe(4)
  const resumed = await withStore(place, 'resume', 'secretsmanager:hsm/payments')
  expect([resumed.exitCode, resumed.json.outcome]).toEqual([0, 'completed'])
  expect(new Set(await place.holds('CU:app_crypto', NEW_PASSWORD))).toEqual(new Set([true]))

  const { VersionIdsToStages } = await client.send(new DescribeSecretCommand({ SecretId: 'hsm/payments' }))
  client.destroy()
  expect(Object.values(VersionIdsToStages ?? {}).sort()).toEqual([['AWSCURRENT'], ['AWSPREVIOUS']])
  for (const [stage, password] of [
    ['current', NEW_PASSWORD],
    ['previous', OLD_PASSWORD],
  ] as const) {
    const got = await place.run([
      'store',
      'get',
      '--store=secretsmanager:hsm/payments',
      '--user=CU:app_crypto',
      `--stage=${stage}`,
      `--to=file:${stage}`,
      '--json',
    ])
    expect(got).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await readFile(join(place.folder, stage), 'utf8')).toBe(password)
  }
})

test('a promotion that failed is repeated once every HSM has shown that it still holds it', async () => {
  const place = await fleet.at('promote')
  // Keeps the document in a file; refuses to take away PENDING as long as it is told so.
  await place.write(
    'keep.sh',
    `if [ "$LOCKSTEP_STORE_ACTION" = read ]; then cat document 2>/dev/null || true; exit; fi
cat > draft
if [ -e refuse ] && grep -q '"pending":null' draft; then rm draft; exit 1; fi
mv draft document
`,
  )
  await place.write('refuse', '')
  const started = await withStore(place, 'start', 'command:sh ./keep.sh')
  expect(started.exitCode).toBe(4)
  expect(started.json).toMatchObject({ stage: 'finalize', error: { code: 'STORE_UNWRITABLE' } })
  expect(new Set(await place.holds('CU:app_crypto', NEW_PASSWORD))).toEqual(new Set([true]))

  const { source, destination } = await place.hsmIds()
  const hsms = [...source, ...destination].flatMap((hsmId) => ['--hsm', hsmId])
  await rm(join(place.folder, 'refuse'))
  await fleet.fault('unreachable', ...hsms)
  const blind = await withStore(place, 'resume', 'command:sh ./keep.sh')
  expect([blind.exitCode, blind.json.stage, blind.json.error.code]).toEqual([4, 'verify', 'HSM_UNREACHABLE'])
  await fleet.fault('unreachable', '--off', ...hsms)
  const resumed = await withStore(place, 'resume', 'command:sh ./keep.sh')
  expect([resumed.exitCode, resumed.json.outcome]).toEqual([0, 'completed'])
  const { current, pending } = JSON.parse(await readFile(join(place.folder, 'document'), 'utf8'))
  expect([current.users, pending]).toEqual([{ 'CU:app_crypto': NEW_PASSWORD }, null])
})

describe('a lock that other machines see', () => {
  test('keeps a second operator out, who is told by whom; once it is free the rotation runs under it', async () => {
    const place = await fleet.at('locked')
    const table = await tables.create()
    const elsewhere = sharedLocks({
      table: new LockTable(table, tables.env),
      times: leaseTimes(60_000),
      lastAction: async () => 'sync of CU:app_crypto',
      isFinished: async () => false,
      self: { host: 'elsewhere', bootId: 'b', pid: 99, startTicks: '1', pidNamespace: null, user: 'colleague' },
    })
    const [clusterId = ''] = (await place.truth()).map((hsm) => hsm.clusterId)
    const held = await elsewhere.acquire([clusterId as ClusterId])
    await held.name(ROTATION)
    const env = { AWS_ENDPOINT_URL_DYNAMODB: tables.env['AWS_ENDPOINT_URL_DYNAMODB'] ?? '' }
    const before = await place.truth({ counters: true })
    const refused = await place.start([`--lock=dynamodb:${table}`], { env })
    expect([refused.exitCode, refused.json.error.code]).toEqual([5, 'LOCKED'])
    expect(refused.json.error.message).toMatch(
      new RegExp(
        `^${clusterId} is in use by ${ROTATION}: colleague@elsewhere, .*, last action: sync of CU:app_crypto$`,
      ),
    )
    expect(await place.truth({ counters: true })).toEqual(before)
    await held.release()

    const started = await place.start([], { env: { ...env, LOCKSTEP_LOCK: `dynamodb:${table}` } })
    expect(started.exitCode).toBe(0)
    expect(started.stderr).not.toContain('on this machine only')
    const left = await new LockTable(table, tables.env).all()
    expect(left.map(({ holder }) => holder)).toEqual([null, null])
    // The refused run had taken the other cluster, and gave it back.
    expect(left.map(({ fence }) => fence)).toEqual([2, 2])
  })

  test('is told to be missing where none is given', async () => {
    const place = await fleet.at('locked')
    const { stderr } = await place.start(['--pause-before=store-pending'])
    expect(stderr).toContain('The lock holds on this machine only')
  })
})
