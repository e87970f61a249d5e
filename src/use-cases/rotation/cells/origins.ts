import type { UnitId } from '../../../domain/ids.js'
import type { PlannedUser } from '../../../domain/rotation/plan.js'
import { Pause } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'
import { changeUsers } from './change.js'
import { refusedAfterWrite } from './give.js'
import { prove } from './prove.js'
import { originLost } from './stuck-repair.js'

/**
 * Hands out units to copy the new credential from. Only one whose HSMs were all seen in this invocation to hold it is an
 * origin; where there is none yet, one that an earlier invocation proved has to show it again. The work of extracting is
 * spread: an HSM does one thing at a time, and every unit that was proved becomes an origin. A repair that copies from a
 * unit the operator named has that one alone.
 */
export class Origins {
  readonly #run: RotationRun
  readonly #given = new Map<UnitId, number>()
  #again: Promise<void> | null = null

  constructor(run: RotationRun) {
    this.#run = run
  }

  /**
   * The origin that was given out least often.
   * @param target what is copied to, which is never its own origin
   * @throws {Pause} `NO_PROVED_ORIGIN`, `ORIGIN_LOST`, or why the one that was proved before does not hold it any more
   */
  async next(users: readonly PlannedUser[], target: UnitId): Promise<UnitId> {
    await this.ready(users)
    const [first, ...others] = this.#proved(users).filter((unitId) => unitId !== target)
    if (first === undefined) throw noOrigin()
    const origin = others.reduce((best, unitId) => (this.#count(unitId) < this.#count(best) ? unitId : best), first)
    this.#given.set(origin, this.#count(origin) + 1)
    return origin
  }

  /**
   * What a repair copies from has nothing else to be given from, where nobody knows the password.
   * @throws {Pause} `ORIGIN_LOST`
   */
  refuseAsTarget(unitId: UnitId): void {
    const { from, newCredential } = this.#run.ledger.facts
    if (unitId === from && newCredential === 'unknown') throw originLost(this.#run, from)
  }

  /** Sees to it that there is an origin. The unit that had to show the credential again has been given it as well. */
  async ready(users: readonly PlannedUser[]): Promise<void> {
    if (this.#proved(users).length > 0) return
    this.#again ??= proveOriginsAgain(this.#run, users).finally(() => {
      this.#again = null
    })
    await this.#again
  }

  #count(unitId: UnitId): number {
    return this.#given.get(unitId) ?? 0
  }

  #proved(users: readonly PlannedUser[]): readonly UnitId[] {
    const run = this.#run
    const { from, newCredential } = run.ledger.facts
    if (from !== null && newCredential === 'unknown') {
      if (!hasOrigin(run, from)) throw originLost(run, from)
      return [from]
    }
    return run.units.filter(
      (unitId) =>
        run.isProvedNow(unitId, users) &&
        areOurs(run, unitId, users) &&
        !users.some(({ key }) => run.hasOtherId(unitId, key)),
    )
  }
}

/**
 * Whether users can be copied from where the operator said: it takes part, was not out of sight when it was met last, and
 * nothing was seen since that lets it hold anything else than it did.
 */
export const hasOrigin = (run: RotationRun, from: UnitId): boolean =>
  run.servers(from).some(({ hsmId }) => run.ledger.isInSight(hsmId)) &&
  run.notNew(from).length === 0 &&
  !run.users.some(({ key }) => run.hasOtherId(from, key))

const proveOriginsAgain = async (run: RotationRun, users: readonly PlannedUser[]): Promise<void> => {
  const unitId = bestOrigin(
    run,
    run.units.filter((candidate) => areOurs(run, candidate, users)),
    users,
  )
  if (unitId === undefined) throw noOrigin()
  const missing = users.filter((user) => run.notNew(unitId).includes(user))
  await changeUsers(run, unitId, missing, 'new')
  const refused = await prove(run, unitId, users, 'new')
  if (refused.length === 0) return
  // It was proved before; whatever has changed it since, writing the same credential again needs the operator's consent.
  await changeUsers(run, unitId, refused, 'new')
  const again = await prove(run, unitId, refused, 'new')
  if (again.length > 0) throw refusedAfterWrite(run, unitId, again, 'new')
}

/** The only ones that held it may stay behind now, or gave it up to a rollback that stopped before it began. */
const bestOrigin = (run: RotationRun, units: readonly UnitId[], users: readonly PlannedUser[]): UnitId | undefined => {
  const { first, restorePoint } = run.plan.parts
  const [from] = run.ledger.facts.from === null ? [] : [run.ledger.facts.from]
  if (from !== undefined && units.includes(from)) return from
  const holding = units.filter((candidate) => run.notNew(candidate).every((user) => !users.includes(user)))
  const isAsPlanned = (candidate: UnitId) => !users.some(({ key }) => run.hasOtherId(candidate, key))
  const held = holding.find(isAsPlanned) ?? holding[0]
  if (held !== undefined) return held
  const isRepair = run.ledger.facts.procedure === 'repair'
  const candidates = [first, ...units].filter(
    (candidate) => units.includes(candidate) && (isRepair || candidate !== restorePoint),
  )
  return candidates.find((candidate) => hasEveryUser(run, candidate)) ?? candidates[0]
}

const areOurs = (run: RotationRun, unitId: UnitId, users: readonly PlannedUser[]): boolean =>
  users.every((user) => run.isOurs(user, unitId))

const hasEveryUser = (run: RotationRun, unitId: UnitId): boolean =>
  run.servers(unitId).every(({ hsmId }) => run.users.every(({ key }) => !run.ledger.mayBeAbsent(key, hsmId)))

const noOrigin = (): Pause =>
  new Pause('NO_PROVED_ORIGIN', 'nothing was seen in this run to hold the new credential of every user')
