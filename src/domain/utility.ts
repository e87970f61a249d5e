/** The program that speaks to HSMs: `cmu` is cloudhsm_mgmt_util of Client SDK 3, `cloudhsm-cli` that of Client SDK 5. */
export type UtilityName = 'cmu' | 'cloudhsm-cli'

/** What an operator needs to know of a utility to follow a message, and what one write of it reaches. */
export interface UtilityWords {
  /** How it calls the copy of a user with its password. */
  readonly copy: string
  readonly change: string
  /** What one write reaches. */
  readonly unit: 'hsm' | 'cluster'
}

/** Sources: AWS CloudHSM User Guide, `syncUser`, `changePswd`; `cloudhsm_cli-user-replicate`, `-user-change-password`. */
export const UTILITY_WORDS: Readonly<Record<UtilityName, UtilityWords>> = {
  cmu: { copy: 'syncUser', change: 'changePswd', unit: 'hsm' },
  'cloudhsm-cli': { copy: 'user replicate', change: 'user change-password', unit: 'cluster' },
}
