import type { UnitId } from '../../domain/ids.js'
import { changeCells, newRefused, proveCells } from './cell-work.js'
import { Pause } from './pause.js'
import type { RotationRun } from './rotation-run.js'

/**
 * Hands out units to copy the new credential from. Only one whose HSMs were all seen in this invocation to hold it for
 * every user is an origin; where there is none yet, one that an earlier invocation proved has to show it again. The
 * work of extracting is spread: an HSM does one thing at a time, and every unit that was proved becomes an origin.
 */
export class Origins {
  readonly #run: RotationRun
  readonly #given = new Map<UnitId, number>()
  #first: Promise<UnitId> | null = null

  constructor(run: RotationRun) {
    this.#run = run
  }

  /**
   * The origin that was given out least often.
   * @throws {Pause} `NO_PROVED_ORIGIN`, or why the one that was proved before does not hold it any more
   */
  async next(): Promise<UnitId> {
    await this.ensure()
    const [first, ...others] = this.#proved()
    if (first === undefined) throw noOrigin()
    const origin = others.reduce((best, unitId) => (this.#count(unitId) < this.#count(best) ? unitId : best), first)
    this.#given.set(origin, this.#count(origin) + 1)
    return origin
  }

  /** Sees to it that there is one. @throws {Pause} as `next` does */
  async ensure(): Promise<void> {
    if (this.#proved().length > 0) return
    this.#first ??= proveAgain(this.#run)
    await this.#first
  }

  #count(unitId: UnitId): number {
    return this.#given.get(unitId) ?? 0
  }

  #proved(): UnitId[] {
    const run = this.#run
    return run.units.filter((unitId) => run.provedEverywhere(unitId))
  }
}

const proveAgain = async (run: RotationRun): Promise<UnitId> => {
  // The only ones that held it may stay behind now, or gave it up to a rollback that stopped before it began.
  const { first, restorePoint } = run.plan.parts
  const unitId =
    run.units.find((candidate) => run.notNew(candidate).length === 0) ??
    [first, ...run.units].find((candidate) => candidate !== restorePoint && run.units.includes(candidate))
  if (unitId === undefined) throw noOrigin()
  await changeCells(run, unitId, run.notNew(unitId), 'new')
  const refused = await proveCells(run, unitId, run.users, 'new')
  if (refused.length === 0) return unitId
  // It was proved before; whatever has changed it since, writing the same credential again is harmless.
  await changeCells(run, unitId, refused, 'new')
  const again = await proveCells(run, unitId, refused, 'new')
  if (again.length > 0) throw newRefused(run, unitId, again)
  return unitId
}

const noOrigin = (): Pause =>
  new Pause('NO_PROVED_ORIGIN', 'nothing was seen in this run to hold the new credential of every user')
