import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { assignParts, partsAmong, unitsOf } from '../../../src/domain/rotation/plan.js'
import { rosterOf } from '../../helpers/rotation.js'

/** A rotation of some HSMs, those that are left of it, and those that hold the new credential. */
const remains = fc
  .record({
    utility: fc.constantFrom('cmu' as const, 'cloudhsm-cli' as const),
    sources: fc.integer({ min: 1, max: 4 }),
    destinations: fc.integer({ min: 0, max: 4 }),
    gone: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
    isNew: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
  })
  .map(({ utility, sources, destinations, gone, isNew }) => {
    const roster = rosterOf(sources, destinations)
    const left = roster.filter((_, index) => gone[index] !== true)
    const holders = new Set(roster.filter((_, index) => isNew[index] === true).map(({ hsmId }) => hsmId))
    return {
      planned: assignParts(roster, utility),
      units: unitsOf(left, utility),
      isNew: ({ servers }: { readonly servers: typeof roster }) => servers.every(({ hsmId }) => holders.has(hsmId)),
    }
  })
  .filter(({ units }) => units.length > 0)

describe('the parts among the units that are left, whichever they are', () => {
  test('each unit has exactly one, and no part is played by one that is gone', () => {
    fc.assert(
      fc.property(remains, ({ planned, units, isNew }) => {
        const { first, canary, restorePoint, waves } = partsAmong(planned, units, isNew)
        const left = units.map(({ unitId }) => unitId)
        const inWaves = waves.flatMap((wave) => wave.units).filter((unitId) => left.includes(unitId))
        const leading = [...new Set([first, canary, restorePoint])]
        expect(leading).toHaveLength(Math.min(units.length, 3))
        expect([...leading, ...inWaves].sort()).toEqual([...left].sort())
      }),
    )
  })

  test('the first one is never the canary or the restore point while there is another unit', () => {
    fc.assert(
      fc.property(remains, ({ planned, units, isNew }) => {
        fc.pre(units.length > 1)
        const { first, canary, restorePoint } = partsAmong(planned, units, isNew)
        expect([canary, restorePoint]).not.toContain(first)
      }),
    )
  })

  test('nothing changes as long as the three leading parts have their units', () => {
    fc.assert(
      fc.property(remains, ({ planned, units, isNew }) => {
        const left = units.map(({ unitId }) => unitId)
        fc.pre([planned.first, planned.canary, planned.restorePoint].every((unitId) => left.includes(unitId)))
        expect(partsAmong(planned, units, isNew)).toEqual(planned)
      }),
    )
  })
})
