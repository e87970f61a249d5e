import { OperatorError } from '../../../domain/errors.js'
import { ConsoleFailure } from '../../../domain/hsm-console.js'
import type { HsmId } from '../../../domain/ids.js'
import { oneLine } from '../../../domain/rotation/outcome.js'
import { currentRow, type Effect, procedureOf, type Row } from '../../../domain/rotation/procedure.js'
import type { Rotation } from '../../../domain/rotation/rotation.js'
import type { Stage } from '../../../domain/rotation/stage.js'
import { canary } from '../effects/canary.js'
import { change } from '../effects/change.js'
import { discard } from '../effects/discard.js'
import { finalize, tellApplications } from '../effects/finalize.js'
import { giveJoined } from '../effects/give-joined.js'
import { payDebts } from '../effects/pay-debts.js'
import { prove } from '../effects/prove.js'
import { rehearse } from '../effects/rehearse.js'
import { askCells, repairCells } from '../effects/repair.js'
import { restore } from '../effects/restore.js'
import { restoreOwed } from '../effects/restore-owed.js'
import { restorePoint } from '../effects/restore-point.js'
import { spread } from '../effects/spread.js'
import { storePending } from '../effects/store-pending.js'
import { verify } from '../effects/verify.js'
import { verifyBack } from '../effects/verify-back.js'
import { noteUnreachable } from '../survey/unreachable.js'
import { lookWhereUnseen } from '../survey/unseen-regions.js'
import { flagsAgainst, Pause, toPause, withOthersAway } from './pause.js'
import type { RotationRun } from './rotation-run.js'

/** What each row does. Each begins where an earlier run may have left it: what is proved is not done again. */
const EFFECTS: Record<Effect, (run: RotationRun) => Promise<void>> = {
  'store-pending': storePending,
  rehearse,
  change,
  prove,
  canary,
  spread,
  verify,
  'restore-point': restorePoint,
  finalize,
  'tell-applications': tellApplications,
  restore,
  'restore-owed': restoreOwed,
  'verify-back': verifyBack,
  discard,
  'give-joined': giveJoined,
  'pay-debts': payDebts,
  'ask-cells': askCells,
  'repair-cells': repairCells,
}

/** How often one row is begun in one invocation: what one does may be undone by what is seen in another. */
const MOST_TRIES = 3

/**
 * Takes a rotation from the first row of its procedure that is not done to the end, or to a pause.
 * @throws {Error} only for faults of the program; everything the operator can put right is a pause
 */
export const runProcedure = async (run: RotationRun): Promise<Rotation> => {
  const tries = new Map<Row, number>()
  const { pauseBefore } = run.parts.options
  const isAsked = pauseFrom(run, pauseBefore)
  for (let row = currentRow(run.ledger); row !== null; row = currentRow(run.ledger)) {
    const times = (tries.get(row) ?? 0) + 1
    tries.set(row, times)
    if (times > 1 && row.otherwise === 'debt') break
    try {
      if (isAsked(row)) throw new Pause('PAUSED_AS_ASKED', `paused before ${pauseBefore}, as asked`)
      if (times > MOST_TRIES) throw notDone(run, row)
      await doRow(run, row)
    } catch (error) {
      return recordPause(run, row.stage, error)
    }
  }
  const { outcome } = run.rotation()
  if (outcome !== 'paused') {
    await finish(run).catch((error) => {
      if (!isUnwritable(error)) throw error
      run.notice((error as Error).message)
    })
  }
  return run.rotation()
}

const finish = async (run: RotationRun): Promise<void> => {
  const { progress, discoverUnseen } = run.parts
  await lookWhereUnseen(run.ledger, { discoverUnseen, progress, record: (event) => run.record(event) })
  const { outcome } = run.rotation()
  // A marker for people: what it says is computed from the lines before it.
  if (outcome !== 'paused') await run.record({ type: 'finished', outcome })
}

