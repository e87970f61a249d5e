import { describe, expect, test } from '@jest/globals'
import { cliFamily, USER } from '../../helpers/cli-rotation.js'
import { endOf, saidBy } from '../../helpers/observed.js'
import { OLD_PASSWORD, testFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import type { Workplace } from '../../helpers/workplace.js'

/** A rotation to another password, by the same command as the last one. */
const next = async (place: Workplace, password: string, more: readonly string[] = []) => {
  const ended = await place.start(['--new-password=env:NEXT', ...more], { env: { NEXT: password } })
  return { end: endOf(ended), propagation: ended.json.propagation, held: new Set(await place.holds(USER, password)) }
}
const completedBy = (propagation: string) => ({
  end: [0, 'completed', undefined],
  propagation,
  held: new Set([true]),
})

describe('where user replicate refuses a user that has another password', () => {
  const fleet = sharedFleet(
    {
      two: cliFamily('two', { source: 1, destination: 2 }),
    },
    { behaviour: { userReplicateExisting: 'refuse' } },
  )

  test('the second rotation and the third go through without a flag', async () => {
    const place = await fleet.at('two')
    const first = await next(place, 'TEST-first-1', ['--accept-no-way-back'])
    expect(first).toEqual(completedBy('change'))
    expect(await next(place, 'TEST-second-1')).toEqual(completedBy('change'))
    expect(await next(place, 'TEST-third-1')).toEqual(completedBy('change'))
  })
})

describe('where two units are all there is', () => {
  const families = {
    cmu: testFamily('cmu'),
    cli: cliFamily('cli', { source: 3, destination: 2 }),
  }
  const fleet = sharedFleet(families)

  test.each(['cmu', 'cli'] as const)('--yes does not answer that there is no way back: %s', async (name) => {
    const place = await fleet.at(name)
    const before = await place.truth()
    const declined = await place.start()
    expect(endOf(declined)).toEqual([3, undefined, 'NO_WAY_BACK'])
    expect(saidBy(declined)).toContain('--current-password')
    expect(saidBy(declined)).toContain('--accept-no-way-back')
    expect(await place.truth()).toEqual(before)
    expect(await place.kept()).toEqual({ rotations: [], store: false, locks: [] })
    expect(new Set(await place.holds(USER, OLD_PASSWORD))).toEqual(new Set([true]))
  })
})
