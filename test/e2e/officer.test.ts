import { expect, test } from '@jest/globals'
import { testFamily } from '../helpers/payments.js'
import { sharedFleet } from '../helpers/shared-fleet.js'
import { NEW_PASSWORD, type Workplace } from '../helpers/workplace.js'

const fleet = sharedFleet(
  {
    midrun: testFamily('midrun', { source: 6, destination: 2 }),
    stale: testFamily('stale', { source: 2 }),
  },
  // Long enough for the lanes of a wave to meet in their logins.
  { latencyMs: { login: 150 } },
  { acceptsNoWayBack: true },
)

/** The officer's failed logins as each HSM counts them, and whether any HSM has locked it. */
const officerOn = async (place: Workplace) => {
  const rows = (await place.truth()).map(({ users }) => users.find(({ name }) => name === 'admin'))
  return { failures: rows.map((row) => row?.failures), locked: rows.some((row) => row?.locked) }
}

test('an officer whose password changes mid-run fails at most once on each HSM, however many lanes there are', async () => {
  const place = await fleet.at('midrun')
  const { source, destination } = await place.hsmIds()
  // Preflight, rehearsal, change and canary log in first; the lanes of the spread share two of these as origins.
  const logins = new Map([...source, ...destination].map((hsmId) => [hsmId, 1]))
  logins
    .set(source[0] ?? '', 3)
    .set(destination[0] ?? '', 3)
    .set(destination[1] ?? '', 2)
  for (const [hsmId, before] of logins) {
    await fleet.fault('refuse-login', '--user', 'CO:admin', '--from', `${before + 1}`, '--counted', '--hsm', hsmId)
  }
  const started = await place.start()
  const { failures, locked } = await officerOn(place)
  expect(locked).toBe(false)
  expect(Math.max(...failures.map(Number))).toBe(1)
  expect([started.exitCode, started.json.stage, started.json.error.code]).toEqual([4, 'spread', 'OFFICER_REFUSED'])
  // One refusal stops the others; only a login on other HSMs that was already under way may have failed as well.
  expect(failures.filter((count) => count === 1).length).toBeLessThanOrEqual(4)

  for (const hsmId of logins.keys()) await fleet.fault('refuse-login', '--off', '--hsm', hsmId)
  const resumed = await place.resume(['--retry-officer'])
  expect([resumed.exitCode, resumed.json.outcome]).toEqual([0, 'completed'])
  expect(new Set(await place.holds('CU:app_crypto', NEW_PASSWORD))).toEqual(new Set([true]))
})

test('five restarts with an officer password that went stale lock nobody, asked again or not', async () => {
  const place = await fleet.at('stale')
  const paused = await place.start(['--pause-before=spread'])
  expect(paused.exitCode).toBe(4)
  const { source, destination } = await place.hsmIds()
  const hsms = [...source, ...destination].flatMap((hsmId) => ['--hsm', hsmId])
  process.env['TEST_OTHER_OFFICER'] = 'TEST-officer-other'
  await fleet.fault('set-password', '--user', 'CO:admin', '--password', 'env:TEST_OTHER_OFFICER', ...hsms)

  const codes: string[] = []
  for (let time = 1; time <= 5; time += 1) codes.push((await place.resume()).json.error.code)
  expect(codes).toEqual(['OFFICER_REFUSED', ...Array(4).fill('OFFICER_REFUSED_BEFORE')])
  expect(await officerOn(place)).toEqual({ failures: [1, 0, 0], locked: false })

  for (let time = 1; time <= 5; time += 1) {
    const again = await place.resume(['--retry-officer'])
    expect([again.exitCode, again.json.outcome]).toEqual([4, 'paused'])
  }
  // Two below the limit it is not tried any more, whatever the operator says.
  expect(await officerOn(place)).toEqual({ failures: [3, 0, 0], locked: false })

  const right = await place.resume(['--retry-officer'], { env: { OFFICER: 'TEST-officer-other' } })
  expect([right.exitCode, right.json.error.code]).toEqual([4, 'NEAR_LOCKOUT'])
  await fleet.fault('failures', '--user', 'CO:admin', '--count', '0', ...hsms)
  const resumed = await place.resume(['--retry-officer'], { env: { OFFICER: 'TEST-officer-other' } })
  expect([resumed.exitCode, resumed.json.outcome]).toEqual([0, 'completed'])
})
