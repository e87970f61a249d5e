import { describe, expect, test } from '@jest/globals'
import { NO_CREDENTIALS } from '../../../../src/domain/credential-versions.js'
import { storeCurrent, storePending } from '../../../../src/use-cases/rotation/effects/store-pending.js'
import { passwordsIn } from '../../../helpers/credentials.js'
import { PASSWORDS } from '../../../helpers/memory-fleet.js'
import { APP, ROTATION } from '../../../helpers/rotation.js'
import { type BenchGiven, benchOf, endedBy, keepPending } from '../../../helpers/run-bench.js'

const stored = async (given: BenchGiven = {}, prepare: (bench: ReturnType<typeof benchOf>) => unknown = () => {}) => {
  const bench = benchOf(given)
  await prepare(bench)
  const ended = await endedBy(() => storePending(bench.run))
  return { ...bench, ended }
}

describe('keeping the new credential', () => {
  test('is announced, done, read back, and no HSM hears of it', async () => {
    const { ended, written, store, fleet } = await stored()
    expect([ended, written()]).toEqual(['done', ['store put-pending intent', 'store put-pending read-back']])
    expect(store.versions.pending).toMatchObject({ rotationId: ROTATION, restorePoint: 'hsm-ddddddddddd' })
    expect(passwordsIn(store.versions.pending)).toEqual({ [APP]: PASSWORDS.new.reveal() })
    expect(fleet.heard).toEqual([])
  })

  test('keeps a proved current one beside it', async () => {
    const { written, store } = await stored({ knows: ['new', 'current'] })
    expect(written().at(-1)).toBe('store put-pending read-back with current')
    expect(passwordsIn(store.versions.current)).toEqual({ [APP]: PASSWORDS.old.reveal() })
  })

  test('again is harmless: it may have been kept by a run that was stopped', async () => {
    const { ended, written } = await stored({}, keepPending)
    expect([ended, written()]).toEqual(['done', ['store put-pending intent', 'store put-pending read-back']])
  })

  test.each(['other password', 'nothing'] as const)('is refused where the store returns %s', async (what) => {
    const bench = benchOf()
    const version = { rotationId: ROTATION, clusters: [], restorePoint: null, startedAt: 'then' }
    bench.store.read = async () =>
      what === 'nothing' ? null : { ...version, users: new Map([[APP, PASSWORDS.other]]) }
    expect(await endedBy(() => storePending(bench.run))).toBe('STORE_NOT_READ_BACK')
    expect([bench.written(), bench.run.ledger.stored]).toEqual([['store put-pending intent'], false])
  })

  test.each([
    ['new', storePending],
    ['current', storeCurrent],
  ])('is not begun where the lock is not ours any more: the %s one', async (_which, keep) => {
    const { run, written, store, lock } = benchOf({ knows: ['new', 'current'] })
    lock.lost = true
    expect(await endedBy(() => keep(run))).toBe('LOCK_LOST')
    expect([written(), store.versions]).toEqual([[], NO_CREDENTIALS])
  })
})
