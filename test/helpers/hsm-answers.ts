import { refusalIn } from '../../src/adapters/utilities/cmu/screens/command-result.js'
import type { Answer } from '../../src/domain/hsm-console.js'
import type { HsmUser } from '../../src/domain/hsm-user.js'
import type { HsmReply } from '../../src/simulator/hsm/status.js'
import type { User } from '../../src/simulator/hsm/user.js'

/** What an HSM of the simulator replied, as the product reads its words. */
export const answerTo = (reply: HsmReply<object>): Answer => {
  if (reply.ok) return { kind: 'done' }
  const { text } = reply.status
  const refusal = refusalIn(text)
  return refusal === null ? { kind: 'unclear', text } : { kind: 'refused', ...refusal }
}

/** A user of an HSM as cloudhsm_mgmt_util lists it. */
export const asListed = ({ id, type, name, mofnPubKey, failures, twoFactor }: Readonly<User>): HsmUser => ({
  userId: id,
  type,
  name,
  mofnPubKey,
  loginFailureCount: failures,
  twoFactor,
  locked: null,
  inconsistent: [],
})
