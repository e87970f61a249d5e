import { refusal } from '../../../domain/errors.js'
import type { RosterEntry } from '../../../domain/roster.js'
import type { Progress } from '../../../domain/rotation/progress.js'
import { capabilitiesOf } from '../../../domain/utility/capabilities.js'
import type { UtilityName } from '../../../domain/utility/utility.js'

/**
 * A rotation that would need approvals is not begun: they hold for one login and one change each, and no run carries
 * them through yet.
 * @param approvals how many officers have to approve a change to users; null where the utility did not say
 * @throws {OperatorError} `QUORUM_REQUIRED`
 */
export const refuseQuorum = (
  utility: UtilityName,
  server: RosterEntry,
  approvals: number | null,
  progress: Progress,
): void => {
  if (approvals === null || approvals <= 1) {
    noticeQuorum(utility, server, approvals, progress)
    return
  }
  const { hsmId, region, clusterId } = server
  throw refusal(
    'QUORUM_REQUIRED',
    `${region}/${clusterId} (${hsmId}) has a quorum: ${approvals} officers have to approve each change of a password, which this version cannot carry through; nothing has changed`,
    [
      `change the password there by hand, with ${capabilitiesOf(utility).words.approval} and the signatures of ${approvals} officers`,
      'or rotate clusters of the family without a quorum and leave this one out: --leave-out CLUSTER',
    ],
  )
}

/** A rotation that was begun goes on where it can: a copy is not known to need approvals. */
export const noticeQuorum = (
  utility: UtilityName,
  server: RosterEntry,
  approvals: number | null,
  progress: Progress,
): void => {
  const { hsmId, region, clusterId } = server
  const where = `${region}/${clusterId} (${hsmId})`
  if (approvals === null) {
    progress({ kind: 'notice', text: `whether ${where} has a quorum could not be read` })
  } else if (approvals > 1) {
    progress({
      kind: 'notice',
      text: `${where} asks for ${approvals} approvals now; ${capabilitiesOf(utility).words.change} will be refused there`,
    })
  }
}
