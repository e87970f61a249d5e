import type { Clock } from '../../domain/clock.js'
import type { LeftoverProcesses } from '../../domain/leftover-processes.js'
import type { Progress } from '../../domain/rotation/progress.js'
import type { Rotation } from '../../domain/rotation/rotation.js'
import { UTILITY_WORDS } from '../../domain/utility.js'

/**
 * Makes sure that nothing an earlier invocation sent can still take effect: its utilities are gone, and the longest
 * time a command may take has passed since the last one that was never answered. A utility that had to be ended counts
 * from its end: it may have tried again up to then.
 * @param commandMs how long an HSM may take for a command, in milliseconds
 */
export const outwaitLateEffects = async (
  rotation: Rotation,
  leftovers: LeftoverProcesses,
  commandMs: number,
  clock: Clock,
  progress: Progress,
): Promise<void> => {
  const writes = rotation.unanswered.filter(({ intent }) => intent.act !== 'login')
  const processes = new Map(rotation.unanswered.map(({ process }) => [process.pid, process]))
  // cloudhsm-cli writes to several HSMs in one command, and half of one is worse than a late one.
  const patienceMs = UTILITY_WORDS[rotation.plan.utility].unit === 'cluster' ? commandMs : 0
  const begun = clock.now().getTime()
  await Promise.all([...processes.values()].map((process) => leftovers.end(process, patienceMs)))
  const gone = clock.now().getTime()
  const hadToBeEnded = patienceMs > 0 && gone - begun >= patienceMs
  const last = Math.max(0, hadToBeEnded ? gone : 0, ...writes.map(({ at }) => Date.parse(at)))
  const rest = last + commandMs - clock.now().getTime()
  if (rest <= 0) return
  progress({
    kind: 'notice',
    text: `waiting ${Math.ceil(rest / 1000)} s: a command that was never answered could still take effect`,
  })
  await clock.wait(rest)
}
