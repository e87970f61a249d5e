import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { LeaseClock } from '../../../src/adapters/lock/dynamodb/clock.js'
import { LockTable } from '../../../src/adapters/lock/dynamodb/lock-table.js'
import { type SharedLocksParts, sharedLocks } from '../../../src/adapters/lock/dynamodb/shared-locks.js'
import { ownIdentity } from '../../../src/adapters/lock/process-identity.js'
import type { ClusterId, RotationId } from '../../../src/domain/ids.js'
import { operatorErrorOf } from '../../helpers/errors.js'
import { type LockTables, startLockTables } from '../../helpers/lock-tables.js'
import { ROTATION } from '../../helpers/rotation.js'

const [one, two] = ['cluster-aaaaaaaaaaa', 'cluster-bbbbbbbbbbb'] as [ClusterId, ClusterId]
const OTHER = 'r-20260302-031500-else' as RotationId
const START = Date.parse('2026-03-01T03:15:00Z')
/** The heartbeat does not fire within a test that does not want it to. */
const TIMES = { commandMs: 10_000, leaseMs: 60_000, heartbeatMs: 3_600_000 }
const saved = { ...process.env }
let tables: LockTables

beforeAll(async () => {
  tables = await startLockTables()
  // The SDK's own chain reads its credentials here; nothing else in this process does.
  Object.assign(process.env, tables.env)
})
afterAll(async () => {
  process.env = saved
  await tables.stop()
})

/** A clock that is set by hand. Sleeping lasts no time, and `whileAsleep` happens meanwhile. */
const handClock = () => {
  const state = { wall: START, steady: 0, slept: 0, whileAsleep: async () => {} }
  const clock: LeaseClock = {
    wall: () => state.wall,
    steady: () => state.steady,
    sleep: async (ms) => {
      state.slept += ms
      await state.whileAsleep()
    },
  }
  return Object.assign(state, {
    clock,
    pass: (ms: number) => Object.assign(state, { wall: state.wall + ms, steady: state.steady + ms }),
  })
}

const machine = (host: string) => ({
  host,
  bootId: `boot of ${host}`,
  pid: 4711,
  startTicks: '1',
  pidNamespace: 'pid:[1]',
  user: `operator-${host}`,
})

const locksOf = (table: string, host: string, more: Partial<SharedLocksParts> = {}) =>
  sharedLocks({
    table: new LockTable(table, tables.env),
    times: TIMES,
    lastAction: async () => 'change of CU:app',
    isFinished: async () => false,
    clock: handClock().clock,
    self: machine(host),
    ...more,
  })

