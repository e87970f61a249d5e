import { describe, expect, test } from '@jest/globals'
import type { Answer } from '../../../src/domain/hsm-console.js'
import type { Intent, JournalEvent, RotationFacts } from '../../../src/domain/rotation/journal-entry.js'
import { ledgerOf } from '../../../src/domain/rotation/rotation.js'
import { APP, factsOf, hsm, rosterOf } from '../../helpers/rotation.js'

const PROCESS = { pid: 7, startedAt: '2026-03-01T03:15:00.000Z' }
const DONE: Answer = { kind: 'done' }
const REFUSED: Answer = { kind: 'refused', reason: 'login-refused', text: 'no' }
const [a, b] = [hsm('a'), hsm('b')]

const change = (hsmId = a): Intent => ({ act: 'change', user: APP, hsmIds: [hsmId], credential: 'new' })
const login = (hsmId = a, credential: 'new' | 'current' = 'new'): Intent => ({
  act: 'login',
  user: APP,
  hsmIds: [hsmId],
  credential,
})
const sync = (credential: 'new' | 'current', rehearsal = false): Intent => ({
  act: 'sync',
  user: APP,
  from: a,
  hsmIds: [b],
  credential,
  rehearsal,
})
const intent = (what: Intent): JournalEvent => ({ type: 'intent', intent: what, process: PROCESS })
const answer = (to: number, what: Answer): JournalEvent => ({ type: 'answer', to, answer: what })

/** The events after `started`, which is line 1. */
const ledger = (events: readonly JournalEvent[], facts: Partial<RotationFacts> = {}) =>
  ledgerOf(
    [{ type: 'started' as const, facts: factsOf(rosterOf(1, 1), facts) }, ...events].map((event, index) => ({
      seq: index + 1,
      at: `2026-03-01T03:15:0${index}.000Z`,
      event,
    })),
  )
const cell = (events: readonly JournalEvent[], hsmId = a, facts: Partial<RotationFacts> = {}) => {
  const { state, proof } = ledger(events, facts).cell(APP, hsmId)
  return `${state} ${proof}`
}

