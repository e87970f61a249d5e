import { join } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { generateX25519Identity } from 'age-encryption'
import { cliFamily, USER } from '../../helpers/cli-rotation.js'
import { endOf, onHsms } from '../../helpers/observed.js'
import { testFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { NEW_PASSWORD, type Workplace } from '../../helpers/workplace.js'

const KNOWN = '--current-password=env:OLD'
const OFFICER_WRONG = { env: { OFFICER: 'TEST-officer-other' } }
const families = {
  cmu: testFamily('cmu', { source: 1, destination: 2 }),
  cli: cliFamily('cli', { source: 2, destination: 1 }),
  back: cliFamily('back', { source: 2, destination: 1 }),
  officer: testFamily('officer'),
  early: testFamily('early'),
}
const fleet = sharedFleet(families)

/** What stands in the way of a command, and what takes it away again. */
interface Obstacle {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly fault?: readonly string[]
  /** What the message has to name. */
  readonly naming: string | RegExp
}

const OBSTACLES = {
  'a store that knows nothing of it': async ({ folder }) => ({
    args: [`--store=file:${join(folder, 'another.age')}`],
    naming: 'another.age',
  }),
  'a key that does not open the store': async ({ storePath }) => ({
    env: { STORE_KEY: await generateX25519Identity() },
    naming: storePath,
  }),
  'a store that is not where it was': async ({ folder }) => ({
    args: [`--store=file:${join(folder, 'gone/credentials.age')}`],
    naming: 'gone',
  }),
  'another HSM in the place of one': async (place) => {
    const [hsmId = ''] = (await place.hsmIds()).source
    return { fault: ['replaced', '--hsm', hsmId], naming: new RegExp(`${hsmId}|cluster-\\w+src`) }
  },
  'an HSM that AWS has replaced': async (place) => {
    const [hsmId = ''] = (await place.hsmIds()).destination
    return { fault: ['replaced', '--aws-too', '--hsm', hsmId], naming: hsmId }
  },
  'an HSM that is not ACTIVE': async (place) => {
    const [hsmId = ''] = (await place.hsmIds()).destination
    return { fault: ['degraded', '--hsm', hsmId], naming: hsmId }
  },
  'HSMs of which none can be reached': async (place) => {
    const { source, destination } = await place.hsmIds()
    return { fault: ['unreachable', ...onHsms([...source, ...destination])], naming: source[0] ?? '' }
  },
  'a Region whose API is denied': async () => ({
    fault: ['region-denied', '--region', 'us-east-1'],
    naming: 'us-east-1',
  }),
  'no AWS credentials': async () => ({
    env: { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_EC2_METADATA_DISABLED: 'true' },
    naming: /credential/i,
  }),
  'a utility that is not there': async ({ folder }) => ({
    env: { LOCKSTEP_CMU: join(folder, 'no-utility'), LOCKSTEP_CLOUDHSM_CLI: join(folder, 'no-utility') },
    naming: 'no-utility',
  }),
} as const satisfies Readonly<Record<string, (place: Workplace) => Promise<Obstacle>>>
type ObstacleName = keyof typeof OBSTACLES

/** Paused with exit 4, the document of the rotation, the obstacle named, and nothing changed. */
const expectStopped = async (place: Workplace, command: 'resume' | 'rollback', name: ObstacleName) => {
  const { args = [], env = {}, fault, naming }: Obstacle = await OBSTACLES[name](place)
  if (fault !== undefined) await fleet.fault(...fault)
  try {
    const before = await place.holds(USER, NEW_PASSWORD)
    const { exitCode, json } = await place[command](args, { env })
    expect([exitCode, json.outcome, json.error?.code]).toEqual([4, 'paused', expect.any(String)])
    expect(json.error.message).toMatch(naming)
    expect(await place.holds(USER, NEW_PASSWORD)).toEqual(before)
  } finally {
    if (fault !== undefined) await fleet.fault(...fault, '--off')
  }
}

const IN_DETAIL = Object.keys(OBSTACLES) as ObstacleName[]
const IN_SHORT: readonly ObstacleName[] = [
  'a store that knows nothing of it',
  'another HSM in the place of one',
  'a Region whose API is denied',
]

describe.each([
  ['resume', 'cmu', IN_DETAIL],
  ['resume', 'cli', IN_SHORT],
  ['rollback', 'back', IN_SHORT],
] as const)('%s of a rotation that has changed something: %s', (command, name, obstacles) => {
  let place: Workplace
  beforeAll(async () => {
    place = await fleet.at(name)
    await place.start([KNOWN, '--pause-before=canary'])
  })

  test.each(obstacles)('exit 4 for %s', (obstacle) => expectStopped(place, command, obstacle))
})

test('exit 4 for an officer who is refused, and afterwards', async () => {
  const place = await fleet.at('officer')
  expect((await place.start([KNOWN, '--pause-before=canary'])).exitCode).toBe(4)
  expect(endOf(await place.resume([], OFFICER_WRONG))).toEqual([4, 'paused', 'OFFICER_REFUSED'])
  expect(endOf(await place.rollback([], OFFICER_WRONG))).toEqual([4, 'paused', 'OFFICER_REFUSED_BEFORE'])
  const resumed = await place.resume(['--retry-officer'])
  expect(resumed.exitCode).toBe(0)
  expect(['completed', 'rolled-back']).toContain(resumed.json.outcome)
})

test('the boundary is the intent to store: exit 3 before it, 4 behind it though no HSM was written to', async () => {
  const place = await fleet.at('early')
  expect((await place.start([KNOWN, '--pause-before=store-pending'])).exitCode).toBe(4)
  const again = [KNOWN, '--new-password=env:NEW']
  expect((await place.resume([...again, '--officer-password=env:NEW'])).exitCode).toBe(3)
  expect((await place.resume([...again, '--retry-officer', '--pause-before=rehearse'])).exitCode).toBe(4)
  const refused = await place.resume(['--officer-password=env:NEW', '--retry-officer'])
  expect(endOf(refused)).toEqual([4, 'paused', 'OFFICER_REFUSED'])
})
