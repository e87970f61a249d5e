import type { Clock } from '../../../domain/clock.js'
import type { LeftoverProcesses } from '../../../domain/leftover-processes.js'
import type { RotationLedger } from '../../../domain/rotation/ledger.js'
import type { Progress } from '../../../domain/rotation/progress.js'

/**
 * Makes sure that nothing an earlier invocation sent can still take effect: its utilities are gone, and the longest
 * time a command may take has passed since the last one that was never answered. A utility that had to be ended counts
 * from its end: it may have tried again up to then.
 * @param commandMs how long an HSM may take for a command, in milliseconds
 */
export const outwaitLateEffects = async (
  { unanswered, capabilities }: Pick<RotationLedger, 'unanswered' | 'capabilities'>,
  leftovers: LeftoverProcesses,
  commandMs: number,
  clock: Clock,
  progress: Progress,
): Promise<void> => {
  const writes = unanswered.filter(({ intent }) => intent.act !== 'login')
  const processes = new Map(unanswered.map(({ process }) => [process.pid, process]))
  const patienceMs = capabilities.mayEndWrite ? 0 : commandMs
  const begun = clock.now().getTime()
  await Promise.all([...processes.values()].map((process) => leftovers.end(process, patienceMs)))
  const gone = clock.now().getTime()
  const hadToBeEnded = patienceMs > 0 && gone - begun >= patienceMs
  const last = Math.max(0, hadToBeEnded ? gone : 0, ...writes.map(({ at }) => Date.parse(at)))
  const rest = last + commandMs - clock.now().getTime()
  if (rest <= 0) return
  progress({
    kind: 'notice',
    text: `waiting ${Math.ceil(rest / 1000)} s: a command that was not answered, or not by every HSM, could still take effect`,
  })
  await clock.wait(rest)
}
