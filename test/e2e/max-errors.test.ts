import { expect, test } from '@jest/globals'
import { testFamily } from '../helpers/payments.js'
import { sharedFleet } from '../helpers/shared-fleet.js'
import { NEW_PASSWORD } from '../helpers/workplace.js'

const fleet = sharedFleet({ waves: testFamily('waves', { source: 4, destination: 3 }) })

test('HSMs of a wave that cannot be reached: --max-errors says after how many the next wave still follows', async () => {
  const place = await fleet.at('waves')
  // Waves: three siblings of the source, then the one destination HSM between canary and restore point.
  expect((await place.start(['--pause-before=spread'])).exitCode).toBe(4)
  const { source, destination } = await place.hsmIds()
  const [first = '', reached = '', ...gone] = source
  const [canary = '', later = '', restorePoint = ''] = destination
  const struck = gone.flatMap((hsmId) => ['--hsm', hsmId])
  await fleet.fault('unreachable', ...struck)
  /** How a resume ended, and the cells by HSM. */
  const resume = async (args: readonly string[]) => {
    const { exitCode, json } = await place.resume(args)
    const states = json.cells.map(({ hsmId, state }: { hsmId: string; state: string }) => [hsmId, state])
    return { exitCode, json, states: Object.fromEntries(states) }
  }
  const unreachable = Object.fromEntries(gone.map((hsmId) => [hsmId, 'unreachable']))
  const seen = { [first]: 'new', [reached]: 'new', [canary]: 'new', [restorePoint]: 'old', ...unreachable }

  // Two failed: more than none, more than one, no more than two. Out of reach is not failed: nobody knows.
  for (const args of [[], ['--max-errors=1']]) {
    const stopped = await resume(args)
    expect(stopped.states).toEqual({ ...seen, [later]: 'old' })
    expect([stopped.exitCode, stopped.json.stage, stopped.json.error.code]).toEqual([4, 'spread', 'HSM_UNREACHABLE'])
  }
  const passed = await resume(['--max-errors=2'])
  expect(passed.states).toEqual({ ...seen, [later]: 'new' })
  expect([passed.exitCode, passed.json.stage, passed.json.error.code]).toEqual([4, 'spread', 'HSM_UNREACHABLE'])
  for (const hsmId of gone) expect(passed.json.error.message).toContain(hsmId)
  expect(passed.json.error.message).not.toContain(later)
  expect(passed.json.error.suggestions).toContain(`lockstep rotate resume --rotation ${passed.json.rotationId}`)
  expect(passed.json.failedLogins).toBe(0)
  expect(await place.holds('CU:app_crypto', NEW_PASSWORD)).toEqual([true, true, false, false, true, true, false])

  await fleet.fault('unreachable', '--off', ...struck)
  const completed = await resume([])
  expect([completed.exitCode, completed.json.outcome]).toEqual([0, 'completed'])
})
