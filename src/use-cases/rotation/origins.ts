import type { HsmId } from '../../domain/ids.js'
import { changeCells, newRefused, proveCells } from './cell-work.js'
import { Pause } from './pause.js'
import type { RotationRun } from './rotation-run.js'

/**
 * Hands out HSMs to copy the new credential from. Only one that was seen in this invocation to hold it for every user
 * is an origin; where there is none yet, one that an earlier invocation proved has to show it again. The work of
 * extracting is spread: an HSM does one thing at a time, and every HSM that was proved becomes an origin.
 */
export class Origins {
  readonly #run: RotationRun
  readonly #given = new Map<HsmId, number>()
  #first: Promise<HsmId> | null = null

  constructor(run: RotationRun) {
    this.#run = run
  }

  /**
   * The origin that was given out least often.
   * @throws {Pause} `NO_PROVED_ORIGIN`, or why the one that was proved before does not hold it any more
   */
  async next(): Promise<HsmId> {
    if (this.#proved().length === 0) {
      this.#first ??= proveAgain(this.#run)
      await this.#first
    }
    const [first, ...others] = this.#proved()
    if (first === undefined) throw noOrigin()
    const origin = others.reduce((best, hsmId) => (this.#count(hsmId) < this.#count(best) ? hsmId : best), first)
    this.#given.set(origin, this.#count(origin) + 1)
    return origin
  }

  #count(hsmId: HsmId): number {
    return this.#given.get(hsmId) ?? 0
  }

  #proved(): HsmId[] {
    const run = this.#run
    return run.roster
      .map((entry) => entry.hsmId)
      .filter((hsmId) => run.users.every((user) => run.provedNow(user.key, hsmId, 'new')))
  }
}

const proveAgain = async (run: RotationRun): Promise<HsmId> => {
  const hsmId = run.roster.map((entry) => entry.hsmId).find((candidate) => run.notNew(candidate).length === 0)
  if (hsmId === undefined) throw noOrigin()
  const refused = await proveCells(run, hsmId, run.users, 'new')
  if (refused.length === 0) return hsmId
  // It was proved before; whatever has changed it since, writing the same credential again is harmless.
  await changeCells(run, hsmId, refused, 'new')
  const again = await proveCells(run, hsmId, refused, 'new')
  if (again.length > 0) throw newRefused(run, hsmId, again)
  return hsmId
}

const noOrigin = (): Pause =>
  new Pause('NO_PROVED_ORIGIN', 'no HSM was seen in this run to hold the new credential of every user')
