import type { UnitId } from '../../../domain/ids.js'
import type { PlannedUser } from '../../../domain/rotation/plan.js'
import { Pause } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'

/**
 * Users that may be written on this unit, and those that are withheld because somebody else has written their cell, or has
 * registered there what a write drops.
 */
export const byConsent = (
  run: RotationRun,
  unitId: UnitId,
  users: readonly PlannedUser[],
): { readonly free: readonly PlannedUser[]; readonly withheld: readonly PlannedUser[] } => {
  const isWithheld = (user: PlannedUser) =>
    run.parts.options.overwriteOther !== true &&
    run
      .servers(unitId)
      .some(({ hsmId }) => run.ledger.isOther(user.key, hsmId) || run.ledger.isRegistered(user.key, hsmId))
  return { free: users.filter((user) => !isWithheld(user)), withheld: users.filter(isWithheld) }
}

/**
 * Called for every write. Where somebody else has written a cell, the operator has to want it; then the journal says so.
 * @throws {Pause} `OTHER_CREDENTIAL`, `USER_HAS_REGISTRATION`
 */
export const agreeToWrite = async (run: RotationRun, unitId: UnitId, users: readonly PlannedUser[]): Promise<void> => {
  refuseWithheld(run, unitId, byConsent(run, unitId, users).withheld)
  for (const { key: user } of users) {
    for (const { hsmId } of run.servers(unitId)) {
      if (run.ledger.isRegistered(user, hsmId)) run.notice(`${user} on ${hsmId} loses its second factor or quorum key`)
      if (!run.ledger.isOther(user, hsmId)) continue
      await run.record({ type: 'other-overwritten', user, hsmId })
      run.notice(`${user} on ${hsmId} was changed by somebody else and is overwritten`)
    }
  }
}

/** @throws {Pause} `OTHER_CREDENTIAL`, `USER_HAS_REGISTRATION` unless there are none */
export const refuseWithheld = (run: RotationRun, unitId: UnitId, withheld: readonly PlannedUser[]): void => {
  if (withheld.length === 0) return
  const names = withheld.map((user) => user.key).join(', ')
  const isRegistered = withheld.some(({ key }) =>
    run.servers(unitId).some(({ hsmId }) => run.ledger.isRegistered(key, hsmId)),
  )
  if (isRegistered) {
    throw new Pause(
      'USER_HAS_REGISTRATION',
      `on ${run.name(unitId)} a second factor or a quorum key was registered for ${names} since, which the write would drop: it is left alone`,
      [
        'find out who registered it; once an officer has taken it off, resume',
        'to drop it, add --overwrite-other to rotate resume or rotate rollback',
      ],
    )
  }
  const isSure = withheld.some(({ key }) =>
    run.servers(unitId).some(({ hsmId }) => run.ledger.cell(key, hsmId).state === 'other'),
  )
  const why = isSure
    ? 'somebody else has changed it'
    : 'somebody else has unlocked or made the user there, or it refused what was typed for the current one'
  throw new Pause(
    'OTHER_CREDENTIAL',
    `${run.name(unitId)} ${isSure ? 'holds' : 'may hold'} another password for ${names} than this rotation knows: ${why}, and it is left alone`,
    ['find out who changed it and why', 'to overwrite it, add --overwrite-other to rotate resume or rotate rollback'],
  )
}
