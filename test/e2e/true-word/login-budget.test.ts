import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { cliFamily, USER } from '../../helpers/cli-rotation.js'
import { mostFailures, onHsms } from '../../helpers/observed.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import type { RunningFleet } from '../../helpers/simulator.js'
import type { Workplace } from '../../helpers/workplace.js'

process.env['TEST_BY_HAND'] = 'TEST-by-hand-1'

/** Somebody changes the user's password there, and nobody tells us. */
const byHand = (fleet: { readonly fault: RunningFleet['fault'] }, hsmIds: readonly string[]) =>
  fleet.fault('set-password', '--user', USER, '--password', 'env:TEST_BY_HAND', ...onHsms(hsmIds))
const recover = (place: Workplace, more: readonly string[] = []) =>
  place.run([
    ...['rotate', 'recover', ...place.clusterFlags, `--user=${USER}`, ...place.storeFlags],
    ...['--silence-timeout=1', '--json', ...more],
  ])
const proveWrong = async (place: Workplace, more: readonly string[] = []) => {
  await place.run(['config', 'generate', ...place.clusterFlags, '--out=merged.cfg'])
  const what = ['--config=merged.cfg', `--user=${USER}`, '--password=env:OFFICER']
  return place.run(['users', 'prove', ...what, '--json', ...more])
}

describe('where the third failed login locks, and --lockout-limit says so', () => {
  const fleet = sharedFleet(
    {
      asked: cliFamily('asked', { source: 1, destination: 2 }),
      recovered: cliFamily('recovered', { source: 1, destination: 2 }),
    },
    { lockoutLimit: 3 },
  )
  const limit = '--lockout-limit=3'

  test('a wrong current password and users prove spend one login between them', async () => {
    const place = await fleet.at('asked')
    for (const ask of [
      () => proveWrong(place, [limit]),
      () => place.start(['--current-password=env:OFFICER', limit]),
      () => proveWrong(place, [limit]),
    ]) {
      expect((await ask()).exitCode).not.toBe(0)
    }
    expect(await mostFailures(place)).toBe(1)
  })

  test('recover spends one, and users prove none after it', async () => {
    const place = await fleet.at('recovered')
    const { destination } = await place.hsmIds()
    expect((await place.start(['--current-password=env:OLD', '--pause-before=verify', limit])).exitCode).toBe(4)
    await byHand(fleet, destination)
    await rm(join(place.stateDir, 'rotations'), { recursive: true })
    await recover(place, [limit])
    await recover(place, [limit])
    expect((await proveWrong(place, [limit])).exitCode).toBe(6)
    expect(await mostFailures(place)).toBe(1)
  })
})
