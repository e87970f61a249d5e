import { describe, expect, test } from '@jest/globals'
import type { ClusterId, HsmId, RegionName } from '../../../../src/domain/ids.js'
import type { RosterEntry } from '../../../../src/domain/roster.js'
import type { JournalEvent } from '../../../../src/domain/rotation/journal-entry.js'
import { change, DONE, type Line, ledgerAfter, listing, login } from '../../../helpers/journal-lines.js'
import { partsInWords } from '../../../helpers/parts.js'
import { APP, hsm, planOver, rosterOf } from '../../../helpers/rotation.js'

const [a, b, c] = [hsm('a'), hsm('b'), hsm('c')]

/** An HSM beside one of the roster. */
const beside = (hsmId: HsmId, roster = rosterOf(1, 1)): RosterEntry => {
  const sibling = roster.find((server) => server.hsmId === hsmId)
  if (sibling === undefined) throw new Error(`${hsmId} is not in the roster`)
  return { ...sibling, hsmId: c }
}
const added = (hsmId: HsmId): JournalEvent => ({ type: 'targets-added', roster: [beside(hsmId)] })
const told = (...lines: Line[]) => ledgerAfter(lines)

describe('an HSM that was added', () => {
  test('is a cell that nobody knows: its backup may be of any age', () => {
    expect(told(added(a)).cell(APP, c)).toMatchObject({ state: 'unknown', proof: 'none' })
    expect(told(added(a)).isJoined(c)).toBe(true)
    expect(told().isJoined(a)).toBe(false)
  })

  test('is new only by a login of its own', () => {
    expect(told(added(a), [login(c), DONE]).cell(APP, c).state).toBe('new')
  })

  test('may be new as soon as one of its cluster was meant to be', () => {
    expect(told(added(a)).mayBeNew(APP, c)).toBe(false)
    expect(told(added(a), [change(b)]).mayBeNew(APP, c)).toBe(false)
    expect(told(added(a), [change(a)]).mayBeNew(APP, c)).toBe(true)
    expect(told([change(a)], added(a)).mayBeNew(APP, c)).toBe(true)
    // Nothing was written by what was refused.
    const inUse = { kind: 'refused', reason: 'user-logged-in', text: 'in use' } as const
    expect(told([change(a), inUse], added(a)).mayBeNew(APP, c)).toBe(false)
  })

  test('may be new as well where the one that was written is gone since', () => {
    const gone: JournalEvent = { type: 'hsm-gone', gone: { hsmId: a, reason: 'replaced' } }
    expect(told([change(a)], gone, added(a)).mayBeNew(APP, c)).toBe(true)
    expect(told(gone, added(a)).mayBeNew(APP, c)).toBe(false)
  })

  test('may lack the user until it is listed', () => {
    expect(told(added(a)).mayBeAbsent(APP, c)).toBe(true)
    expect(told(added(a), listing(c)).mayBeAbsent(APP, c)).toBe(false)
    expect(told(added(a), listing(c, { absent: [APP] })).mayBeAbsent(APP, c)).toBe(true)
  })

  test('is a wave of its own where HSMs are written one by one', () => {
    expect(partsInWords(told(added(b)).plan.parts)).toBe('first a, canary b, restore point b, added since: c')
  })

  test('has its part already where its cluster is written as a whole', () => {
    const plan = planOver(rosterOf(1, 1), 'cloudhsm-cli')
    const { parts, roster } = ledgerAfter([added(b)], { plan }).plan
    expect(parts).toEqual(plan.parts)
    expect(roster.map(({ hsmId }) => hsmId)).toEqual([a, b, c])
  })

  test('is as before as long as nothing of its cluster was written', () => {
    expect(told(added(b), [change(a)]).isAsBefore(APP, c)).toBe(true)
    expect(told(added(a), [change(a)]).isAsBefore(APP, c)).toBe(false)
  })
})

describe('a cluster that was lost and is back', () => {
  const lost = {
    clusterId: 'cluster-ccccccccccc' as ClusterId,
    region: 'ap-south-1' as RegionName,
    profile: null,
    reason: 'the Region is away',
  }
  const cluster = { ...lost, hsmType: 'hsm1.medium' }
  const roster = [{ ...beside(b), clusterId: lost.clusterId, region: lost.region }]
  const facts = { lostClusters: [lost] }

  test('is left out until it joins, and takes part from there on', () => {
    const before = ledgerAfter([], facts)
    expect([[...before.lostClusters.keys()], before.plan.roster.length]).toEqual([[lost.clusterId], 2])
    const now = ledgerAfter([{ type: 'cluster-joined', cluster, roster }], facts)
    expect(now.lostClusters.size).toBe(0)
    expect(now.plan.destinations.at(-1)).toEqual(cluster)
    expect(now.cell(APP, c).state).toBe('unknown')
    expect(partsInWords(now.plan.parts)).toBe('first a, canary b, restore point b, added since: c')
  })

  test('that another run gave the credential is lost no more and takes no part', () => {
    const by = 'r-20260302-031500-else' as never
    const now = ledgerAfter([{ type: 'cluster-settled', clusterId: lost.clusterId, by }], facts)
    expect([now.lostClusters.size, now.plan.roster.length]).toEqual([0, 2])
  })
})

describe('an HSM that is gone', () => {
  const gone: JournalEvent = { type: 'hsm-gone', gone: { hsmId: b, reason: 'replaced' } }

  test('is no cell any more, and no debt', () => {
    const ledger = told({ type: 'debt', debt: { hsmId: b, reason: 'x' } }, gone)
    expect(ledger.cells().map(({ hsmId }) => hsmId)).toEqual([a])
    expect([ledger.gone, ledger.debts.size]).toEqual([[{ hsmId: b, reason: 'replaced' }], 0])
  })

  test('may still be answered for', () => {
    const entries = [{ type: 'intent', intent: change(b), process: { pid: 1, startedAt: 'then' } }, gone] as const
    const ledger = told(...entries, { type: 'answer', to: 2, answer: DONE })
    expect(ledger.cells()).toHaveLength(1)
  })

  test('gives its parts to those that are left', () => {
    expect(partsInWords(told(gone).plan.parts)).toBe('first a, canary a, restore point a')
  })
})
