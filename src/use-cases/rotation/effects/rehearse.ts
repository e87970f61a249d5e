import type { Answer } from '../../../domain/hsm-console.js'
import { userKey } from '../../../domain/hsm-user.js'
import type { UnitId } from '../../../domain/ids.js'
import type { CopyVerdict } from '../../../domain/rotation/journal-entry.js'
import type { Propagation } from '../../../domain/rotation/plan.js'
import { copiesImpossible, rehearsalOrigin, wayBackOf } from '../../../domain/rotation/way-back.js'
import { copyUsers, verdictOf } from '../cells/copy.js'
import { type FailedAnswer, Pause, pauseAfter } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'
import { refuseOtherChanges } from '../survey/listing-comparison.js'
import { advising } from '../survey/unreachable.js'

/**
 * Copies the unchanged users to the canary. It shows whether the copy overwrites or refuses while nothing is new yet, and
 * so which way back there will be. The origin is a sibling of the canary where there is one: what it holds more likely
 * stands there already.
 */
export const rehearse = (run: RotationRun): Promise<void> => advising(run, () => rehearseCopy(run))

const rehearseCopy = async (run: RotationRun): Promise<void> => {
  const { options } = run.parts
  const { byCurrent } = wayBackOf(run.ledger)
  const { copies } = run.ledger
  if (copies !== null) return settleOnChange(run, copies.verdict, copies.evidence)
  const impossible = copiesImpossible(run.plan) ?? hasOtherIds(run)
  if (impossible !== null) return settleOnChange(run, 'unused', impossible)
  if (options.propagate === 'change' && byCurrent) {
    await run.record({ type: 'copies', verdict: 'unused', evidence: `${run.words.copy} is not used in this rotation` })
    await run.record({ type: 'propagation', method: 'change', evidence: 'asked for' })
    return
  }
  const evidence = await tryCopy(run)
  if (evidence === null) return
  await run.record({ type: 'copies', verdict: 'accepted', evidence })
  if (options.propagate === 'change') await run.record({ type: 'propagation', method: 'change', evidence: 'asked for' })
}

/** Why no copy tells anything of the rest any more: somebody has made a user anew where it would be copied from, or to. */
const hasOtherIds = (run: RotationRun): string | null => {
  const units = [rehearsalOrigin(run.plan, (unitId) => canBeCopied(run, unitId)), run.plan.parts.canary]
  const made = run.users.find(({ key }) => units.some((unitId) => run.hasOtherId(unitId, key)))
  return made === undefined ? null : `${made.key} has another ID on some HSM than planned, and a copy may match by ID`
}

/** @returns what showed that copies are taken; null where the rotation goes on by changes */
const tryCopy = async (run: RotationRun): Promise<string | null> => {
  const { canary } = run.plan.parts
  // A copy is a write as well: a user that is logged in there would refuse it.
  await run.beforeChange()
  const { users } = run
  const from = rehearsalOrigin(run.plan, (unitId) => canBeCopied(run, unitId))
  const report = await copyUsers(run, {
    from: () => from,
    to: canary,
    users,
    credential: 'current',
    rehearsal: true,
    compare: true,
  })
  refuseOtherChanges(run, canary, report.looks, users)
  for (const [user, answer] of report.answers) {
    if (answer.kind === 'done') continue
    if (isNoObstacle(run, answer)) {
      await settleOnChange(run, verdictOf(answer), `${run.words.copy} refused ${user} on ${canary}: "${answer.text}"`)
      return null
    }
    const pause = pauseAfter(`${run.words.copy} of ${user}, as it was`, run.name(canary), answer)
    throw new Pause(pause.code, pause.message, adviceFor(run, answer, pause))
  }
  return `${run.words.copy} of ${users.map(userKey).join(', ')} reported success on ${canary}`
}

/** Whether every user is there to be copied, as far as was seen. */
const canBeCopied = (run: RotationRun, unitId: UnitId): boolean =>
  run.units.includes(unitId) &&
  run.servers(unitId).every(({ hsmId }) => run.users.every(({ key }) => run.ledger.cell(key, hsmId).state === 'old'))

/**
 * Whether a failed copy is no obstacle. Where the utility does not say why it refuses, a masking key may be wrong and the
 * password must not be sprayed over HSMs of others: only an operator who wants changes anyhow has ruled that out, or a
 * login with the current password on every HSM.
 */
const isNoObstacle = (
  run: RotationRun,
  answer: FailedAnswer,
): answer is Extract<Answer, { kind: 'refused' | 'unclear' }> => {
  if (answer.kind === 'refused' && answer.reason === 'user-exists') return true
  const { propagate } = run.parts.options
  const isProvedEverywhere = run.ledger
    .cells()
    .every(({ proof, state }) => proof === 'login-current' || state === 'absent')
  if (answer.kind === 'refused' && answer.reason === 'copy-refused') return propagate === 'change' || isProvedEverywhere
  if (answer.kind === 'refused' && answer.reason === 'inconsistent') return propagate === 'change'
  return answer.kind === 'unclear' && answer.partly === true && propagate === 'change'
}

const adviceFor = (run: RotationRun, answer: FailedAnswer, { suggestions }: Pause): readonly string[] => {
  if (answer.kind === 'refused' && answer.reason === 'inconsistent') {
    return [
      ...suggestions,
      'where it is locked on some of them, a change unlocks it: resume with --propagate change, and --current-password to keep a way back',
    ]
  }
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

/**
 * Goes on by changes, where something can give the old credential back or the operator does without.
 * @throws {Pause} `SYNC_REFUSED`, `NO_WAY_BACK`
 */
const settleOnChange = async (run: RotationRun, verdict: CopyVerdict, evidence: string): Promise<void> => {
  const { options } = run.parts
  const { ledger } = run
  if (ledger.copies === null) await run.record({ type: 'copies', verdict, evidence })
  if (options.propagate === 'sync') refuseChange(evidence)
  const { byCurrent, bySync } = wayBackOf(ledger)
  if (!byCurrent && !bySync && !ledger.acceptedNoWayBack) {
    if (!options.acceptNoWayBack) {
      throw new Pause('NO_WAY_BACK', `${evidence}; without the current credential there would be no way back`, [
        'give the current credential with --current-password',
        'or accept it with --accept-no-way-back',
      ])
    }
    await run.record({ type: 'accepted', what: 'no-way-back' })
  }
  if (ledger.propagation !== null) return
  await settlePropagation(run, 'change', evidence)
}

/** @throws {Pause} `SYNC_REFUSED` */
export const refuseChange = (evidence: string): never => {
  throw new Pause('SYNC_REFUSED', evidence, ['resume with --propagate auto to change the password everywhere instead'])
}

/** Writes down how the rest gets the new credential, and says so where it is not the usual way. */
export const settlePropagation = async (run: RotationRun, method: Propagation, evidence: string): Promise<void> => {
  await run.record({ type: 'propagation', method, evidence })
  if (method === 'change') run.notice(`propagating by ${run.words.change}: ${evidence}`)
}