const doRow = async (run: RotationRun, row: Row): Promise<void> => {
  const { progress } = run.parts
  const { stage } = row
  run.stopIfAsked()
  progress({ kind: 'stage-started', stage, steps: stepsOf(run, row) })
  run.finishesRow = !row.mayBeInterrupted
  await EFFECTS[row.effect](run)
  run.finishesRow = false
  if (!row.isDone(run.ledger)) {
    if (row.otherwise === 'debt') return progress({ kind: 'stage-completed', stage })
    throw notDone(run, row)
  }
  await run.record({ type: 'stage-completed', stage })
  progress({ kind: 'stage-completed', stage })
}

/**
 * Whether a row is the first one to be done from the stage on that the operator wants to pause before. A stage that lies
 * behind when the invocation begins is not paused before any more.
 */
const pauseFrom = ({ ledger }: RotationRun, pauseBefore: Stage | null): ((row: Row) => boolean) => {
  const procedure = procedureOf(ledger)
  const wanted = procedure.findIndex(({ stage }) => stage === pauseBefore)
  const begun = procedure.findIndex((row) => !row.isDone(ledger))
  if (wanted < 0 || begun < 0 || begun > wanted) return () => false
  return (row) => procedure.indexOf(row) >= wanted
}

/** The HSMs, asked again, do not show what the row was to bring about. */
const notDone = (run: RotationRun, { stage }: Row): Pause =>
  new Pause('STAGE_NOT_DONE', `${stage} did not come to its end: ${oneLine(run.ledger.cells())}`, [
    `lockstep rotate status --rotation ${run.ledger.facts.rotationId}   shows how every HSM stands`,
  ])

/**
 * Writes down why a run stops here. Faults of the program pass through.
 * @param underWay null where every stage is completed, and what is owed cannot be given
 */
export const recordPause = async (run: RotationRun, underWay: Stage | null, error: unknown): Promise<Rotation> => {
  const paused = toPause(error, run.goesBack)
  if (paused === null) throw error
  const pause = withOthersAway(paused, awayBeside(run, paused.away), run.plan.roster, run.goesBack)
  const { code, message } = pause
  const resume = `lockstep rotate resume --rotation ${run.ledger.facts.rotationId}`
  // What only a newer run may give is not given by this one, however often it is resumed.
  const isLeft = code === 'DEBT_SUPERSEDED' && run.rotation().outcome !== 'paused'
  const isNamed = pause.suggestions.some((one) => one.startsWith(resume))
  // No store keeps what a repair was told that its origin holds.
  const isTyped = run.ledger.facts.procedure === 'repair' && run.ledger.facts.newCredential === 'given'
  const flags = `${flagsAgainst(code)}${isTyped && !run.goesBack ? ' --new-password SECRET' : ''}`
  const suggestions = [...new Set([...pause.suggestions, ...(isLeft || isNamed ? [] : [`${resume}${flags}`])])]
  const stage = underWay ?? 'finalize'
  if (underWay !== null) run.parts.progress({ kind: 'stage-paused', stage, message })
  const told = { stage, code, message, suggestions }
  try {
    if (error instanceof ConsoleFailure) await noteUnreachable(run, error)
    await run.record({ type: 'paused', ...told })
    return run.rotation()
  } catch (failure) {
    // A journal that cannot be written must not hide why the run stopped.
    if (!isUnwritable(failure)) throw failure
    return { ...run.rotation(), pause: told }
  }
}

/** HSMs of the same clusters that nobody could reach when they were asked last, and that are no debts. */
const awayBeside = ({ ledger }: RotationRun, away: readonly HsmId[]): readonly HsmId[] => {
  const clusterOf = (hsmId: HsmId) => ledger.plan.roster.find((server) => server.hsmId === hsmId)?.clusterId
  const clusters = away.map(clusterOf)
  const cells = ledger.cells().filter(({ state, clusterId }) => state === 'unreachable' && clusters.includes(clusterId))
  return [...new Set(cells.map(({ hsmId }) => hsmId))].filter((hsmId) => !ledger.debts.has(hsmId))
}

const isUnwritable = (error: unknown): boolean => error instanceof OperatorError && error.code === 'JOURNAL_UNWRITABLE'

/** How many units report a step in this row; 0 where it is done as a whole. */
const stepsOf = (run: RotationRun, { effect }: Row): number => {
  if (effect === 'spread') return run.plan.parts.waves.reduce((sum, wave) => sum + wave.units.length, 0)
  if (effect === 'verify') return run.units.length
  return 0
}
