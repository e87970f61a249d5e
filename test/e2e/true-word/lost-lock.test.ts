import { rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { cliFamily } from '../../helpers/cli-rotation.js'
import type { LockstepOptions } from '../../helpers/lockstep.js'
import { testFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import type { Workplace } from '../../helpers/workplace.js'

const fleet = sharedFleet({
  recover: cliFamily('recover', { source: 1 }),
  officer: testFamily('officer'),
})
const KNOWN = '--current-password=env:OLD'

/** While the program waits out the commands of an earlier run, somebody takes its locks away from it. */
const losingLocks = (place: Workplace): LockstepOptions => {
  const locks = join(place.stateDir, 'locks')
  return {
    onStderr: (text) => {
      if (/waiting \d+ s/.test(text)) rmSync(locks, { recursive: true, force: true })
    },
  }
}

test('recover without its locks logs in nowhere', async () => {
  const place = await fleet.at('recover')
  expect((await place.start([KNOWN, '--pause-before=canary'])).exitCode).toBe(4)
  await rm(join(place.stateDir, 'rotations'), { recursive: true })
  const before = await place.truth({ counters: true })
  const flags = [...place.clusterFlags, '--user=CU:app_crypto', ...place.storeFlags, '--silence-timeout=1', '--json']
  const recovered = await place.run(['rotate', 'recover', ...flags], losingLocks(place))
  expect(recovered.json.error.code).toBe('LOCK_LOST')
  expect([4, 5]).toContain(recovered.exitCode)
  expect(await place.truth({ counters: true })).toEqual(before)
})

test('resume without its locks sends no officer anywhere', async () => {
  const place = await fleet.at('officer')
  const [first = ''] = (await place.hsmIds()).source
  await fleet.fault('die-after', '--operation', 'change', '--nth', '1', '--hsm', first)
  expect((await place.start([KNOWN, '--silence-timeout=1'])).exitCode).toBe(4)
  const before = await place.truth({ counters: true })
  const resumed = await place.resume(['--silence-timeout=5'], losingLocks(place))
  expect(resumed.json.error.code).toBe('LOCK_LOST')
  expect([4, 5]).toContain(resumed.exitCode)
  expect(await place.truth({ counters: true })).toEqual(before)
})
