import { expect, test } from '@jest/globals'
import { cliFamily, expectCompleted, statesOf, USER } from '../../helpers/cli-rotation.js'
import { OLD_PASSWORD } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'

const families = {
  locked: cliFamily('locked', { destination: 2 }),
  added: cliFamily('added', { destination: 2 }),
}
const fleet = sharedFleet(families, {}, { acceptsNoWayBack: true })
const clusterOf = (ref: string) => ref.split('/')[1] ?? ''

test('a user that clients locked on one HSM of a cluster is written by a change there, and proved', async () => {
  const place = await fleet.at('locked')
  const [first = ''] = (await place.hsmIds()).source
  expect((await place.start(['--pause-before=verify'])).exitCode).toBe(4)
  await fleet.fault('failures', '--user', USER, '--count', '5', '--hsm', first)

  const seen = await place.run(['rotate', 'status', '--json'])
  expect(statesOf(seen.json)).toEqual(['new', 'new', 'new', 'new'])
  // What is found locked is a stage before, and is done again before the pause that is asked for.
  const paused = await place.resume(['--pause-before=verify'])
  expect([paused.exitCode, statesOf(paused.json)]).toEqual([4, ['new', 'new', 'new', 'new']])
  expect(paused.stderr).not.toContain('by user replicate')

  await expectCompleted(place, await place.resume(), 'sync')
  for (const { users } of await place.truth()) {
    expect(users.find(({ name }) => name === 'app_crypto')).toMatchObject({ locked: false })
  }
})

test('an HSM that joined a cluster before a rollback goes back with it', async () => {
  const place = await fleet.at('added')
  expect((await place.start(['--pause-before=verify', '--current-password=env:OLD'])).exitCode).toBe(4)
  await fleet.fault('added', '--cluster', clusterOf(families.added.source))

  const back = await place.rollback()
  expect([back.json.error, back.exitCode, back.json.outcome]).toEqual([undefined, 0, 'rolled-back'])
  expect(back.json.cells).toHaveLength(5)
  const held = (await fleet.running.check(USER, OLD_PASSWORD)).hsms
  const ours = held.filter(({ clusterId }) =>
    Object.values(families.added).some((ref) => clusterOf(String(ref)) === clusterId),
  )
  expect(ours.map(({ match }) => match)).toEqual([true, true, true, true, true])
})
