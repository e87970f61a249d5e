import { expect, test } from '@jest/globals'
import { cliFamily, expectCompleted, failuresOf, statesOf, USER } from '../../helpers/cli-rotation.js'
import { OLD_PASSWORD } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { NEW_PASSWORD } from '../../helpers/workplace.js'

const NEWCOMER = 'CU:newcomer'
const families = {
  partial: cliFamily('partial', { source: 3, destination: 2 }),
  dead: cliFamily('dead'),
  late: cliFamily('late'),
  drained: cliFamily('drained'),
  budget: cliFamily('budget', { source: 1 }),
  joined: cliFamily('joined', {
    users: [{ type: 'CU', name: 'newcomer', password: 'TEST-newcomer-1' } as never],
    destination: 2,
  }),
}
// The program gives up soon, so that nobody waits for it.
const fleet = sharedFleet(families, { behaviour: { cliTimeoutMs: 3_000 } }, { acceptsNoWayBack: true })
process.env['TEST_BY_HAND'] = 'TEST-by-hand-1'
const SOON = '--silence-timeout=2'
const clusterOf = (ref: string) => ref.split('/')[1] ?? ''

/** One HSM of the cluster fails, also when the command is repeated at once. */
const partly = (cluster: string, operation: string, ...more: readonly string[]) =>
  fleet.fault('partial', '--cluster', clusterOf(cluster), '--operation', operation, '--count', '1', ...more)

test('a change that failed on one of three HSMs, and a copy on one of two: paused and unknown, resume writes all again', async () => {
  const place = await fleet.at('partial')
  await partly(families.partial.source, 'change')
  const paused = await place.start()
  expect([paused.exitCode, paused.json.stage]).toEqual([4, 'change'])
  expect(paused.json.error.message).toContain('failed on 1 of 3 connections')
  expect(paused.json.error.code).toBe('PARTLY_DONE')
  expect(statesOf(paused.json)).toEqual(['unknown', 'unknown', 'unknown', 'old', 'old'])
  expect((await place.holds(USER, NEW_PASSWORD)).filter(Boolean)).toHaveLength(2)

  await partly(families.partial.source, 'change', '--off')
  await partly(families.partial.destination, 'replicate')
  const copied = await place.resume([SOON])
  expect([copied.exitCode, copied.json.stage, copied.json.error.code]).toEqual([4, 'canary', 'PARTLY_DONE'])
  expect(statesOf(copied.json)).toEqual(['new', 'new', 'new', 'unknown', 'unknown'])
  expect((await place.holds(USER, NEW_PASSWORD)).filter(Boolean)).toHaveLength(4)

  await partly(families.partial.destination, 'replicate', '--off')
  await expectCompleted(place, await place.resume([SOON]), 'sync')
  expect(await failuresOf(place)).toEqual([0, 0, 0, 0, 0])
})

test('a change that was carried out and never answered: paused, resume waits and writes it again', async () => {
  const place = await fleet.at('dead')
  const { source } = await place.hsmIds()
  await fleet.fault('die-after', '--operation', 'change', '--nth', '1', '--hsm', source[0] ?? '')
  const paused = await place.start([SOON])
  expect([paused.exitCode, paused.json.stage]).toEqual([4, 'change'])
  expect(statesOf(paused.json)).toEqual(['unknown', 'unknown', 'old'])
  await expectCompleted(place, await place.resume([SOON]), 'sync')
})

test('a change that takes effect after we have gone: nobody is killed in the middle, resume waits for it', async () => {
  const place = await fleet.at('late')
  const { source } = await place.hsmIds()
  await fleet.fault('late', '--operation', 'change', '--nth', '1', '--ms', '500', '--hsm', source[0] ?? '')
  const paused = await place.start(['--silence-timeout=1'])
  expect([paused.exitCode, paused.json.stage, paused.json.error.code]).toEqual([4, 'change', 'HSM_SILENT'])
  const back = await place.rollback(['--silence-timeout=4'])
  expect([back.json.error, back.exitCode, back.json.outcome]).toEqual([undefined, 6, 'rolled-back'])
  // All of them were given what the other cluster held.
  expect(back.json.withoutProof).toHaveLength(3)
  expect(await place.holds(USER, OLD_PASSWORD)).toEqual([true, true, true])
})

test('a user that is logged in: paused, and --wait-for-drain goes on once it has left', async () => {
  const place = await fleet.at('drained')
  // An application connects to every HSM of its cluster.
  const hsms = (await place.hsmIds()).source.flatMap((hsmId) => ['--hsm', hsmId])
  await fleet.fault('logged-in', '--user', USER, ...hsms)
  const paused = await place.start()
  expect([paused.exitCode, paused.json.stage, paused.json.error.code]).toEqual([4, 'change', 'USER_LOGGED_IN'])
  const left = fleet.running
  let gone: Promise<unknown> | null = null
  const resumed = await place.resume(['--wait-for-drain=20s'], {
    onStderr: (text) => {
      if (/logged in/.test(text)) gone ??= left.fault('logged-in', '--user', USER, ...hsms, '--off')
    },
  })
  await gone
  await expectCompleted(place, resumed, 'sync')
})

test('somebody else changes the password again and again: two failed logins per cluster in all', async () => {
  const place = await fleet.at('budget')
  const [first = ''] = (await place.hsmIds()).source
  expect((await place.start(['--pause-before=canary'])).exitCode).toBe(4)
  const byHand = () => fleet.fault('set-password', '--user', USER, '--password', 'env:TEST_BY_HAND', '--hsm', first)
  await byHand()
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const ended = await place.resume(['--pause-before=spread'])
    expect([ended.exitCode, ended.json.error.code]).toEqual([4, 'OTHER_CREDENTIAL'])
    await byHand()
  }
  expect(Math.max(...(await failuresOf(place)).map(Number))).toBeLessThanOrEqual(2)
})

test('a user that is missing on the destination is created; an HSM that joined meanwhile is taken along', async () => {
  const place = await fleet.at('joined')
  const { destination } = await place.hsmIds()
  const hsms = destination.flatMap((id) => ['--hsm', id])
  await fleet.fault('missing-user', '--user', NEWCOMER, ...hsms)
  const refused = await place.start([`--user=${NEWCOMER}`])
  expect([refused.exitCode, refused.json.error.code]).toEqual([3, 'USER_MISSING'])
  expect(refused.json.error.suggestions.join()).toContain('--create-missing')
  const created = await place.start([`--user=${NEWCOMER}`, '--create-missing', '--pause-before=verify'])
  expect([created.exitCode, created.json.error.code]).toEqual([4, 'PAUSED_AS_ASKED'])
  expect(await place.holds(NEWCOMER, NEW_PASSWORD)).toEqual([true, true, true, true])

  await fleet.fault('added', '--cluster', clusterOf(families.joined.source), '--users', 'original')
  const resumed = await place.resume()
  expect([resumed.json.error, resumed.json.outcome, resumed.exitCode]).toEqual([undefined, 'completed', 0])
  expect(resumed.stderr).toContain('added since, and taken along')
  expect(statesOf(resumed.json)).toEqual(['new', 'new', 'new', 'new', 'new'])
  expect(await place.holds(NEWCOMER, NEW_PASSWORD)).toEqual([true, true, true, true, true])
})
