import type { HsmUserRef } from '../hsm-user.js'
import type { UtilityName } from './utility.js'

/** What is done by hand, with the utility itself, about a user that is not the same everywhere; in this order. */
export interface ByHand {
  /** Another role, here or there. */
  readonly role: (user: HsmUserRef, other: string) => string
  /** Missing on some HSM of one cluster. */
  readonly coverage: (user: HsmUserRef) => string
  readonly lock: (user: HsmUserRef) => string
  readonly secondFactor: (user: HsmUserRef) => string
  readonly quorumKey: (user: HsmUserRef) => string
  /** How a user is copied. */
  readonly copy: (user: HsmUserRef) => string
}

const OWNS_KEYS = 'a user that owns keys cannot be deleted: share or move them first'

const roleOf = ({ type }: HsmUserRef): string => (type === 'CU' ? 'crypto-user' : 'admin')
const cli = (user: HsmUserRef): string => `--username ${user.name} --role ${roleOf(user)}`
const otherRole = (user: HsmUserRef): string => (roleOf(user) === 'admin' ? 'crypto-user' : 'admin')

/**
 * Sources: AWS CloudHSM User Guide, `troubleshoot-sdk5-inconsistent-value` (the order: first the admin account, then role,
 * coverage, lock, second factor), `troubleshoot-sdk5-user-replicate-failures`, `cloudhsm_cli-user-delete`,
 * `cloudhsm_cli-user-change-mfa-token-sign`, `understand-mfa-cloudhsm-cli`; for cloudhsm_mgmt_util `manage-2fa`, `deleteUser`,
 * `createUser`, `quorum-authentication`. AWS gives no such order for cloudhsm_mgmt_util; it is that of its successor.
 */
const BY_HAND: Readonly<Record<UtilityName, ByHand>> = {
  'cloudhsm-cli': {
    role: (user) =>
      `role: delete it under both roles (user delete --username ${user.name} --role ${roleOf(user)}, then --role ${otherRole(user)}), then create it under the right one (user create); ${OWNS_KEYS}`,
    coverage: (user) =>
      `coverage: finish what was begun: user create ${cli(user)} once more creates it where it is missing, with the password given then, which has to be the one the others hold; or user delete`,
    lock: (user) =>
      `lock: user change-password ${cli(user)} unlocks it; find out first which client uses a wrong password`,
    secondFactor: (user) =>
      `second factor: deregister it (user change-mfa token-sign ${cli(user)} --deregister), change the password (user change-password), register it again (user change-mfa token-sign --token FILE)`,
    quorumKey: (user) =>
      `quorum key: register it where it is missing (user change-quorum token-sign register, as ${user.name} itself), or drop it where it is not wanted (user change-password ${cli(user)} --deregister-quorum)`,
    copy: (user) => `user replicate ${cli(user)} --source-cluster-id ID --destination-cluster-id ID`,
  },
  cmu: {
    role: ({ type, name }, other) =>
      `role: delete it under both roles (deleteUser ${other} ${name}, deleteUser ${type} ${name}), then create it under the right one (createUser); ${OWNS_KEYS}`,
    coverage: ({ type, name }) =>
      `coverage: createUser ${type} ${name} on the HSMs that lack it, or deleteUser on the others`,
    lock: ({ type, name }) =>
      `lock: changePswd ${type} ${name} unlocks it; find out first which client uses a wrong password`,
    secondFactor: ({ type, name }) =>
      `second factor: deregister it where it is (changePswd ${type} ${name} without -2fa), change the password to one for all HSMs, register it (changePswd ${type} ${name} -2fa FILE)`,
    quorumKey: ({ type, name }) =>
      `quorum key: register it where it is missing (registerQuorumPubKey ${type} ${name}), or drop it where it is not wanted (a change of the password drops it)`,
    copy: () => 'syncUser USER-ID SERVER-ID',
  },
}

/** How a utility repairs a user by hand. */
export const byHandWith = (utility: UtilityName): ByHand => BY_HAND[utility]