describe('a cell, as the journal tells it', () => {
  test('is old and untouched before anything was meant to be written', () => {
    expect(cell([])).toBe('old untouched')
  })

  test('is old by login where the current credential was proved at the start', () => {
    expect(cell([], a, { provedCurrent: [{ user: APP, hsmId: a, evidence: 'hsm' }] })).toBe('old login-current')
  })

  test('is absent where the user does not exist yet', () => {
    expect(cell([], a, { absent: [{ user: APP, hsmId: a }] })).toBe('absent untouched')
  })

  test('is unknown from the intent on, and stays so after a success that nobody proved', () => {
    expect(cell([intent(change())])).toBe('unknown none')
    expect(cell([intent(change()), answer(2, DONE)])).toBe('unknown none')
  })

  test('is new only by a login with the new credential', () => {
    expect(cell([intent(change()), answer(2, DONE), intent(login()), answer(4, DONE)])).toBe('new login-new')
  })

  test('is what it was when the HSM refused the write', () => {
    expect(cell([intent(change()), answer(2, { ...REFUSED, reason: 'user-logged-in' })])).toBe('old untouched')
  })

  test('is written once its last write reported success', () => {
    const written = (events: readonly JournalEvent[]) => ledger(events).isWritten(APP, a)
    expect(written([intent(change())])).toBe(false)
    expect(written([intent(change()), answer(2, DONE)])).toBe(true)
    expect(written([intent(change()), answer(2, DONE), intent(change())])).toBe(false)
    expect(written([intent(change()), answer(2, { kind: 'unclear', text: '?', partly: true })])).toBe(false)
  })

  test('was copied to in vain where it then refused the new credential, and nothing was written since', () => {
    const inVain = (events: readonly JournalEvent[]) => ledger(events).copiedInVain(APP, b)
    const copied = [intent(sync('new')), answer(2, DONE), intent(login(b)), answer(4, REFUSED)]
    expect(inVain(copied)).toBe(true)
    expect(inVain([...copied, intent(change(b))])).toBe(false)
    expect(inVain([intent(sync('current')), answer(2, DONE), intent(login(b)), answer(4, REFUSED)])).toBe(false)
  })

  test('stays unknown after an answer that says nothing clear', () => {
    expect(cell([intent(change()), answer(2, { kind: 'unclear', text: '?' })])).toBe('unknown none')
  })

  test('a copy of the new credential is not yet new, a copy of the old one is old once the rotation goes back', () => {
    expect(cell([intent(sync('new')), answer(2, DONE)], b)).toBe('unknown copy')
    expect(cell([intent(sync('current')), answer(2, DONE)], b)).toBe('unknown copy')
    const back = { type: 'rollback-started', method: 'sync' } as const
    expect(cell([back, intent(sync('current')), answer(3, DONE)], b)).toBe('old copy')
  })

  test('a rehearsal leaves the cell old whether or not it is answered', () => {
    expect(cell([intent(sync('current', true))], b)).toBe('old untouched')
    expect(cell([intent(sync('current', true)), answer(2, DONE)], b)).toBe('old copy')
  })

  test('a refused login leaves it unknown and is counted', () => {
    const events = [intent(login()), answer(2, REFUSED)]
    expect(cell(events)).toBe('unknown none')
    expect(ledger(events).rotation().failedLogins).toBe(1)
  })

  test('is other once it refused both credentials, or the one it was proved to hold, and until it is written', () => {
    const both = [intent(login()), answer(2, REFUSED), intent(login(a, 'current')), answer(4, REFUSED)]
    expect(cell(both)).toBe('other none')
    expect(cell([...both, intent(change())])).toBe('unknown none')
    expect(cell([...both, intent(change()), answer(6, { ...REFUSED, reason: 'user-logged-in' })])).toBe('other none')
    const proved = [intent(login()), answer(2, DONE), intent(login()), answer(4, REFUSED)]
    expect(cell(proved)).toBe('other none')
    const written = [intent(login()), answer(2, REFUSED), intent(change()), answer(4, DONE)]
    expect(cell([...written, intent(login(a, 'current')), answer(6, REFUSED)])).toBe('unknown none')
  })

  test('is locked when a listing says so, and what it holds is not known once it is not', () => {
    const locked: JournalEvent = { type: 'locked', user: APP, hsmId: a }
    const unlocked: JournalEvent = { type: 'unlocked', user: APP, hsmId: a }
    expect(cell([locked])).toBe('locked none')
    expect(cell([locked, unlocked])).toBe('unknown none')
    const both = [intent(login()), answer(2, REFUSED), intent(login(a, 'current')), answer(4, REFUSED)]
    expect(cell([...both, locked, unlocked])).toBe('other none')
    expect(ledger([...both, locked]).isOther(APP, a)).toBe(true)
  })

  test('is unreachable when its HSM is, unless it was proved new before', () => {
    const gone: JournalEvent = { type: 'unreachable', hsmId: a, reason: 'x' }
    expect(cell([gone])).toBe('unreachable none')
    expect(cell([intent(change()), answer(2, DONE), intent(login()), answer(4, DONE), gone])).toBe('new login-new')
  })

  test('stays old while its HSM is out of sight, once the rotation goes back', () => {
    const back = { type: 'rollback-started', method: 'sync' } as const
    const restored = [back, intent(sync('current')), answer(3, DONE)]
    expect(cell([...restored, { type: 'unreachable', hsmId: b, reason: 'x' }], b)).toBe('old copy')
  })

  test('is what it was before once the rotation went back, where it was never written or refused the new credential', () => {
    const finished = { type: 'finished', outcome: 'rolled-back' } as const
    expect(cell([{ type: 'unreachable', hsmId: b, reason: 'x' }, finished], b)).toBe('old untouched')
    expect(cell([intent(login(b)), answer(2, REFUSED), finished], b, { recovered: true })).toBe('old none')
    expect(cell([intent(change()), { type: 'unreachable', hsmId: a, reason: 'x' }, finished])).toBe('unreachable none')
  })

  test('is no cell any more once its HSM is gone', () => {
    const { cells, gone, debts } = ledger([
      { type: 'debt', debt: { hsmId: b, reason: 'x' } },
      { type: 'hsm-gone', gone: { hsmId: b, reason: 'x' } },
    ]).rotation()
    expect(cells.map(({ hsmId }) => hsmId)).toEqual([a])
    expect({ gone, debts }).toEqual({ gone: [{ hsmId: b, reason: 'x' }], debts: [] })
  })
})

