import { ConsoleFailure } from '../../../domain/hsm-console.js'
import type { ClusterId, HsmId, UnitId } from '../../../domain/ids.js'
import type { RosterEntry } from '../../../domain/roster.js'
import type { CellRef } from '../../../domain/rotation/cell.js'
import { throwTogether } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'
import { inLanes } from '../sessions/in-session.js'

/**
 * Writes down which HSMs could not be reached, where that is what failed; they are out of sight until they are seen again.
 */
export const noteUnreachable = async (run: RotationRun, failure: ConsoleFailure): Promise<void> => {
  if (failure.kind !== 'unreachable') return
  for (const hsmId of failure.hsmIds) await run.record({ type: 'unreachable', hsmId, reason: failure.message })
}

/** HSMs out of sight, but for those a rollback goes on without, that have a cell on which something is left to do. */
export const awayWithWork = (
  { plan, ledger, users }: RotationRun,
  isLeft: (cell: CellRef) => boolean,
): readonly RosterEntry[] =>
  plan.roster.filter(
    ({ hsmId }) =>
      !ledger.isInSight(hsmId) && !ledger.owedBack.has(hsmId) && users.some(({ key: user }) => isLeft({ user, hsmId })),
  )

/** Whether no HSM of a cluster is in sight. */
export const isClusterAway = ({ plan, ledger }: RotationRun, clusterId: ClusterId): boolean =>
  plan.roster.every((server) => server.clusterId !== clusterId || !ledger.isInSight(server.hsmId))

/**
 * Makes a debt of an HSM that the operator lets stay behind.
 * @param how it stays, in words: `stays behind for now`
 */
export const leaveBehind = async (run: RotationRun, hsmId: HsmId, how: string): Promise<void> => {
  const { reason } = run.parts.options.mayStayBehind
  await run.record({ type: 'debt', debt: { hsmId, reason } })
  run.notice(`${hsmId} ${how}: ${reason}`)
}

/**
 * Does `work` on several units in parallel lanes. A lane that fails leaves the others running; then the run pauses and
 * names every unit that failed.
 */
export const onEach = async (
  run: RotationRun,
  units: readonly UnitId[],
  work: (unitId: UnitId) => Promise<void>,
): Promise<void> => throwTogether(await failuresOnEach(run, units, work), run.goesBack)

/** As `onEach`, and leaves it to the caller what the failures mean. */
export const failuresOnEach = async (
  run: RotationRun,
  units: readonly UnitId[],
  work: (unitId: UnitId) => Promise<void>,
): Promise<readonly unknown[]> => {
  const failures: unknown[] = []
  await inLanes(units, run.parts.concurrency, async (unitId) => {
    try {
      await work(unitId)
    } catch (error) {
      failures.push(error)
      if (error instanceof ConsoleFailure) await noteUnreachable(run, error)
    }
  })
  return failures
}
