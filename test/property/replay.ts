import type { UtilityName } from '../../src/domain/utility/utility.js'

/** Both tell stories of their own. */
export const UTILITIES: readonly UtilityName[] = ['cmu', 'cloudhsm-cli']

/** Seeds are below this. */
export const MAX_SEED = 2 ** 31

/** Which stories are to be told again. */
export interface Replay {
  readonly utility: UtilityName
  readonly seed: number
  readonly path?: string
}

/**
 * What `LOCKSTEP_UTILITY`, `LOCKSTEP_SEED` and `LOCKSTEP_PATH` ask for; null where no seed is given.
 * @throws {Error} when the seed is no number, or the utility none that is known
 */
export const replayFrom = (env: Readonly<Record<string, string | undefined>>): Replay | null => {
  const { LOCKSTEP_SEED: text = '', LOCKSTEP_PATH: path = '' } = env
  if (text === '') return null
  const seed = Number(text)
  if (!Number.isInteger(seed)) throw new Error(`LOCKSTEP_SEED="${text}" is not a whole number`)
  const utility = utilityFrom(env['LOCKSTEP_UTILITY'] ?? 'cmu')
  return path === '' ? { utility, seed } : { utility, seed, path }
}

/** @throws {Error} */
export const utilityFrom = (name: string): UtilityName => {
  const utility = UTILITIES.find((known) => known === name)
  if (utility === undefined) throw new Error(`"${name}" is no utility; there are ${UTILITIES.join(' and ')}`)
  return utility
}
