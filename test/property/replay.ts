import type { UtilityName } from '../../src/domain/utility/utility.js'

/** Both tell stories of their own. */
export const UTILITIES: readonly UtilityName[] = ['cmu', 'cloudhsm-cli']

/** Seeds are below this. */
export const MAX_SEED = 2 ** 31

/** @throws {Error} */
export const utilityFrom = (name: string): UtilityName => {
  const utility = UTILITIES.find((known) => known === name)
  if (utility === undefined) throw new Error(`"${name}" is no utility; there are ${UTILITIES.join(' and ')}`)
  return utility
}
