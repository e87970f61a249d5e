/** What an HSM answers when it does not do what was asked: a code, and the text the utility prints for it. */
export interface HsmStatus {
  readonly code: number
  readonly text: string
}

/** Answer to one request. */
export type HsmReply<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly status: HsmStatus }

/**
 * Codes and texts. `assumed` in a comment means that no transcript shows it: a transcript of a real HSM replaces it here
 * and nowhere else.
 */
export const STATUS = {
  unknownUser: { code: 0x9d, text: "HSM Error: user isn't initialized or user with this name doesn't exist" },
  loginFailure: { code: 0xa3, text: 'HSM Error: RET_USER_LOGIN_FAILURE' },
  noSuchUser: { code: 0xce, text: "HSM Error: This user doesn't exist" },
  invalidUserType: { code: 0xdb, text: 'HSM Error: Invalid User Type.' },
  // The code is assumed.
  loggedInElsewhere: {
    code: 0xd0,
    text: 'HSM Error: Deletion or Changing password of a logged in User is denied',
  },
  // The code is assumed.
  quorumRequired: { code: 0xd1, text: 'RET_MXN_AUTH_FAILED' },
  // The code is assumed.
  passwordLength: { code: 0xd2, text: 'min pswd len 7 and max pswd len 32' },
  // The code is assumed; the text is a sibling's (Azure).
  alreadyCreated: { code: 0xd3, text: 'HSM Error: user already created, unable to insert object' },
  // Assumed.
  nameTaken: { code: 0xd4, text: 'HSM Error: user with this name already exists' },
  // Assumed.
  cannotUnmask: { code: 0xd5, text: 'HSM Error: masked object cannot be opened' },
  // Assumed.
  notPermitted: { code: 0xd6, text: 'HSM Error: operation is not permitted for this session' },
  // Assumed.
  sessionBusy: { code: 0xd7, text: 'HSM Error: another user is logged in on this session' },
  // Assumed.
  limited: { code: 0xdc, text: 'HSM Error: not available in limited commands mode' },
  // Assumed.
  full: { code: 0xd8, text: 'HSM Error: no room for another user' },
  // The code is assumed.
  invalidInput: { code: 0xda, text: 'Invalid input data/params' },
  // Assumed.
  attributesDiffer: { code: 0xdd, text: 'HSM Error: a user with this name and other attributes exists' },
  // Assumed.
  limitedWrite: { code: 0xde, text: 'HSM Error: users cannot be changed during a migration' },
  // Assumed.
  secondFactorMissing: { code: 0xdf, text: 'HSM Error: a signed token is needed to log in' },
  // Assumed.
  otherOfficer: { code: 0xe0, text: 'HSM Error: masked object was extracted by another officer' },
  // Assumed.
  refusedByFault: { code: 0xd9, text: 'HSM Error: operation failed' },
} as const satisfies Record<string, HsmStatus>

/** A refusal. */
export const refused = (status: HsmStatus): { readonly ok: false; readonly status: HsmStatus } => ({
  ok: false,
  status,
})
