import { describe, expect, test } from '@jest/globals'
import { cliFamily, USER } from '../../helpers/cli-rotation.js'
import { clusterIn, endOf, holdersOf, loginsOn, saidBy } from '../../helpers/observed.js'
import { testFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { story } from '../../helpers/story.js'
import { NEW_PASSWORD } from '../../helpers/workplace.js'

const KNOWN = '--current-password=env:OLD'
const REASON = '--reason=its rack has no power'

describe.each([
  ['leads to its cluster', true],
  ['leads nowhere', false],
])('one HSM of three cannot be reached, another HSM answers elsewhere; an address %s', (_words, cliDiscovery) => {
  const families = { impostor: cliFamily('impostor', { source: 3, destination: 2 }) }
  const fleet = sharedFleet(families, { behaviour: { cliDiscovery } })
  const left = story(async () => {
    const place = await fleet.at('impostor')
    const { source, destination } = await place.hsmIds()
    const [, , lost = ''] = source
    const [replaced = ''] = destination
    await place.start([KNOWN, '--pause-before=change'])
    const [impostor = ''] = (await fleet.fault('replaced', '--hsm', replaced, '--users', 'original')).hsms
    await fleet.fault('unreachable', '--hsm', lost)
    const before = await loginsOn(place, impostor)
    const refused = await place.resume([`--allow-unreachable=${lost}`, REASON])
    const logins = [await loginsOn(place, impostor), before]
    const held = await holdersOf(place, NEW_PASSWORD)
    await fleet.fault('unreachable', '--hsm', lost, '--off')
    const accepted = await place.resume([`--accept-new-serials=${clusterIn(families.impostor.destination)}`])
    return { refused, logins, held, accepted, everywhere: await place.holds(USER, NEW_PASSWORD) }
  })

  test('resume stops, and names the cluster', () => {
    expect(endOf(left().refused)).toEqual([4, 'paused', 'OTHER_SERIALS'])
    expect(left().refused.json.error.message).toContain(clusterIn(families.impostor.destination))
  })

  test('no password was sent to it', () => {
    const [after, before] = left().logins
    expect(after).toEqual(before)
  })

  test('no HSM has been given the new credential', () => expect(left().held).toEqual([]))

  test('the refusal names the flag that says it is known', () =>
    expect(saidBy(left().refused)).toContain('--accept-new-serials'))

  test('--accept-new-serials goes on with it', () => {
    expect(endOf(left().accepted)).toEqual([0, 'completed', undefined])
    expect(left().everywhere).toEqual([true, true, true, true, true])
  })
})

describe('what an HSM once showed is remembered', () => {
  const families = {
    late: cliFamily('late', { source: 3, destination: 1 }),
    added: cliFamily('added', { source: 1, destination: 1 }),
  }
  const fleet = sharedFleet(families)

  test('of one that answered for the first time in a later process', async () => {
    const place = await fleet.at('late')
    const [, , late = ''] = (await place.hsmIds()).source
    await fleet.fault('unreachable', '--hsm', late)
    const allowed = [`--allow-unreachable=${late}`, REASON]
    expect((await place.start([KNOWN, '--pause-before=canary', ...allowed])).exitCode).toBe(4)
    await fleet.fault('unreachable', '--hsm', late, '--off')
    expect((await place.resume(['--pause-before=verify'])).exitCode).toBe(4)
    await fleet.fault('replaced', '--hsm', late, '--users', 'original')
    expect(endOf(await place.resume())).toEqual([4, 'paused', 'OTHER_SERIALS'])
    expect(await place.holds(USER, NEW_PASSWORD)).toEqual(expect.arrayContaining([false]))
  })

  test('of one that was added meanwhile', async () => {
    const place = await fleet.at('added')
    expect((await place.start([KNOWN, '--pause-before=verify'])).exitCode).toBe(4)
    const [added = ''] = (await fleet.fault('added', '--cluster', clusterIn(families.added.source))).hsms
    expect((await place.resume(['--pause-before=finalize'])).exitCode).toBe(4)
    const [impostor = ''] = (await fleet.fault('replaced', '--hsm', added, '--users', 'original')).hsms
    const before = await loginsOn(place, impostor)
    expect(endOf(await place.resume())).toEqual([4, 'paused', 'OTHER_SERIALS'])
    expect(await loginsOn(place, impostor)).toEqual(before)
    expect(await holdersOf(place, NEW_PASSWORD)).not.toContain(impostor)
  })
})

describe('cloudhsm_mgmt_util says which HSM it is', () => {
  const fleet = sharedFleet({ cmu: testFamily('cmu', { source: 2, destination: 2 }) })

  test('another one is named and gets no password, though one elsewhere cannot be reached', async () => {
    const place = await fleet.at('cmu')
    const { source, destination } = await place.hsmIds()
    const [, lost = ''] = source
    const [, replaced = ''] = destination
    expect((await place.start([KNOWN, '--pause-before=change'])).exitCode).toBe(4)
    const [impostor = ''] = (await fleet.fault('replaced', '--hsm', replaced)).hsms
    await fleet.fault('unreachable', '--hsm', lost)
    const before = await loginsOn(place, impostor)
    const refused = await place.resume([`--allow-unreachable=${lost}`, REASON])
    expect(endOf(refused)).toEqual([4, 'paused', 'WRONG_HSM'])
    expect(refused.json.error.message).toContain(replaced)
    expect(await loginsOn(place, impostor)).toEqual(before)
    expect(await holdersOf(place, NEW_PASSWORD)).toEqual([])
  })
})
