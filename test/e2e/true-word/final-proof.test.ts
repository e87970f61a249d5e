import { describe, expect, test } from '@jest/globals'
import { cliFamily, USER } from '../../helpers/cli-rotation.js'
import { endOf, failuresByHsm, holdersOf, kindsOfCells, onHsms, saidBy, stateByHsm } from '../../helpers/observed.js'
import { OLD_PASSWORD, testFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { story } from '../../helpers/story.js'
import { NEW_PASSWORD } from '../../helpers/workplace.js'

const BY_HAND = 'TEST-by-hand-1'
process.env['TEST_BY_HAND'] = BY_HAND
const KNOWN = '--current-password=env:OLD'
const fleet = sharedFleet({
  verify: testFamily('verify', { source: 2, destination: 2 }),
  spread: testFamily('spread', { source: 1, destination: 2 }),
  finalize: testFamily('finalize'),
  one: cliFamily('one', { source: 1, destination: 3 }),
  back: testFamily('back'),
})
/** Somebody changes the user's password there, and nobody tells us. */
const byHand = (...hsmIds: readonly string[]) =>
  fleet.fault('set-password', '--user', USER, '--password', 'env:TEST_BY_HAND', ...onHsms(hsmIds))

/** Which HSM is changed by hand while a rotation waits before a stage. */
const SITUATIONS = [
  ['verify', 'verify', 'a sibling in the source', ({ source }: Hsms) => source[1]],
  ['spread', 'spread', 'the canary', ({ destination }: Hsms) => destination[0]],
  ['finalize', 'finalize', 'the restore point, which has followed', ({ destination }: Hsms) => destination[0]],
] as const
type Hsms = { readonly source: readonly string[]; readonly destination: readonly string[] }

describe.each(SITUATIONS)('%s: paused before %s, and somebody changes %s', (name, stage, _words, choose) => {
  const left = story(async () => {
    const place = await fleet.at(name)
    const struck = choose(await place.hsmIds()) ?? ''
    await place.start([KNOWN, `--pause-before=${stage}`])
    await byHand(struck)
    const found = await place.resume()
    const status = await place.status()
    const seen = { failures: await failuresByHsm(place), byHand: await holdersOf(place, BY_HAND) }
    const pending = await place.stored('pending')
    return { struck, found, status, seen, pending }
  })

  test('resume is paused, the HSM and the flag are named', () => {
    expect(endOf(left().found)).toEqual([4, 'paused', 'OTHER_CREDENTIAL'])
    expect(left().found.json.error.message).toContain(left().struck)
    expect(saidBy(left().found)).toContain('--overwrite-other')
  })

  test('that cell is other, in status too', () => {
    expect(stateByHsm(left().found.json)[left().struck]).toBe('other')
    expect(stateByHsm(left().status.json)[left().struck]).toBe('other')
  })

  test('it cost one failed login there, what stands there is left alone, and the store keeps PENDING', () => {
    expect(left().seen.failures[left().struck]).toBe(1)
    expect(left().seen.byHand).toEqual([left().struck])
    expect(left().pending).not.toBeNull()
  })
})

test('one HSM of a cluster of three that cloudhsm-cli asks as one: not completed, and that cell is not new', async () => {
  const place = await fleet.at('one')
  const [, struck = ''] = (await place.hsmIds()).destination
  expect((await place.start([KNOWN, '--pause-before=verify'])).exitCode).toBe(4)
  await byHand(struck)
  const found = await place.resume()
  expect(endOf(found)).toEqual([4, 'paused', 'OTHER_CREDENTIAL'])
  expect(stateByHsm(found.json)[struck]).toBe('other')
  const overwritten = await place.resume(['--overwrite-other'])
  expect(endOf(overwritten)).toEqual([0, 'completed', undefined])
  expect(overwritten.json.overwritten).toContainEqual({ user: USER, hsmId: struck })
  expect(kindsOfCells(overwritten.json)).toEqual(['new (login-new)'])
  expect(await place.holds(USER, NEW_PASSWORD)).toEqual([true, true, true, true])
})

test('no rollback ends on an old proof either', async () => {
  const place = await fleet.at('back')
  const { source, destination } = await place.hsmIds()
  const [first = ''] = source
  expect((await place.start([KNOWN, '--pause-before=finalize'])).exitCode).toBe(4)
  await fleet.fault('unreachable', ...onHsms(destination))
  const half = await place.rollback()
  expect([half.exitCode, stateByHsm(half.json)[first]]).toEqual([4, 'old'])
  await byHand(first)
  await fleet.fault('unreachable', ...onHsms(destination), '--off')

  const found = await place.rollback()
  expect(endOf(found)).toEqual([4, 'paused', 'OTHER_CREDENTIAL'])
  expect(stateByHsm(found.json)[first]).toBe('other')
  expect(endOf(await place.resume(['--overwrite-other']))).toEqual([0, 'rolled-back', undefined])
  expect(await place.holds(USER, OLD_PASSWORD)).toEqual([true, true])
})
