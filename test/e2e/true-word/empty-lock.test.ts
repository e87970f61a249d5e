import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from '@jest/globals'
import { cliFamily, USER } from '../../helpers/cli-rotation.js'
import { clusterIn, endOf } from '../../helpers/observed.js'
import { testFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { NEW_PASSWORD, type Workplace } from '../../helpers/workplace.js'

const families = { paused: testFamily('paused'), fresh: testFamily('fresh'), both: cliFamily('both', { source: 1 }) }
const fleet = sharedFleet(families)
const KNOWN = '--current-password=env:OLD'
/** What a loss of power may leave of a file whose bytes had not reached the disk. */
const LEFT_BY_POWER_LOSS: readonly (readonly [string, string])[] = [
  ['empty', ''],
  ['cut off', '{"pid":4711,"host":"somew'],
  ['filled with zeros', '\0'.repeat(200)],
]

let place: Workplace
let rotationId = ''
beforeAll(async () => {
  place = await fleet.at('paused')
  rotationId = (await place.start([KNOWN, '--pause-before=change'])).json.rotationId
})

const leaveLock = async (at: Workplace, cluster: string, text: string) => {
  await mkdir(join(at.stateDir, 'locks'), { recursive: true })
  await writeFile(join(at.stateDir, 'locks', `${clusterIn(cluster)}.lock`), text)
}

test.each(LEFT_BY_POWER_LOSS)('a lock file that is %s: unlock exits 0', async (_words, text) => {
  await leaveLock(place, families.paused.source, text)
  expect((await place.run(['rotate', 'unlock', '--rotation', rotationId, '--json'])).exitCode).toBe(0)
})

test.each(LEFT_BY_POWER_LOSS)('a lock file that is %s: resume goes on', async (_words, text) => {
  await leaveLock(place, families.paused.source, text)
  expect(endOf(await place.resume(['--pause-before=change']))).toEqual([4, 'paused', 'PAUSED_AS_ASKED'])
})

test('an empty lock file: status shows the rotation', async () => {
  await leaveLock(place, families.paused.destination, '')
  expect(endOf(await place.status())).toEqual([4, 'paused', 'PAUSED_AS_ASKED'])
})

test('an empty lock file on each cluster: a new rotation is begun', async () => {
  const other = await fleet.at('fresh')
  await leaveLock(other, families.fresh.source, '')
  await leaveLock(other, families.fresh.destination, '')
  expect(endOf(await other.start([KNOWN, '--pause-before=rehearse']))).toEqual([4, 'paused', 'PAUSED_AS_ASKED'])
})

test('an empty lock file on each cluster: resume ends what a machine without power left', async () => {
  const other = await fleet.at('both')
  expect((await other.start([KNOWN, '--pause-before=canary'])).exitCode).toBe(4)
  await leaveLock(other, families.both.source, '')
  await leaveLock(other, families.both.destination, '')
  expect(endOf(await other.resume())).toEqual([0, 'completed', undefined])
  expect(await other.holds(USER, NEW_PASSWORD)).toEqual([true, true])
})
