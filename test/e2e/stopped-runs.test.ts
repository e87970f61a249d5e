import { describe, expect, test } from '@jest/globals'
import { OLD_PASSWORD, testFamily } from '../helpers/payments.js'
import { sharedFleet } from '../helpers/shared-fleet.js'
import { NEW_PASSWORD } from '../helpers/workplace.js'

const ALL = [true, true, true, true]

// Two and two, so that every part is played by an HSM of its own: first, canary, spread (the sibling), restore point.
const four = (name: string) => testFamily(name, { source: 2, destination: 2 })

const fleet = sharedFleet(
  {
    unreachable: testFamily('unreachable'),
    silent: testFamily('silent'),
    replaced: testFamily('replaced'),
    spread: four('spread'),
    dropped: four('dropped'),
    back: testFamily('back', { source: 2 }),
    current: testFamily('current'),
    apart: testFamily('apart'),
    loggedin: testFamily('loggedin'),
    pausing: testFamily('pausing'),
  },
  {},
  { acceptsNoWayBack: true },
)

describe('an HSM that fails before anything changed', () => {
  test('unreachable: exit 3, the HSM is named, and nothing has changed', async () => {
    const place = await fleet.at('unreachable')
    const [gone = ''] = (await place.hsmIds()).destination
    await fleet.fault('unreachable', '--hsm', gone)
    const before = await place.truth()
    const started = await place.start()
    expect(started.exitCode).toBe(3)
    expect(Object.keys(started.json)).toEqual(['error'])
    expect(started.json.error.code).toBe('HSM_UNREACHABLE')
    expect(started.json.error.message).toContain(gone)
    expect(await place.truth()).toEqual(before)
    expect(await place.holds('CU:app_crypto', OLD_PASSWORD)).toEqual([true, true])
    expect((await place.run(['rotate', 'list', '--json'])).json).toEqual({ rotations: [] })
  })

  test('silent: exit 3 after the silence time-out, and nothing has changed', async () => {
    const place = await fleet.at('silent')
    const [mute = ''] = (await place.hsmIds()).destination
    await fleet.fault('silent', '--hsm', mute)
    const started = await place.start(['--silence-timeout=2'])
    expect(started.exitCode).toBe(3)
    expect(started.json.error.message).toContain(mute)
    expect(await place.holds('CU:app_crypto', OLD_PASSWORD)).toEqual([true, true])
  })

  test('another HSM under its address: exit 3 before any login, and nothing has changed', async () => {
    const place = await fleet.at('replaced')
    const [expected = ''] = (await place.hsmIds()).destination
    await fleet.fault('replaced', '--hsm', expected)
    const before = await place.truth({ counters: true })
    const started = await place.start()
    expect(started.exitCode).toBe(3)
    expect(started.json.error.code).toBe('WRONG_HSM')
    expect(started.json.error.message).toContain(expected)
    expect(await place.truth({ counters: true })).toEqual(before)
  })
})

describe('an HSM that fails while the new password spreads', () => {
  test('refusing: exit 4, the matrix names it, and resume completes once it is well again', async () => {
    const place = await fleet.at('spread')
    const [, sibling = ''] = (await place.hsmIds()).source
    await fleet.fault('refuse', '--operation', 'insert', '--hsm', sibling)
    const started = await place.start()
    expect(started.exitCode).toBe(4)
    expect(started.json).toMatchObject({ outcome: 'paused', stage: 'spread', error: { code: 'NOT_UNDERSTOOD' } })
    expect(started.json.error.message).toContain(sibling)
    expect(started.json.error.message).toContain('HSM Error: operation failed')
    const behind = started.json.cells.filter((cell: { state: string }) => cell.state !== 'new')
    expect(behind.map((cell: { hsmId: string }) => cell.hsmId)).toContain(sibling)
    expect(await place.holds('CU:app_crypto', NEW_PASSWORD)).toEqual([true, false, true, false])
    const words = await place.run(['rotate', 'status'])
    expect(words.exitCode).toBe(4)
    expect(words.stdout + words.stderr).toContain(sibling)

    await fleet.fault('refuse', '--operation', 'insert', '--hsm', sibling, '--off')
    // It waits that long for what the HSM might still do.
    const resumed = await place.resume(['--silence-timeout=3'])
    expect(resumed.exitCode).toBe(0)
    expect(resumed.json).toMatchObject({ rotationId: started.json.rotationId, outcome: 'completed', stage: null })
    for (const cell of resumed.json.cells) expect(cell).toMatchObject({ state: 'new', proof: 'login-new' })
    expect(await place.holds('CU:app_crypto', NEW_PASSWORD)).toEqual(ALL)
    expect(await place.stored('pending')).toBeNull()
  })

  test('cutting the line: exit 4, resume completes, and a second resume changes nothing', async () => {
    const place = await fleet.at('dropped')
    const [, sibling = ''] = (await place.hsmIds()).source
    await fleet.fault('drop', '--operation', 'insert', '--executes', '--hsm', sibling)
    const started = await place.start(['--silence-timeout=5'])
    expect(started.exitCode).toBe(4)
    expect(started.json).toMatchObject({ outcome: 'paused', stage: 'spread' })
    expect(JSON.stringify(started.json.error)).toContain(sibling)

    await fleet.fault('drop', '--operation', 'insert', '--hsm', sibling, '--off')
    const resumed = await place.resume(['--silence-timeout=3'])
    expect(resumed.exitCode).toBe(0)
    expect(resumed.json.outcome).toBe('completed')
    expect(resumed.json.failedLogins).toBe(0)
    expect(await place.holds('CU:app_crypto', NEW_PASSWORD)).toEqual(ALL)

    const after = await place.truth({ counters: true })
    expect((await place.resume()).exitCode).toBe(0)
    expect(await place.truth({ counters: true })).toEqual(after)
  })
})

