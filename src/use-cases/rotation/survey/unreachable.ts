import { ConsoleFailure } from '../../../domain/hsm-console.js'
import type { ClusterId, HsmId, UnitId } from '../../../domain/ids.js'
import type { RosterEntry } from '../../../domain/roster.js'
import type { CellRef } from '../../../domain/rotation/cell.js'
import { describeFailure, Pause, throwTogether } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'
import { inLanes } from '../sessions/in-session.js'

/**
 * Writes down which HSMs could not be reached, where that is what failed; they are out of sight until they are seen again.
 */
export const noteUnreachable = async (run: RotationRun, failure: ConsoleFailure): Promise<void> => {
  if (!failure.isOutOfReach) return
  const perhaps = failure.someOf ? ({ perhaps: true } as const) : {}
  for (const hsmId of failure.hsmIds) {
    await run.record({ type: 'unreachable', hsmId, reason: failure.message, ...perhaps })
  }
}

/**
 * What is to be done where it is not seen which HSM does not answer.
 * @param mayStay whether the command takes `--allow-unreachable`
 */
export const untoldAdvice = (mayStay: boolean): readonly string[] => [
  'which one it is: the metric HsmUnhealthy in CloudWatch (AWS/CloudHSM) by HSM, and lockstep clusters list   shows the state AWS reports',
  `then have AWS delete it, or have this machine refuse connections to its address, so that it is seen to be out of reach${
    mayStay ? ': --allow-unreachable HSM --reason TEXT then goes on without it alone' : ''
  }`,
  'a cloudhsm-cli that takes --config lets each HSM be asked alone, and so shows which one it is',
]

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

/**
 * Does `work`, and says what is to be done where it is not seen which HSM kept it from that.
 * @throws {Pause} `HSM_SILENT`
 */
export const advising = async <T>(run: RotationRun, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ConsoleFailure && error.someOf)) throw error
    await noteUnreachable(run, error)
    const { code, message, suggestions } = describeFailure(error, run.goesBack)
    throw new Pause(code, message, [...untoldAdvice(!run.goesBack), ...suggestions])
  }
}

/** As `onEach`, and leaves it to the caller what the failures mean. */
export const failuresOnEach = async (
  run: RotationRun,
  units: readonly UnitId[],
  work: (unitId: UnitId) => Promise<void>,
): Promise<readonly unknown[]> => {
  const failures: unknown[] = []
  await inLanes(units, run.parts.concurrency, async (unitId) => {
    try {
      await advising(run, () => work(unitId))
    } catch (error) {
      failures.push(error)
      if (error instanceof ConsoleFailure) await noteUnreachable(run, error)
    }
  })
  return failures
}
