import { describe, expect, test } from '@jest/globals'
import { USER } from '../../helpers/cli-rotation.js'
import { endOf } from '../../helpers/observed.js'
import { OLD_PASSWORD, testFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { story } from '../../helpers/story.js'

const fleet = sharedFleet({
  cmu: testFamily('cmu', { source: 2, destination: 1 }),
})

describe('a rotation that is paused, and then a rollback that is', () => {
  const left = story(async () => {
    const place = await fleet.at('cmu')
    const started = await place.start(['--current-password=env:OLD', '--pause-before=verify'])
    const [away = ''] = (await place.hsmIds()).destination
    await fleet.fault('unreachable', '--hsm', away)
    const paused = await place.rollback()
    const status = await place.status()
    const words = await place.run(['rotate', 'status'])
    await fleet.fault('unreachable', '--hsm', away, '--off')
    const resumed = await place.resume()
    return { started, paused, status, words, resumed, held: await place.holds(USER, OLD_PASSWORD) }
  })
  test('says that it goes forward', () =>
    expect(left().started.json).toMatchObject({ procedure: 'rotate', direction: 'forward' }))

  test('says that it goes back', () => {
    expect([left().paused.exitCode, left().paused.json.outcome]).toEqual([4, 'paused'])
    expect(left().paused.json).toMatchObject({ procedure: 'rotate', direction: 'back' })
  })

  test('status says so in the document', () => {
    expect(left().status.exitCode).toBe(4)
    expect(left().status.json).toMatchObject({ procedure: 'rotate', direction: 'back' })
  })

  test('status says to people that resume goes on going back', () => {
    const { rotationId } = left().paused.json
    const { stdout, stderr } = left().words
    const line = `${stdout}${stderr}`
      .split('\n')
      .find((one) => one.includes(`lockstep rotate resume --rotation ${rotationId}`))
    expect(line).toMatch(/\bback\b/)
  })

  test('resume ends old, and the direction stays back', () => {
    expect(endOf(left().resumed)).toEqual([0, 'rolled-back', undefined])
    expect(left().resumed.json.direction).toBe('back')
    expect(new Set(left().held)).toEqual(new Set([true]))
  })
})
