import { expect, test } from '@jest/globals'
import { testFamily } from '../helpers/payments.js'
import { sharedFleet } from '../helpers/shared-fleet.js'
import type { Workplace } from '../helpers/workplace.js'

const hsm2m = { sourceFields: { hsmType: 'hsm2m.medium' }, destinationFields: { hsmType: 'hsm2m.medium' } }
const fleet = sharedFleet(
  {
    current: testFamily('current', hsm2m),
    officer: testFamily('officer', hsm2m),
    proved: testFamily('proved', hsm2m),
  },
  {},
  { acceptsNoWayBack: true },
)

/** Failed logins of a user as each HSM counts them; cloudhsm-cli shows none of that. */
const failuresOf = async (place: Workplace, user: string) =>
  (await place.truth()).map(({ users }) => users.find(({ name }) => name === user)?.failures)

test('a wrong current password, given again and again, is asked twice in all', async () => {
  const place = await fleet.at('current')
  const wrong = () => place.start(['--current-password=env:OFFICER'])
  const codes: string[] = []
  for (let time = 1; time <= 4; time += 1) codes.push((await wrong()).json.error.code)
  expect(codes).toEqual(['CURRENT_REFUSED', 'CURRENT_REFUSED', 'LOGIN_BUDGET', 'LOGIN_BUDGET'])
  expect(Math.max(...(await failuresOf(place, 'app_crypto')).map(Number))).toBe(2)

  const right = await place.start(['--current-password=env:OLD', '--lockout-limit=6'])
  expect([right.exitCode, right.json.outcome]).toEqual([0, 'completed'])
})

test('a wrong officer password is tried twice in all, whatever the operator says', async () => {
  const place = await fleet.at('officer')
  const wrong = () => place.start(['--retry-officer'], { env: { OFFICER: 'TEST-officer-other' } })
  const codes: string[] = []
  for (let time = 1; time <= 4; time += 1) codes.push((await wrong()).json.error.code)
  expect(codes).toEqual(['OFFICER_REFUSED', 'OFFICER_REFUSED', 'LOGIN_BUDGET', 'LOGIN_BUDGET'])
  expect(Math.max(...(await failuresOf(place, 'admin')).map(Number))).toBe(2)
  for (const advised of [await wrong(), await place.start([])]) {
    expect(advised.json.error.suggestions.join('\n')).toContain('--lockout-limit 6 --retry-officer')
    expect(advised.json.error.suggestions.join('\n')).not.toContain('--current-password')
  }

  const right = await place.start(['--retry-officer', '--lockout-limit=6'])
  expect([right.exitCode, right.json.outcome]).toEqual([0, 'completed'])
  // It logged in, so nothing is held against it any more.
  const again = await place.start(['--dry-run'])
  expect(again.exitCode).toBe(0)
})

test('users prove asks a cluster twice for wrong passwords, and a right one clears that', async () => {
  const place = await fleet.at('proved')
  const config = await place.write('merged.cfg', '')
  const generated = await place.run(['config', 'generate', ...place.clusterFlags, '--out', config])
  expect(generated.exitCode).toBe(0)
  const prove = async (secret: string, ...more: string[]) => {
    const user = ['--user=CU:app_crypto', `--password=env:${secret}`]
    const { exitCode, json } = await place.run(['users', 'prove', `--config=${config}`, ...user, '--json', ...more])
    return [exitCode, ...json.hsms.map(({ match }: { match: boolean | null }) => match)]
  }
  expect(await prove('OFFICER')).toEqual([6, false, false])
  expect(await prove('OLD')).toEqual([0, true, true])
  expect(await prove('OFFICER')).toEqual([6, false, false])
  expect(await prove('OFFICER')).toEqual([6, false, false])
  expect(await prove('OFFICER')).toEqual([6, null, null])
  expect(Math.max(...(await failuresOf(place, 'app_crypto')).map(Number))).toBe(2)
  expect(await prove('OLD', '--lockout-limit=6')).toEqual([0, true, true])
})