describe('the failed logins of a cell, as the journal knows them', () => {
  const counted = { failureCounts: [{ user: APP, hsmId: a, count: 1 }] }
  const count = (events: readonly JournalEvent[]) => ledger(events, counted).failureCount(APP, a)

  test('are those of the last listing', () => {
    expect(count([])).toBe(1)
    expect(count([{ type: 'failure-count', user: APP, hsmId: a, count: 0 }])).toBe(0)
    expect(ledger([], counted).failureCount(APP, b)).toBeUndefined()
  })

  test('and those we made since, or may have made', () => {
    expect(count([intent(login()), answer(2, REFUSED)])).toBe(2)
    expect(count([intent(login())])).toBe(2)
    expect(count([intent(login()), answer(2, DONE)])).toBe(1)
    expect(count([intent(change()), answer(2, { ...REFUSED, reason: 'user-logged-in' })])).toBe(1)
  })
})

describe('a rotation, as the journal tells it', () => {
  test('stands at the first stage that is not completed', () => {
    expect(ledger([]).stage).toBe('store-pending')
    expect(ledger([{ type: 'stage-completed', stage: 'rehearse' }]).stage).toBe('change')
    expect(ledger([{ type: 'stage-completed', stage: 'finalize' }]).stage).toBeNull()
  })

  test('keeps what was never answered, with the process that was told to do it', () => {
    const { unanswered } = ledger([intent(change()), intent(change(b)), answer(3, DONE)]).rotation()
    expect(unanswered).toMatchObject([{ intent: { act: 'change', hsmIds: [a] }, process: PROCESS }])
  })

  test('is paused only as long as nothing else happened', () => {
    const pause: JournalEvent = { type: 'paused', stage: 'change', code: 'X', message: 'y', suggestions: [] }
    expect(ledger([pause]).rotation().pause?.code).toBe('X')
    expect(ledger([pause, { type: 'resumed', operator: { user: 'u', host: 'h', pid: 2 } }]).rotation().pause).toBeNull()
  })

  test('can copy the old credential from an HSM until something else than a rehearsal is meant to be written there', () => {
    const origins = (events: readonly JournalEvent[]) => ledger(events).rotation().oldOrigins
    const rehearsed = [intent(sync('current', true)), answer(2, DONE)]
    expect(origins([])).toEqual([a, b])
    expect(origins([...rehearsed, intent(change())])).toEqual([b])
    expect(origins([...rehearsed, { type: 'unreachable', hsmId: b, reason: 'x' }])).toEqual([a, b])
    expect(origins([intent(change()), intent(sync('new'))])).toEqual([])
    expect(origins([intent(change()), intent(sync('new')), intent(login(b, 'current')), answer(4, DONE)])).toEqual([b])
  })

  test('holds nothing new where every cell is old or refused the new credential', () => {
    expect(ledger([]).rotation().nothingNew).toBe(true)
    expect(ledger([intent(change())]).rotation().nothingNew).toBe(false)
    expect(ledger([intent(change()), intent(login()), answer(3, REFUSED)]).rotation().nothingNew).toBe(true)
    const asked = [intent(login()), answer(2, REFUSED), intent(login(b)), answer(4, REFUSED)]
    expect(ledger(asked, { recovered: true }).rotation().nothingNew).toBe(true)
    expect(ledger(asked.slice(0, 2), { recovered: true }).rotation().nothingNew).toBe(false)
    // Of a cluster that refuses, nobody knows which HSM it was.
    const together: Intent = { ...login(), hsmIds: [a, b] }
    const refusedTogether = [intent(together), answer(2, REFUSED)]
    expect(ledger(refusedTogether, { recovered: true }).rotation().nothingNew).toBe(false)
  })

  test('an HSM that was added may be new as soon as one of its cluster may be', () => {
    const [twin] = rosterOf(1, 1)
    if (twin === undefined) throw new Error('a roster has HSMs')
    const added = { type: 'targets-added', roster: [{ ...twin, hsmId: hsm('c') }], absent: [] } as const
    expect(ledger([added]).mayBeNew(APP, hsm('c'))).toBe(false)
    expect(ledger([added, intent(change(b))]).mayBeNew(APP, hsm('c'))).toBe(false)
    expect(ledger([added, intent(change(a))]).mayBeNew(APP, hsm('c'))).toBe(true)
  })

  test('an HSM without the user has nothing to give back', () => {
    expect(ledger([], { absent: [{ user: APP, hsmId: b }] }).rotation().oldOrigins).toEqual([a])
  })

  test('goes back for good from the first rollback on', () => {
    expect(ledger([]).rotation().direction).toBe('forward')
    expect(ledger([{ type: 'rollback-started', method: 'sync' }]).rotation().direction).toBe('back')
  })

  test('an answer to a line that asked nothing is a fault', () => {
    expect(() => ledger([answer(1, DONE)])).toThrow('answers line 1, which asked nothing')
  })
})
