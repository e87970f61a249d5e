import type { UnitId } from '../../src/domain/ids.js'
import type { Parts } from '../../src/domain/rotation/plan.js'

/** The letter an HSM or a cluster of the test's roster is named after. */
const letter = (unitId: UnitId): string => unitId.at(-1) ?? ''

/** Who has which part, in one line. Waves of which nothing is left are left out. */
export const partsInWords = ({ first, canary, restorePoint, waves }: Parts): string =>
  [
    `first ${letter(first)}`,
    `canary ${letter(canary)}`,
    `restore point ${letter(restorePoint)}`,
    ...waves
      .filter(({ units }) => units.length > 0)
      .map(({ name, units }) => `${name}: ${units.map(letter).join(' ')}`),
  ].join(', ')
