import type { HeldLock } from '../../../domain/cluster-lock.js'
import { EXIT, OperatorError } from '../../../domain/errors.js'
import type { RotationId } from '../../../domain/ids.js'
import type { Journal } from '../../../domain/rotation/journal.js'
import { ledgerOf, type RotationLedger } from '../../../domain/rotation/ledger.js'
import { LoginBudget } from '../../../domain/rotation/login-budget.js'
import { type Rotation, rotationOf } from '../../../domain/rotation/rotation.js'
import { isOverOnHsms } from '../../../domain/rotation/way-back.js'
import type { ReopenPorts, RunOptions } from '../ports.js'
import { toPause } from '../run/pause.js'
import { RotationRun } from '../run/rotation-run.js'
import { recordPause } from '../run/run-procedure.js'
import { OfficerLogins } from '../sessions/officer-logins.js'
import { outwaitLateEffects } from '../survey/late-effects.js'
import { survey } from '../survey/survey.js'
import { credentialsOf, type GivenPasswords } from './credentials.js'
import { settleEarlierDebts } from './earlier-rotations.js'
import { RollbackRefused } from './rollback-refused.js'
import { leaveToNewer } from './superseded.js'

/** How an unfinished rotation is taken up again. */
export interface ReopenRequest extends GivenPasswords {
  readonly rotationId: RotationId
  readonly options: RunOptions
  readonly retryOfficer: boolean
  /** How long an HSM may take for a command, in milliseconds. */
  readonly commandMs: number
}

/** What is done with a rotation that was taken up. */
export interface Reopening {
  readonly direction: 'forward' | 'back'
  /**
   * Whether it may be done at all, from the journal alone.
   * @throws {OperatorError} exit 3
   */
  readonly refuse: (ledger: RotationLedger) => void
  readonly work: (run: RotationRun) => Promise<Rotation>
}

/**
 * Takes the locks and the journal of a rotation, makes sure that nothing of the earlier invocation is under way, and
 * proves the roster anew; then hands a run over to `work`. A rotation that is closed is returned as it is. Where it cannot
 * go on and has changed something it is paused with the reason.
 * @throws {OperatorError} where nothing has changed yet; what `refuse` throws; `LOCKED`
 */
export const reopenRotation = async (
  request: ReopenRequest,
  ports: ReopenPorts,
  { direction, refuse, work }: Reopening,
): Promise<Rotation> => {
  const before = ledgerOf((await ports.shelf.read(request.rotationId)).entries)
  refuse(before)
  const known = rotationOf(before)
  if (known.closed) return known
  const lock = await ports.locks.acquire(before.clusterIds, request.rotationId)
  try {
    await lock.name(request.rotationId)
    const { entries, journal } = await ports.shelf.reopen(request.rotationId)
    try {
      // Somebody else may have worked on it between the first look and the lock.
      const ledger = ledgerOf(entries)
      refuse(ledger)
      const now = rotationOf(ledger)
      if (now.closed) return now
      const goesBack = direction === 'back' || ledger.rollback !== null
      const rotation = await takeUp(request, ports, { journal, lock, ledger }, goesBack, work)
      await settleEarlierDebts(rotation, ports.shelf, ports.progress)
      return rotation
    } finally {
      await journal.close()
    }
  } finally {
    await lock.release()
  }
}

const takeUp = async (
  request: ReopenRequest,
  ports: ReopenPorts,
  held: { readonly journal: Journal; readonly lock: HeldLock; readonly ledger: RotationLedger },
  goesBack: boolean,
  work: (run: RotationRun) => Promise<Rotation>,
): Promise<Rotation> => {
  const { ledger } = held
  const { options } = request
  const runWith = (credentials: RotationRun['parts']['credentials']) =>
    new RotationRun({
      ...ports,
      ...held,
      options,
      goesBack,
      credentials,
      budget: new LoginBudget(ports.lockoutLimit, ports.refusedLogins),
      officerLogins: new OfficerLogins(),
    })
  let run = runWith({ new: new Map(), current: new Map() })
  try {
    await run.record({ type: 'resumed', operator: ports.who })
    await leaveToNewer(run, ports.shelf)
    if (rotationOf(ledger).closed) return run.rotation()
    const {
      replacesLost = false,
      currentLost = false,
      ...credentials
    } = await credentialsOf(ledger, request, ports, goesBack)
    run = runWith(credentials)
    if (replacesLost) await beginAnew(run)
    if (currentLost) await goByCopies(run)
    if (!goesBack || !isOverOnHsms(ledger)) await survey(run, request, ports)
    // With the lock whoever comes next would start while it takes effect.
    else await outwaitLateEffects(ledger, ports.leftovers, request.commandMs, ports.clock, ports.progress)
    return await work(run)
  } catch (error) {
    if (!mayBePaused(error, ledger.hasChanged)) throw error
    const { stage } = run.rotation()
    return recordPause(run, stage, error)
  }
}

const beginAnew = async (run: RotationRun): Promise<void> => {
  const { store, ledger } = run.parts
  await run.record({ type: 'accepted', what: 'another-credential' })
  run.notice(
    `${store.description} has lost the new credential of ${ledger.facts.rotationId}: every HSM is given the one that is given now`,
  )
}

const goByCopies = async (run: RotationRun): Promise<void> => {
  await run.record({ type: 'current-lost' })
  run.notice(
    `${run.parts.store.description} does not hold the proved current credential any more: what goes back goes by ${run.words.copy}`,
  )
}

/** A refusal says that nothing has changed; where that is not so, it is a pause. A rollback may be refused all the same. */
const mayBePaused = (error: unknown, hasChanged: boolean): boolean => {
  if (!(error instanceof OperatorError)) return toPause(error, false) !== null
  return error.exitCode === EXIT.refused && hasChanged && !(error instanceof RollbackRefused)
}
