import type { HsmId } from '../../domain/ids.js'
import { Pause } from './pause.js'
import type { RotationRun } from './rotation-run.js'

/** The HSMs that were seen in this invocation to hold the new credential of every user. */
const proved = (run: RotationRun): HsmId[] =>
  run.plan.roster
    .map((entry) => entry.hsmId)
    .filter((hsmId) => run.users.every((user) => run.provedNow(user.key, hsmId, 'new')))

/**
 * An HSM the new credential may be copied from.
 * @throws {Pause} `NO_PROVED_ORIGIN`
 */
export const originOf = (run: RotationRun): HsmId => {
  const [first] = proved(run)
  if (first === undefined) {
    throw new Pause('NO_PROVED_ORIGIN', 'no HSM was seen in this run to hold the new credential of every user')
  }
  return first
}

/**
 * Hands out origins so that the work of extracting is spread: an HSM does one thing at a time, and every HSM that was
 * proved becomes an origin for those after it.
 */
export class Origins {
  readonly #run: RotationRun
  readonly #given = new Map<HsmId, number>()

  constructor(run: RotationRun) {
    this.#run = run
  }

  /** The proved HSM that was given out least often. */
  next(): HsmId {
    let best = originOf(this.#run)
    for (const hsmId of proved(this.#run)) {
      if ((this.#given.get(hsmId) ?? 0) < (this.#given.get(best) ?? 0)) best = hsmId
    }
    this.#given.set(best, (this.#given.get(best) ?? 0) + 1)
    return best
  }
}
