/** Seeds are below this. */
export const MAX_SEED = 2 ** 31

/** Which stories are to be told again. */
export interface Replay {
  readonly seed: number
  readonly path?: string
}

/**
 * What `LOCKSTEP_SEED` and `LOCKSTEP_PATH` ask for; null where nothing is asked for.
 * @throws {Error} when the seed is no number
 */
export const replayFrom = (env: Readonly<Record<string, string | undefined>>): Replay | null => {
  const { LOCKSTEP_SEED: text = '', LOCKSTEP_PATH: path = '' } = env
  if (text === '') return null
  const seed = Number(text)
  if (!Number.isInteger(seed)) throw new Error(`LOCKSTEP_SEED="${text}" is not a whole number`)
  return path === '' ? { seed } : { seed, path }
}
