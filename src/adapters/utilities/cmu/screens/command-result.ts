import type { Answer, RefusalReason } from '../../../../domain/hsm-console.js'

/** Words that are known to mean a failure, and what they say about its reason. First match wins. */
const REASONS: readonly (readonly [RegExp, RefusalReason])[] = [
  [/logged in User is denied/i, 'user-logged-in'],
  [/RET_MXN_AUTH_FAILED/, 'quorum'],
  [
    /user isn't initialized or user with this name doesn't exist|This user doesn't exist|user doesn't exist/i,
    'no-such-user',
  ],
  [/RET_USER_LOGIN_FAILURE/, 'login-refused'],
  [/already (?:created|exists)/i, 'user-exists'],
]
/** A line that says that something went wrong. */
const FAILURE = /\bfailed\b|HSM Error|\bError:/i

/** The refusal in `text`, where its words are known: then the HSM did nothing. Any other failure leaves that open. */
export const refusalIn = (text: string): { reason: RefusalReason; text: string } | null => {
  const lines = text.split('\n').map((line) => line.trim())
  for (const [pattern, reason] of REASONS) {
    const line = lines.find((candidate) => pattern.test(candidate))
    if (line !== undefined) return { reason, text: line }
  }
  return null
}

/** Whether anything in `text` says that something went wrong. */
export const hasFailure = (text: string): boolean => FAILURE.test(text)

/**
 * Which servers reported success for `command`, in global mode: `<command> success on server N(<label>)`, or
 * `<command> on server N(<label>) success` in one public note set.
 */
export const successfulServers = (text: string, command: string): { serverId: number; label: string }[] => {
  const pattern = new RegExp(
    `^\\s*${command} (?:success on server (\\d+)\\(([^)]*)\\)|on server (\\d+)\\(([^)]*)\\) success)\\s*$`,
    'gim',
  )
  return [...text.matchAll(pattern)].map((match) => ({
    serverId: Number(match[1] ?? match[3]),
    label: match[2] ?? match[4] ?? '',
  }))
}

/**
 * Whether `command` succeeded in server mode, where the result line names no server: `<command> success`.
 * Sources: AWS CloudHSM User Guide, `syncUser`, `syncKey`; a sibling's guide for `loginHSM`.
 */
export const succeededBare = (text: string, command: string): boolean =>
  new RegExp(`^\\s*${command} success\\s*$`, 'im').test(text)

/** Which servers are named in a failure line: `… on server N(A)`, `… on node N(A) failed`. */
export const failedServers = (text: string): number[] =>
  text
    .split('\n')
    .filter((line) => FAILURE.test(line))
    .flatMap((line) => [...line.matchAll(/\b(?:server|node) (\d+)\(/g)].map((match) => Number(match[1])))

const STATUS = /^\s*(Extract|Insert)MaskedObject: (0x[0-9a-f]+) !\s*$/gim

/**
 * Reads the reply of `syncUser`: two status codes and a success line.
 * Source: AWS CloudHSM User Guide, `syncUser` (success); a sibling's words for a user that is there already; the rest
 * of the failures is assumed, so that success is only ever believed on positive evidence.
 */
export const parseSyncUser = (text: string): Answer => {
  const codes = new Map([...text.matchAll(STATUS)].map((match) => [match[1]?.toLowerCase(), Number(match[2])]))
  const refused = refusalIn(text)
  if (refused !== null) return { kind: 'refused', ...refused }
  const succeeded = /^\s*(?:syncUser success|User sync Success)\s*$/im.test(text)
  const zero = codes.get('extract') === 0 && codes.get('insert') === 0
  return succeeded && zero && !hasFailure(text) ? { kind: 'done' } : { kind: 'unclear', text: text.trim() }
}
