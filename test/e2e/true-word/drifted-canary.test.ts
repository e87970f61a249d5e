import { describe, expect, test } from '@jest/globals'
import { cliFamily, USER } from '../../helpers/cli-rotation.js'
import { endOf, hsmsIn, onHsms, proofByHsm, stateByHsm } from '../../helpers/observed.js'
import { OLD_BATCH_PASSWORD, OLD_PASSWORD, testFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { story } from '../../helpers/story.js'

const DRIFTED = 'TEST-drifted-1'
process.env['TEST_DRIFTED'] = DRIFTED
const BATCH = 'CU:app_batch'
const families = {
  alone: testFamily('alone', { source: 2, destination: 1 }),
  siblings: testFamily('siblings', { source: 1, destination: 2 }),
  spread: testFamily('spread', { source: 2, destination: 1 }),
  three: cliFamily('three', { source: 1, destination: 2, third: 1 }),
  written: cliFamily('written', { source: 1, destination: 2, third: 1 }),
}
const fleet = sharedFleet(families)
/** Nobody told us that these hold another password. */
const drift = (hsmIds: readonly string[]) =>
  fleet.fault('set-password', '--user', USER, '--password', 'env:TEST_DRIFTED', ...onHsms(hsmIds))
const withoutProof = (hsmIds: readonly string[], users = [USER]) =>
  expect.arrayContaining(hsmIds.flatMap((hsmId) => users.map((user) => ({ user, hsmId }))))

describe('a canary that is alone in its cluster and has drifted, rehearsed and rolled back', () => {
  const left = story(async () => {
    const place = await fleet.at('alone')
    const { destination } = await place.hsmIds()
    await drift(destination)
    const started = await place.start(['--pause-before=change'])
    const back = await place.rollback()
    const words = await place.run(['rotate', 'status'])
    return { canary: destination[0] ?? '', started, back, words, drifted: await place.holds(USER, DRIFTED) }
  })

  test('the plan announces that the rehearsal writes there', () => {
    const lines = left().started.stderr.split('\n')
    expect(lines.filter((line) => /rehears/i.test(line)).join('\n')).toContain(left().canary)
  })

  test('the rollback is no plain success', () => expect(endOf(left().back)).toEqual([6, 'rolled-back', undefined]))

  test('the document names the cell that was given the old password of the source', () => {
    const { canary } = left()
    expect(left().back.json.withoutProof).toEqual([{ user: USER, hsmId: canary }])
    expect(proofByHsm(left().back.json)[canary]).toBe('copy')
    // What was there before is gone, which is why it has to be said.
    expect(left().drifted).toEqual([false, false, false])
  })

  test('status names it as well, beside the matrix', () => {
    const beside = left()
      .words.stdout.split('\n')
      .filter((line) => !/^[a-z]+-[a-z]+-\d /.test(line))
    expect(beside.join('\n')).toContain(left().canary)
  })
})

test('where the canary has a sibling, that is rehearsed with: what both held is still there after a rollback', async () => {
  const place = await fleet.at('siblings')
  const { destination } = await place.hsmIds()
  await drift(destination)
  expect((await place.start(['--pause-before=change'])).exitCode).toBe(4)
  expect(await place.holds(USER, DRIFTED)).toEqual([false, true, true])
  const back = await place.rollback()
  expect(endOf(back)).toEqual([0, 'rolled-back', undefined])
  expect(back.json.withoutProof).toEqual([])
  expect(await place.holds(USER, DRIFTED)).toEqual([false, true, true])
})

test('rolled back after the spread: the source has a sibling to copy from, the canary has none, for each user', async () => {
  const place = await fleet.at('spread')
  const { source, destination } = await place.hsmIds()
  await drift(destination)
  const users = [`--user=${USER}`, `--user=${BATCH}`, '--new-password=generate']
  expect((await place.start([...users, '--pause-before=restore-point'])).exitCode).toBe(4)
  const back = await place.rollback()
  expect(endOf(back)).toEqual([6, 'rolled-back', undefined])
  expect(back.json.withoutProof).toHaveLength(2)
  expect(back.json.withoutProof).toEqual(withoutProof(destination, [USER, BATCH]))
  const states = stateByHsm(back.json)
  for (const hsmId of [...source, ...destination]) expect(states[hsmId]).toBe('old')
  expect(await place.holds(USER, OLD_PASSWORD)).toEqual([true, true, true])
  expect(await place.holds(BATCH, OLD_BATCH_PASSWORD)).toEqual([true, true, true])
})

test('by cloudhsm-cli the canary is a cluster, and all of it is named', async () => {
  const place = await fleet.at('three')
  const { destination } = await place.hsmIds()
  await drift(destination)
  expect((await place.start(['--pause-before=change'])).exitCode).toBe(4)
  const back = await place.rollback()
  expect(endOf(back)).toEqual([6, 'rolled-back', undefined])
  expect(back.json.withoutProof).toHaveLength(destination.length)
  expect(back.json.withoutProof).toEqual(withoutProof(destination))
})

test('by cloudhsm-cli every cluster that was written is brought back from another one, and named', async () => {
  const place = await fleet.at('written')
  expect((await place.start(['--pause-before=restore-point'])).exitCode).toBe(4)
  const back = await place.rollback()
  expect(endOf(back)).toEqual([6, 'rolled-back', undefined])
  const { source, destination } = await place.hsmIds()
  const untouched = await hsmsIn(place, families.written.third ?? '')
  expect(back.json.withoutProof).toHaveLength(3)
  expect(back.json.withoutProof).toEqual(withoutProof([...source, ...destination]))
  expect(proofByHsm(back.json)[untouched[0] ?? '']).toBe('untouched')
  expect(await place.holds(USER, OLD_PASSWORD)).toEqual([true, true, true, true])
})
