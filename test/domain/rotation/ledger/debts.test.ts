import { describe, expect, test } from '@jest/globals'
import type { HsmId, RotationId } from '../../../../src/domain/ids.js'
import type { JournalEvent } from '../../../../src/domain/rotation/journal-entry.js'
import { change, DONE, type Line, ledgerAfter, listing, login } from '../../../helpers/journal-lines.js'
import { partsInWords } from '../../../helpers/parts.js'
import { APP, hsm, planOver, rosterOf } from '../../../helpers/rotation.js'

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
const debt = (hsmId: HsmId): JournalEvent => ({ type: 'debt', debt: { hsmId, reason: 'being repaired' } })
const settled = (hsmId: HsmId): JournalEvent => ({ type: 'debt-settled', hsmId })
const told = (...lines: Line[]) => ledgerAfter(lines, {}, rosterOf(2, 2))
const takingPart = (...lines: Line[]) => told(...lines).takingPart.map(({ hsmId }) => hsmId)

describe('an HSM that may stay behind', () => {
  test('takes no part until it is settled, and is a cell all the time', () => {
    expect(takingPart(debt(d))).toEqual([a, b, c])
    expect(told(debt(d)).cells()).toHaveLength(4)
    expect(takingPart(debt(d), settled(d))).toEqual([a, b, c, d])
  })

  test('from the start is out of sight until it is listed', () => {
    const facts = { debts: [{ hsmId: d, reason: 'being repaired' }] }
    const cell = (...lines: Line[]) => ledgerAfter(lines, facts, rosterOf(2, 2)).cell(APP, d).state
    expect([cell(), cell(listing(d))]).toEqual(['unreachable', 'old'])
  })

  test('that another run took along has no part and no cell in this one any more', () => {
    const paid: JournalEvent = { type: 'debt-settled', hsmId: d, by: 'r-20260302-031500-next' as RotationId }
    expect(takingPart(debt(d), paid)).toEqual([a, b, c])
    expect(
      told(debt(d), paid)
        .cells()
        .map(({ hsmId }) => hsmId),
    ).toEqual([a, b, c])
  })

  test('keeps the reason it was allowed for', () => {
    expect([...told(debt(d), debt(c)).debts]).toEqual([
      [d, 'being repaired'],
      [c, 'being repaired'],
    ])
  })
})

describe('the parts of a rotation whose units stay behind', () => {
  const parts = (...lines: Line[]) => partsInWords(told(...lines).plan.parts)
  const isNew = (hsmId: HsmId): Line[] => [
    [change(hsmId), DONE],
    [login(hsmId), DONE],
  ]

  test('are as planned while each has a unit', () => {
    const planned = 'first a, canary c, restore point d, siblings in cluster-aaaaaaaaaaa: b'
    expect(parts()).toBe(planned)
    expect(parts(debt(b))).toBe(planned)
  })

  test('the first one is a sibling of it, or better one that holds the new credential already', () => {
    expect(parts(debt(a))).toBe('first b, canary c, restore point d')
    expect(parts(...isNew(c), debt(a))).toBe('first c, canary b, restore point d')
  })

  test('the canary is another unit of a destination, or else one of the source', () => {
    expect(parts(debt(c))).toBe('first a, canary b, restore point d')
    const ofFive = (behind: HsmId) => partsInWords(ledgerAfter([debt(behind)], {}, rosterOf(1, 4)).plan.parts)
    expect(ofFive(b)).toBe('first a, canary c, restore point e, eu-west-1: d')
    expect(ofFive(c)).toBe('first a, canary b, restore point e, eu-west-1: c d')
  })

  test('the restore point is the last unit that is left', () => {
    expect(parts(debt(d))).toBe('first a, canary c, restore point b')
  })

  test('come back with the unit', () => {
    expect(parts(debt(a), debt(d), settled(a), settled(d))).toBe(
      'first a, canary c, restore point d, siblings in cluster-aaaaaaaaaaa: b',
    )
  })

  test('stay with a cluster of which one HSM is left', () => {
    const plan = planOver(rosterOf(2, 2), 'cloudhsm-cli')
    const { parts: left } = ledgerAfter([debt(a), debt(d)], { plan }, rosterOf(2, 2)).plan
    expect(left).toEqual(plan.parts)
  })
})
