import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { cliFamily } from '../../helpers/cli-rotation.js'
import { endOf, everyHsm, falseClaims, holdersOf, saidBy, stateByHsm } from '../../helpers/observed.js'
import { OLD_PASSWORD } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { story } from '../../helpers/story.js'
import { NEW_PASSWORD } from '../../helpers/workplace.js'

const KNOWN = '--current-password=env:OLD'
const families = {
  start: cliFamily('start', { source: 1, destination: 3 }),
  resume: cliFamily('resume', { source: 1, destination: 3 }),
  back: cliFamily('back', { source: 3, destination: 1 }),
}
const fleet = sharedFleet(families, { behaviour: { cliTimeoutMs: 1_500 } })
const REASON = '--reason=it is silent'
const allow = (hsmId: string) => [`--allow-unreachable=${hsmId}`, REASON]
const PASSWORDS = { old: OLD_PASSWORD, new: NEW_PASSWORD }

test('start with one HSM that takes the connection and never answers: named alone, and left behind alone', async () => {
  const place = await fleet.at('start')
  const [, mute = ''] = (await place.hsmIds()).destination
  await fleet.fault('silent', '--hsm', mute)
  const refused = await place.start([KNOWN])
  expect(endOf(refused)).toEqual([3, undefined, 'HSM_UNREACHABLE'])
  expect(refused.json.error.message).toMatch(
    new RegExp(`shows 2 HSMs of 3: ${mute} \\(127[\\d.]+, eu-west-1\\) does not answer$`),
  )
  const started = await place.start([KNOWN, ...allow(mute)])
  expect(endOf(started)).toEqual([6, 'completed-with-debt', undefined])
  expect(await holdersOf(place, NEW_PASSWORD)).toEqual((await everyHsm(place)).filter((hsmId) => hsmId !== mute))
})

describe('resume of a rotation of which one HSM has fallen silent', () => {
  const left = story(async () => {
    const place = await fleet.at('resume')
    const [well = '', mute = '', other = ''] = (await place.hsmIds()).destination
    await place.start([KNOWN, '--pause-before=canary'])
    await fleet.fault('silent', '--hsm', mute)
    const stopped = await place.resume()
    const resumed = await place.resume(allow(mute))
    const claims = await falseClaims(place, resumed.json, PASSWORDS)
    await fleet.fault('silent', '--hsm', mute, '--off')
    return { well, mute, other, stopped, resumed, claims, paid: await place.resume() }
  })

  test('stops, and names that one alone', () => {
    const { stopped, well, mute, other } = left()
    expect(endOf(stopped)).toEqual([4, 'paused', 'HSM_UNREACHABLE'])
    expect(stateByHsm(stopped.json)).toMatchObject({ [well]: 'old', [mute]: 'unreachable', [other]: 'old' })
    expect(saidBy(stopped)).toContain(`--allow-unreachable ${mute} --reason`)
    expect(saidBy(stopped)).not.toContain(`--allow-unreachable ${well}`)
    expect(saidBy(stopped)).not.toContain('serial-number')
  })

  test('goes on without it, and gives the others of its cluster the new credential', () => {
    const { resumed, claims, well, mute, other } = left()
    expect(endOf(resumed)).toEqual([6, 'completed-with-debt', undefined])
    expect(stateByHsm(resumed.json)).toMatchObject({ [well]: 'new', [mute]: 'unreachable', [other]: 'new' })
    expect(claims).toEqual([])
  })

  test('pays the debt once it answers again', () => expect(endOf(left().paid)).toEqual([0, 'completed', undefined]))
})

test('rollback while one HSM that was written to is silent: the others of its cluster are old again', async () => {
  const place = await fleet.at('back')
  const [, mute = ''] = (await place.hsmIds()).source
  await place.start([KNOWN, '--pause-before=verify'])
  await fleet.fault('silent', '--hsm', mute)
  const partial = await place.rollback(allow(mute))
  expect(endOf(partial)).toEqual([4, 'paused', 'HSM_UNREACHABLE'])
  expect(partial.json.error.message).toContain(mute)
  expect(await holdersOf(place, OLD_PASSWORD)).toEqual((await everyHsm(place)).filter((hsmId) => hsmId !== mute))
  await fleet.fault('silent', '--hsm', mute, '--off')
  expect(endOf(await place.rollback())).toEqual([0, 'rolled-back', undefined])
})

describe('a program that reads a fixed file, so that no HSM can be asked alone', () => {
  const fixed = sharedFleet(
    { fixed: cliFamily('fixed', { source: 1, destination: 3 }) },
    { behaviour: { cliConfigOption: false, cliTimeoutMs: 1_500 } },
  )
  const left = story(async () => {
    const place = await fixed.at('fixed')
    const path = fixed.running.env['LOCKSTEP_SIM_CLOUDHSM_CLI_CONFIG'] ?? ''
    const more = { env: { LOCKSTEP_CLOUDHSM_CLI_CONFIG: path } }
    await place.run(['config', 'generate', ...place.clusterFlags, '--out=merged.cfg'])
    await copyFile(join(place.folder, 'merged.cfg'), path)
    const { destination } = await place.hsmIds()
    const [, mute = ''] = destination
    await place.start([KNOWN, '--pause-before=canary'], more)
    await fixed.fault('silent', '--hsm', mute)
    const stopped = await place.resume([], more)
    const all = await place.resume([...destination.map((hsmId) => `--allow-unreachable=${hsmId}`), REASON], more)
    await fixed.fault('silent', '--hsm', mute, '--off')
    return { destination, stopped, all, paid: await place.resume([], more) }
  })

  test('says that it is not seen which one does not answer, and calls none unreachable', () => {
    const { stopped, destination } = left()
    expect(endOf(stopped)).toEqual([4, 'paused', 'HSM_SILENT'])
    expect(stopped.json.error.message).toContain('does not answer is not seen from here')
    for (const hsmId of destination) expect(stateByHsm(stopped.json)[hsmId]).toBe('unknown')
  })

  test('advises to find it, and not to leave the others behind', () => {
    expect(saidBy(left().stopped)).toContain('HsmUnhealthy')
    for (const hsmId of left().destination) expect(saidBy(left().stopped)).not.toContain(`--allow-unreachable ${hsmId}`)
  })

  test('goes on without the cluster where all of it is named, and pays later', () => {
    expect(endOf(left().all)).toEqual([6, 'completed-with-debt', undefined])
    expect(endOf(left().paid)).toEqual([0, 'completed', undefined])
  })
})
