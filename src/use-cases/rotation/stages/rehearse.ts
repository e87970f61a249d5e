import type { Answer } from '../../../domain/hsm-console.js'
import { userKey } from '../../../domain/hsm-user.js'
import { type Propagation, sameHsmType } from '../../../domain/rotation/plan.js'
import { syncCells } from '../cell-work.js'
import { refusedPause } from '../hsm-work.js'
import { refuseOtherChanges } from '../listing-comparison.js'
import { Pause } from '../pause.js'
import type { RotationRun } from '../rotation-run.js'

/**
 * Copies the unchanged users from the source to the canary. It shows whether the copy overwrites or refuses while
 * nothing is new yet, and so which way back there will be.
 */
export const rehearse = async (run: RotationRun): Promise<void> => {
  const { plan } = run
  const { options, credentials } = run.parts
  const byCurrent = credentials.current.size > 0
  const different = run.users.filter((user) => !user.idsAgree).map((user) => user.key)
  if (different.length > 0) {
    return settleOnChange(
      run,
      `${different.join(', ')} has different IDs on the HSMs, and syncUser may match by ID`,
      byCurrent,
    )
  }
  if (!sameHsmType(plan)) {
    return settleOnChange(
      run,
      'the clusters consist of different HSM types, which do not copy users to each other',
      byCurrent,
    )
  }
  if (options.propagate === 'change' && byCurrent) {
    await run.record({
      type: 'way-back',
      bySync: false,
      byCurrent,
      evidence: `${run.words.copy} is not used in this rotation`,
    })
    await run.record({ type: 'propagation', method: 'change', evidence: 'asked for' })
    return
  }
  const { first, canary } = plan.parts
  // A copy is a write as well: a user that is logged in there would refuse it.
  await run.beforeChange()
  const cells = { from: () => first, to: canary, users: run.users }
  const report = await syncCells(run, cells, 'current', { rehearsal: true, compare: true })
  refuseOtherChanges(run, canary, report, run.users)
  for (const [user, answer] of report.answers) {
    if (answer.kind === 'done') continue
    if (isNoObstacle(answer, options.propagate)) {
      return settleOnChange(run, `${run.words.copy} refused ${user} on ${canary}: "${answer.text}"`, byCurrent)
    }
    const pause = refusedPause(`${run.words.copy} of ${user}, as it was`, run.name(canary), answer)
    throw new Pause(pause.code, pause.message, suggestionsFor(run, answer, pause))
  }
  const evidence = `${run.words.copy} of ${run.users.map(userKey).join(', ')} reported success on ${canary}`
  await run.record({ type: 'way-back', bySync: true, byCurrent, evidence })
  if (options.propagate === 'change') await run.record({ type: 'propagation', method: 'change', evidence: 'asked for' })
}

type Failed = Exclude<Answer, { kind: 'done' }>

/**
 * Whether a failed copy is no obstacle. `user replicate` does not say why it is refused, everywhere or on some HSMs: only an
 * operator who wants changes anyhow has ruled out that the users differ.
 */
const isNoObstacle = (answer: Failed, propagate: 'auto' | Propagation): boolean => {
  if (answer.kind === 'refused' && answer.reason === 'user-exists') return true
  if (propagate !== 'change') return false
  return answer.kind === 'refused' ? answer.reason === 'replicate-refused' : answer.partly === true
}

const suggestionsFor = (run: RotationRun, answer: Failed, { suggestions }: Pause): readonly string[] => {
  if (answer.kind === 'refused') return suggestions
  if (answer.partly === true) {
    return [
      ...suggestions,
      'if it stays so, the HSMs may hold different passwords: resume with --propagate change, and --current-password to keep a way back',
    ]
  }
  if (!officersDiffer(run)) return suggestions
  return [
    `the clusters have different officers, and AWS does not say whether ${run.words.copy} works then: resume with --propagate change and --current-password`,
  ]
}

const officersDiffer = ({ plan, parts }: RotationRun): boolean =>
  new Set(plan.roster.map(({ clusterId }) => parts.officerOf(clusterId).user.name.toLowerCase())).size > 1

const settleOnChange = async (run: RotationRun, evidence: string, byCurrent: boolean): Promise<void> => {
  const { options } = run.parts
  await run.record({ type: 'way-back', bySync: false, byCurrent, evidence })
  if (options.propagate === 'sync') {
    throw new Pause('SYNC_REFUSED', evidence, [
      'resume with --propagate auto to change the password everywhere instead',
    ])
  }
  if (!byCurrent && !options.acceptNoWayBack) {
    throw new Pause('NO_WAY_BACK', `${evidence}; without the current credential there would be no way back`, [
      'give the current credential with --current-password',
      'or accept it with --accept-no-way-back',
    ])
  }
  await run.record({ type: 'propagation', method: 'change', evidence })
  run.notice(`propagating by ${run.words.change}: ${evidence}`)
}
