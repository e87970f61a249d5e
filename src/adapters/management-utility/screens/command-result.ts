import type { Answer, RefusalReason } from '../../../domain/hsm-console.js'

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

/** The reason in `text`, where it is a known failure at all. */
export const refusalIn = (text: string): { reason: RefusalReason; text: string } | null => {
  const lines = text.split('\n').map((line) => line.trim())
  for (const [pattern, reason] of REASONS) {
    const line = lines.find((candidate) => pattern.test(candidate))
    if (line !== undefined) return { reason, text: line }
  }
  const failure = lines.find((line) => FAILURE.test(line))
  return failure === undefined ? null : { reason: 'other', text: failure }
}

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
  const said = refusalIn(text)
  if (said?.reason === 'user-exists' && codes.get('extract') === 0) return { kind: 'refused', ...said }
  if (said !== null && said.reason !== 'other') return { kind: 'refused', ...said }
  const nonZero = [...codes].filter(([, code]) => code !== 0)
  if (nonZero.length > 0) {
    const words = nonZero.map(([step, code]) => `${step} status 0x${code.toString(16)}`).join(', ')
    return { kind: 'refused', reason: 'masked-object', text: words }
  }
  const succeeded = /^\s*(?:syncUser success|User sync Success)\s*$/im.test(text)
  if (succeeded && said === null && codes.get('extract') === 0 && codes.get('insert') === 0) return { kind: 'done' }
  return { kind: 'unclear', text: text.trim() }
}