describe('rollback of a paused run', () => {
  test('without a known current password: by sync, every HSM old again; twice is once; resume keeps the direction', async () => {
    const place = await fleet.at('back')
    const paused = await place.start(['--pause-before=verify'])
    expect(paused.exitCode).toBe(4)
    expect(paused.json).toMatchObject({ outcome: 'paused', stage: 'verify', wayBack: { bySync: true } })
    expect(await place.holds('CU:app_crypto', NEW_PASSWORD)).toEqual([true, false, true])
    expect(await place.stored('pending')).not.toBeNull()

    const back = await place.rollback()
    // The canary has no sibling: it was given what the source held, twice, and nobody proved what it held before.
    const [, , canary] = (await place.truth()).map(({ hsmId }) => hsmId)
    expect(back.exitCode).toBe(6)
    expect(back.json).toMatchObject({
      rotationId: paused.json.rotationId,
      outcome: 'rolled-back',
      withoutProof: [{ user: 'CU:app_crypto', hsmId: canary }],
    })
    for (const cell of back.json.cells) expect(['copy', 'untouched']).toContain(cell.proof)
    for (const cell of back.json.cells) expect(cell.state).toBe('old')
    expect(await place.holds('CU:app_crypto', OLD_PASSWORD)).toEqual([true, true, true])
    expect(await place.stored('pending')).toBeNull()

    const after = await place.truth({ counters: true })
    const again = await place.rollback()
    expect(again.exitCode).toBe(6)
    expect(again.json).toEqual(back.json)
    expect((await place.resume()).json).toEqual(back.json)
    expect((await place.run(['rotate', 'status'])).exitCode).toBe(6)
    expect(await place.truth({ counters: true })).toEqual(after)
  })

  test('with a proved current password: by change, proved by a login on every HSM that was written to', async () => {
    const place = await fleet.at('current')
    const paused = await place.start(['--current-password=env:OLD', '--pause-before=finalize'])
    expect(paused.exitCode).toBe(4)
    expect(await place.holds('CU:app_crypto', NEW_PASSWORD)).toEqual([true, true])
    const back = await place.rollback()
    expect(back.exitCode).toBe(0)
    for (const cell of back.json.cells) expect(cell).toMatchObject({ state: 'old', proof: 'login-current' })
    expect(await place.holds('CU:app_crypto', OLD_PASSWORD)).toEqual([true, true])
    expect(await place.stored('pending')).toBeNull()
  })

  test('with no HSM left on the old password and none known it is refused, and forward goes on', async () => {
    const place = await fleet.at('apart')
    const paused = await place.start(['--pause-before=finalize'])
    expect(paused.exitCode).toBe(4)
    const refused = await place.rollback()
    expect(refused.exitCode).toBe(3)
    expect(refused.json).toMatchObject({ outcome: 'paused', error: { code: 'NO_WAY_BACK' } })
    expect(await place.holds('CU:app_crypto', NEW_PASSWORD)).toEqual([true, true])
    const resumed = await place.resume()
    expect(resumed.exitCode).toBe(0)
    expect(resumed.json.outcome).toBe('completed')
  })
})

test('a user that is logged in elsewhere pauses the run with nothing new, and resume goes on after it left', async () => {
  const place = await fleet.at('loggedin')
  const { source } = await place.hsmIds()
  const [first = ''] = source
  await fleet.fault('logged-in', '--user', 'CU:app_crypto', '--hsm', first)
  const started = await place.start()
  expect(started.exitCode).toBe(4)
  expect(started.json).toMatchObject({ outcome: 'paused', stage: 'change', error: { code: 'USER_LOGGED_IN' } })
  expect(started.json.error.message).toContain(first)
  expect(await place.holds('CU:app_crypto', OLD_PASSWORD)).toEqual([true, true])
  await fleet.fault('logged-in', '--user', 'CU:app_crypto', '--hsm', first, '--off')
  expect((await place.resume()).exitCode).toBe(0)
  expect(await place.holds('CU:app_crypto', NEW_PASSWORD)).toEqual([true, true])
})

test('an open rotation keeps another one off its clusters (exit 5), and its name leads to it', async () => {
  const place = await fleet.at('pausing')
  const paused = await place.start(['--pause-before=rehearse'])
  expect(paused.exitCode).toBe(4)
  const { rotationId } = paused.json
  const second = await place.start()
  expect(second.exitCode).toBe(5)
  expect(second.json.error.code).toBe('ROTATION_OPEN')
  expect(second.json.error.suggestions).toContain(`lockstep rotate resume --rotation ${rotationId}`)
  const back = await place.run(['rotate', 'rollback', '--rotation', rotationId, ...place.againFlags, '--json'])
  expect(back.exitCode).toBe(0)
  expect(await place.stored('pending')).toBeNull()
})
