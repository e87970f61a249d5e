import { expect, test } from '@jest/globals'
import { expectCompleted } from '../../helpers/cli-rotation.js'
import { testFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'

const HSM1 = { hsmType: 'hsm1.medium' }
const fleet = sharedFleet({
  down: testFamily('down', { hsmType: 'hsm2m.medium', destinationFields: HSM1, destination: 2 }),
})

test('from hsm2m.medium to hsm1.medium nothing is replicated: refused where asked for, by change otherwise', async () => {
  const place = await fleet.at('down')
  const before = await place.truth()
  const sync = await place.start(['--propagate=sync', '--current-password=env:OLD'])
  expect([sync.exitCode, sync.json.error.code]).toEqual([3, 'REPLICATION_UNSUPPORTED'])
  const stopped = await place.start()
  expect([stopped.exitCode, stopped.json.error.code]).toEqual([3, 'NO_WAY_BACK'])
  expect(stopped.json.error.message).toContain('different HSM types')
  expect(await place.truth()).toEqual(before)
  const started = await place.start(['--current-password=env:OLD'])
  await expectCompleted(place, started, 'change')
  expect(started.json.wayBack).toEqual({ bySync: false, byCurrent: true })
})
