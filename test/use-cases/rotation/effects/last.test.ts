import { describe, expect, test } from '@jest/globals'
import type { HsmId } from '../../../../src/domain/ids.js'
import type { JournalEvent } from '../../../../src/domain/rotation/journal-entry.js'
import { finalize } from '../../../../src/use-cases/rotation/effects/finalize.js'
import { restorePoint } from '../../../../src/use-cases/rotation/effects/restore-point.js'
import { passwordsIn } from '../../../helpers/credentials.js'
import {
  AWS_AGREES,
  change,
  copies,
  DONE,
  type Line,
  listing,
  loggedIn,
  login,
  PROMOTED,
  STORED,
  STORED_WITH_CURRENT,
} from '../../../helpers/journal-lines.js'
import { type MemoryFleet, PASSWORDS } from '../../../helpers/memory-fleet.js'
import { APP, hsm } from '../../../helpers/rotation.js'
import { type Bench, type BenchGiven, benchOf, endedBy, keepPending, reported } from '../../../helpers/run-bench.js'

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
const by = (method: 'sync' | 'change'): JournalEvent => ({ type: 'propagation', method, evidence: 'x' })
const given = (hsmId: HsmId): Line[] => [
  [change(hsmId), DONE],
  [login(hsmId), DONE],
]
const allOf =
  (...hsmIds: readonly HsmId[]) =>
  (fleet: MemoryFleet) => {
    for (const hsmId of hsmIds) fleet.give(hsmId, 'new')
  }
const VERIFIED: readonly Line[] = [STORED, copies('overwrites'), ...[a, b, c].flatMap(given), AWS_AGREES]
const THROUGH: readonly Line[] = [...VERIFIED, ...given(d)]

describe('the restore point', () => {
  const following = async (lines: readonly Line[], more: BenchGiven = {}) => {
    const bench = benchOf({ lines, fleet: allOf(a, b, c), ...more })
    const ended = await endedBy(() => restorePoint(bench.run))
    return { ...bench, ended }
  }

  test('follows as all others did, and is proved', async () => {
    const { ended, written, fleet } = await following([...VERIFIED, by('sync')])
    expect([ended, written()]).toEqual(['done', ['copy a>d new', 'done', 'listed d', 'login d new', 'done']])
    expect(fleet.holds()).toBe('a new, b new, c new, d new')
    expect((await following([...VERIFIED, by('change')])).written()[0]).toBe('change d new')
  })

  test('is announced as the point of no return where it is the only way back', async () => {
    expect((await following([...VERIFIED, by('sync')])).notices).toEqual([
      `point of no return: ${d} is the last to hold the old credential`,
    ])
    const proved = await following([STORED_WITH_CURRENT, ...VERIFIED.slice(1), by('sync')], {
      facts: { observed: [a, b, c, d].map((hsmId) => loggedIn(hsmId)) },
    })
    expect(proved.notices).toEqual([])
  })

  test('that holds it already is left alone', async () => {
    const { written, fleet } = await following([...THROUGH, by('sync')])
    expect([written(), fleet.heard]).toEqual([[], []])
  })

  test('out of reach is not given it', async () => {
    const { ended } = await following([...VERIFIED, by('sync')], {
      fleet: (its) => {
        allOf(a, b, c)(its)
        its.at(d).away = true
      },
    })
    expect(ended).toBe('unreachable')
  })
})

describe('the end of a rotation', () => {
  const ending = async (more: BenchGiven = {}, prepare: (bench: Bench) => unknown = () => {}) => {
    const bench = benchOf({ lines: THROUGH, fleet: allOf(a, b, c, d), ...more })
    await keepPending(bench)
    await prepare(bench)
    const ended = await endedBy(() => finalize(bench.run))
    return { ...bench, ended }
  }
  const PROMOTION = ['store promote intent', 'store promote read-back', 'applications-told']

  test('asks AWS, makes PENDING the current one, reads it back, and tells the applications', async () => {
    const { ended, written, store, hooks, fleet } = await ending()
    expect([ended, written()]).toEqual(['done', ['aws agrees', ...PROMOTION]])
    expect(passwordsIn(store.versions.current)).toEqual({ [APP]: PASSWORDS.new.reveal() })
    expect([store.versions.pending, hooks.ran, fleet.heard]).toEqual([null, ['after-finalize'], []])
  })

  test('promotes again where nobody knows whether the store did', async () => {
    const intent = { ...PROMOTED, phase: 'intent' } as JournalEvent
    const { ended, written } = await ending({ lines: [...THROUGH, intent] }, ({ store, run }) =>
      store.promote(run.ledger.facts.rotationId),
    )
    expect([ended, written()]).toEqual(['done', ['aws agrees', ...PROMOTION]])
  })

  test('only tells the applications where it was promoted', async () => {
    const { written } = await ending({ lines: [...THROUGH, PROMOTED] })
    expect(written()).toEqual(['aws agrees', 'applications-told'])
  })

  test('is the end although the command for the applications fails, and says so', async () => {
    const { ended, entries, notices } = await ending({}, ({ hooks }) => {
      hooks.fails = true
    })
    expect(ended).toBe('done')
    expect(entries.at(-1)?.event).toEqual({ type: 'applications-told', failure: 'after-finalize ended with 1' })
    expect(notices.join()).toContain('every HSM holds the credential, but after-finalize ended with 1')
  })

  test('gives a cell that was found locked the credential first', async () => {
    const { ended, written, fleet } = await ending({
      lines: [...THROUGH, listing(b, { locked: [APP], failures: [[APP, 5]] })],
      fleet: (its) => {
        allOf(a, b, c, d)(its)
        its.fail(b, 5)
      },
    })
    expect([ended, written().slice(0, 6)]).toEqual([
      'done',
      ['aws agrees', 'change b new', 'done', 'listed b', 'login b new', 'done'],
    ])
    expect(fleet.failures()).toEqual([0, 0, 0, 0])
  })

  test('is not reached where AWS reports other HSMs: nothing is promoted', async () => {
    const { ended, written, store } = await ending({}, ({ aws, run }) => {
      aws.clusters = reported(run.plan.roster.filter(({ hsmId }) => hsmId !== d))
    })
    expect([ended, written(), store.versions.current]).toEqual(['ROSTER_CHANGED', ['aws: 1 differences'], null])
  })

  test('is not reached where the store does not return it as the current one', async () => {
    const { ended, written } = await ending({}, ({ store }) => {
      store.promote = async () => undefined
    })
    expect([ended, written()]).toEqual(['STORE_NOT_READ_BACK', ['aws agrees', 'store promote intent']])
  })

  test('is not reached where the lock is not ours any more: the store is left alone', async () => {
    const { ended, written, store } = await ending({}, ({ lock }) => {
      lock.lost = true
    })
    expect([ended, written(), store.versions.current]).toEqual(['LOCK_LOST', ['aws agrees'], null])
    expect(store.versions.pending).not.toBeNull()
  })
})