describe('a lock in a DynamoDB table', () => {
  test('a second machine is told who, since when, and what was done last', async () => {
    const table = await tables.create()
    const held = await locksOf(table, 'alpha').acquire([one])
    await held.name(ROTATION)
    const error = await operatorErrorOf(() => locksOf(table, 'beta').acquire([two, one]))
    expect([error.code, error.exitCode, error.message]).toEqual([
      'LOCKED',
      5,
      `${one} is in use by ${ROTATION}: operator-alpha@alpha, process 4711, since 2026-03-01T03:15:00.000Z, last action: change of CU:app`,
    ])
    await held.release()
    const again = await locksOf(table, 'beta').acquire([two, one])
    await again.assertHeld()
    await again.release()
  })

  test('of many takers at once, on two machines, exactly one gets both clusters', async () => {
    const table = await tables.create()
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, (_, at) =>
        locksOf(table, at % 2 === 0 ? 'alpha' : 'beta').acquire(at % 3 === 0 ? [one, two] : [two, one]),
      ),
    )
    const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    expect(won).toHaveLength(1)
    const codes = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []))
    expect(new Set(codes)).toEqual(new Set(['LOCKED']))
    await won[0]?.assertHeld()
    await won[0]?.release()
  })

  test('the fencing token counts takers and never goes back', async () => {
    const table = await tables.create()
    const fences: number[] = []
    for (const host of ['alpha', 'beta', 'alpha']) {
      const held = await locksOf(table, host).acquire([one])
      fences.push((await new LockTable(table, tables.env).get(one))?.fence ?? 0)
      await held.release()
    }
    expect(fences).toEqual([1, 2, 3])
  })

  test('a lease that has run out is taken over once its holder stays silent; the holder notices before its next command', async () => {
    const table = await tables.create()
    const [mine, theirs] = [handClock(), handClock()]
    const held = await locksOf(table, 'alpha', { clock: mine.clock }).acquire([one])
    theirs.pass(TIMES.leaseMs + 1)
    const taken = await locksOf(table, 'beta', { clock: theirs.clock }).acquire([one])
    expect(theirs.slept).toBe(2 * TIMES.heartbeatMs)
    await taken.assertHeld()
    // Asleep for an hour: the steady clock stood still.
    mine.wall += 3_600_000
    const error = await operatorErrorOf(() => held.assertHeld())
    expect([error.code, error.message]).toEqual([
      'LOCK_LOST',
      `the shared lock on ${one} was taken over by somebody else`,
    ])
    // What was lost is not released for the one who has it.
    await held.release()
    await taken.assertHeld()
    expect((await new LockTable(table, tables.env).get(one))?.holder?.host).toBe('beta')
    await taken.release()
  })

  test('a holder that shows itself alive is not taken over, whatever the clocks say', async () => {
    const table = await tables.create()
    const [mine, theirs] = [handClock(), handClock()]
    const held = await locksOf(table, 'alpha', { clock: mine.clock }).acquire([one])
    theirs.pass(TIMES.leaseMs + 1)
    theirs.whileAsleep = () => held.name(ROTATION)
    const error = await operatorErrorOf(() => locksOf(table, 'beta', { clock: theirs.clock }).acquire([one]))
    expect(error.code).toBe('LOCKED')
    await held.assertHeld()
    await held.release()
  })

  test('of many that find a lease run out exactly one takes it', async () => {
    const table = await tables.create()
    await locksOf(table, 'alpha').acquire([one])
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => {
        const late = handClock()
        late.pass(TIMES.leaseMs + 1)
        return locksOf(table, 'beta', { clock: late.clock }).acquire([one])
      }),
    )
    const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    expect(won).toHaveLength(1)
    await won[0]?.release()
  })

  test('what a dead holder left unfinished is taken over by its own rotation alone', async () => {
    const table = await tables.create()
    await (await locksOf(table, 'alpha').acquire([one])).name(ROTATION)
    const late = handClock()
    late.pass(TIMES.leaseMs + 1)
    const beta = locksOf(table, 'beta', { clock: late.clock })
    for (const rotationId of [undefined, OTHER]) {
      const error = await operatorErrorOf(() => beta.acquire([one], rotationId))
      expect(error.code).toBe('LOCKED')
      expect(error.suggestions).toContain(
        `once its HSMs are known: lockstep rotate unlock --rotation ${ROTATION} --lock dynamodb:${table}`,
      )
    }
    const resumed = await beta.acquire([one], ROTATION)
    await resumed.assertHeld()
    await resumed.release()
  })

  test('a rotation that is finished as far as this machine knows leaves nothing to observe', async () => {
    const table = await tables.create()
    await (await locksOf(table, 'alpha').acquire([one])).name(ROTATION)
    const late = handClock()
    late.pass(TIMES.leaseMs + 1)
    const beta = locksOf(table, 'beta', { clock: late.clock, isFinished: async (id) => id === ROTATION })
    await (await beta.acquire([one])).release()
  })

  test('a process of this machine that is gone needs no lease to run out', async () => {
    const table = await tables.create()
    const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' })
    await once(child, 'exit')
    const here = { ...ownIdentity(), user: 'me', pidNamespace: 'pid:[1]' }
    await locksOf(table, 'alpha', { self: { ...here, pid: child.pid ?? 0 } }).acquire([one])
    const clock = handClock()
    const held = await locksOf(table, 'alpha', { self: here, clock: clock.clock }).acquire([one])
    expect(clock.slept).toBe(0)
    // The same number on a machine of the same name is another process.
    const namesake = { ...here, bootId: 'another', pid: child.pid ?? 0 }
    await expect(operatorErrorOf(() => locksOf(table, 'x', { self: namesake }).acquire([one]))).resolves.toMatchObject({
      code: 'LOCKED',
    })
    await held.release()
  })

  test('a lease that could end before a command does is renewed first; otherwise the table is not asked', async () => {
    const table = await tables.create()
    const clock = handClock()
    const held = await locksOf(table, 'alpha', { clock: clock.clock }).acquire([one, two])
    const renewals = async () => (await new LockTable(table, tables.env).get(two))?.renewals
    clock.pass(TIMES.leaseMs - TIMES.commandMs)
    await held.assertHeld()
    expect(await renewals()).toBe(0)
    clock.pass(1)
    await Promise.all([held.assertHeld(), held.assertHeld()])
    expect(await renewals()).toBe(1)
    await held.release()
  })

  test('a table that cannot be reached near the end of a lease stops the run', async () => {
    const own = await startLockTables()
    const clock = handClock()
    const table = new LockTable(await own.create(), own.env)
    const held = await locksOf('', 'alpha', { table, clock: clock.clock }).acquire([one])
    await own.stop()
    await held.assertHeld()
    clock.pass(TIMES.leaseMs)
    const error = await operatorErrorOf(() => held.assertHeld())
    expect([error.code, error.exitCode]).toEqual(['LOCK_LOST', 5])
    await held.release()
  })

  test('the heartbeat renews by itself', async () => {
    const table = await tables.create()
    const times = { ...TIMES, heartbeatMs: 5 }
    let looks = 0
    let enough = () => {}
    const renewed = new Promise<void>((resolve) => {
      enough = resolve
    })
    const lastAction = async () => {
      looks += 1
      if (looks === 3) enough()
      return null
    }
    const held = await locksOf(table, 'alpha', { times, lastAction }).acquire([one])
    await held.name(ROTATION)
    await renewed
    const item = await new LockTable(table, tables.env).get(one)
    expect(item?.renewals).toBeGreaterThanOrEqual(2)
    await held.release()
  })

  test('a table that is missing, or made otherwise, is answered with the command that makes it', async () => {
    for (const table of ['nowhere', await tables.create('other')]) {
      const error = await operatorErrorOf(() => locksOf(table, 'alpha').acquire([one]))
      expect([error.code, error.exitCode]).toEqual(['LOCK_TABLE', 3])
      expect(error.suggestions[0]).toMatch(/^aws dynamodb create-table --table-name \w+ .*AttributeName=clusterId/)
    }
  })

  test('locks of a rotation are found with what is known of their holder, and removed', async () => {
    const table = await tables.create()
    await (await locksOf(table, 'alpha').acquire([two, one])).name(ROTATION)
    expect((await locksOf(table, 'beta').find(ROTATION)).map(({ clusterId, process }) => [clusterId, process])).toEqual(
      [
        [one, 'runs'],
        [two, 'runs'],
      ],
    )
    const late = handClock()
    late.pass(TIMES.leaseMs + 1)
    const found = await locksOf(table, 'beta', { clock: late.clock }).find(ROTATION)
    expect(found.map(({ process }) => process)).toEqual(['unknown', 'unknown'])
    expect(await Promise.all(found.map((lock) => lock.remove()))).toEqual([true, true])
    expect(await Promise.all(found.map((lock) => lock.remove()))).toEqual([false, false])
    expect(await locksOf(table, 'beta').find(ROTATION)).toEqual([])
  })
})
