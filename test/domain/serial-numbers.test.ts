import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { ClusterId, HsmId } from '../../src/domain/ids.js'
import { contradiction, type SerialObservation, shownBy } from '../../src/domain/serial-numbers.js'

const [A, B] = ['cluster-aaaaaaaaaaa', 'cluster-bbbbbbbbbbb'] as [ClusterId, ClusterId]
const HSMS = ['hsm-a', 'hsm-b', 'hsm-c', 'hsm-d', 'hsm-e'] as HsmId[]
/** The number an HSM really has. */
const serialOf = (hsmId: HsmId): string => `SN-${hsmId.toUpperCase()}`
const seen = (hsmIds: readonly HsmId[], serials = hsmIds.map(serialOf), clusterId = A): SerialObservation => ({
  clusterId,
  hsmIds,
  serials: [...serials].sort(),
})
const [a, b, c, d] = HSMS as [HsmId, HsmId, HsmId, HsmId]

describe('serial numbers that were shown', () => {
  test.each([
    ['the same HSMs with other numbers', seen([a, b, c]), seen([a, b, c], ['SN-HSM-A', 'SN-HSM-B', 'SN-X'])],
    ['one HSM with another number', seen([a]), seen([a], ['SN-X'])],
    ['another HSM with the same number', seen([a]), seen([b], ['SN-HSM-A'])],
    ['one of a cluster with a number the cluster did not show', seen([a, b, c]), seen([b], ['SN-X'])],
    [
      'a cluster without the number that one of it showed alone',
      seen([b]),
      seen([a, b, c], ['SN-HSM-A', 'SN-X', 'SN-Y']),
    ],
    [
      'a part of it with the number of an HSM that was not meant',
      seen([a, b, c]),
      seen([a, d], ['SN-HSM-A', 'SN-HSM-B']),
    ],
  ])('contradict each other, whichever came first: %s', (_, first, second) => {
    expect(contradiction([first], second)).not.toBeNull()
    expect(contradiction([second], first)).not.toBeNull()
    expect(contradiction([], first)).toBeNull()
    expect(contradiction([first], first)).toBeNull()
  })

  test.each([
    ['two that have no HSM in common', seen([a, b]), seen([c])],
    ['one HSM was replaced, and so has another ID', seen([a, b, c]), seen([a, b, d])],
    ['HSMs were added, or are out of sight', seen([a, b]), seen([a, b, c, d])],
    ['clusters have nothing to do with each other', seen([a, b]), seen([a, b], ['SN-X', 'SN-Y'], B)],
  ])('agree where %s', (_, first, second) => {
    expect(contradiction([first], second)).toBeNull()
    expect(contradiction([second], first)).toBeNull()
  })

  test('are told side by side', () => {
    expect(contradiction([seen([d]), seen([a, b, c])], seen([a, b], ['SN-HSM-A', 'SN-X']))).toBe(
      `${A} shows the serial numbers SN-HSM-A, SN-X for hsm-a, hsm-b, and showed the serial numbers SN-HSM-A, SN-HSM-B, ` +
        'SN-HSM-C for hsm-a, hsm-b, hsm-c before: 2 of these HSMs and 1 of the numbers are the same',
    )
  })

  const some = fc.subarray(HSMS, { minLength: 1 })

  test('agree for as long as they are true, in any order', () => {
    fc.assert(
      fc.property(fc.array(some, { maxLength: 8 }), some, (before, now) => {
        expect(
          contradiction(
            before.map((hsmIds) => seen(hsmIds)),
            seen(now),
          ),
        ).toBeNull()
      }),
    )
  })

  test('give away an HSM that another one stands for wherever the true one was seen', () => {
    fc.assert(
      fc.property(fc.array(some, { maxLength: 8 }), some, fc.nat(), (before, now, which) => {
        const replaced = now[which % now.length] as HsmId
        const serials = now.map((hsmId) => (hsmId === replaced ? 'SN-STRANGER' : serialOf(hsmId)))
        const known = before.some((hsmIds) => hsmIds.includes(replaced))
        expect(
          contradiction(
            before.map((hsmIds) => seen(hsmIds)),
            seen(now, serials),
          ) !== null,
        ).toBe(known)
      }),
    )
  })

  test('contradict each other in both directions or in none, whatever they are', () => {
    const any = fc
      .tuple(some, fc.subarray([...HSMS.map(serialOf), 'SN-X', 'SN-Y']))
      .map(([hsmIds, serials]) => seen(hsmIds, serials))
    fc.assert(
      fc.property(any, any, (one, other) => {
        expect(contradiction([one], other) === null).toBe(contradiction([other], one) === null)
      }),
    )
  })
})

describe('whose serial numbers are shown', () => {
  const abc = [a, b, c]
  const numbers = (...hsmIds: readonly HsmId[]) => hsmIds.map(serialOf)

  test.each([
    ['a part that was shown by itself', [seen([a, b])], numbers(a, b), [a, b]],
    ['all but one that was shown alone', [seen(abc), seen([c])], numbers(a, b), [a, b]],
    ['none', [], [], []],
    ['as many as were never shown before', [seen([a])], numbers(b, c), [b, c]],
  ])('is told of %s', (_, known, serials, owners) => expect(shownBy(known, abc, serials)).toEqual(owners))

  test.each([
    ['some of those that were always shown together', [seen(abc)], numbers(a, b)],
    ['some of those that were never shown', [], numbers(a, b)],
    ['a number beside those of all that are known', [seen(abc)], ['SN-STRANGER']],
    ['one that is no HSM of the cluster any more', [seen([d])], numbers(d)],
  ])('is not told of %s', (_, known, serials) => expect(shownBy(known, abc, serials)).toBeNull())

  test('is told truly or not at all', () => {
    const some = fc.subarray(HSMS)
    fc.assert(
      fc.property(fc.array(some, { maxLength: 8 }), some, (before, now) => {
        const told = shownBy(
          before.map((hsmIds) => seen(hsmIds)),
          HSMS,
          seen(now).serials,
        )
        if (told !== null) expect(told).toEqual(now)
      }),
    )
  })
})
