import { randomInt as cryptoRandomInt } from 'node:crypto'
import { usageError } from './errors.js'
import { Secret } from './secret.js'

/**
 * In characters. Documented are 7 to 32; 8 is what the successor of the utility asks for, so that a password set
 * today outlives the change of the tool. Source: AWS CloudHSM User Guide, `limits`.
 */
export const PASSWORD_LENGTH = { min: 8, max: 32 } as const

/**
 * Characters of a generated password: 28 of 62 are 166 bits, and stay clear of both ends of the permitted length.
 */
const GENERATED_LENGTH = 28
const CLASSES = ['ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz', '0123456789'] as const

/**
 * The rule a new password breaks, in words that do not show it, or null. Reasons: the utility documents no quoting,
 * takes words with a leading `-` for options (`-hpswd`, `-2fa`), and a terminal gives control characters a meaning of
 * their own; PKCS #11 splits `user:password` at the colon; nobody documents in which encoding other than ASCII an HSM
 * compares, so two clients may send different bytes for one letter.
 */
export const brokenPasswordRule = (password: Secret): string | null => {
  const text = password.reveal()
  if (text === '') return 'is empty'
  if (text.startsWith('-')) return 'begins with "-"'
  if (/[\p{Cc}\p{Cf}]/u.test(text)) return 'holds a control character'
  if (/\s/u.test(text)) return 'holds a blank'
  if (text.includes(':')) return 'holds ":"'
  if (!/^[\x21-\x7e]*$/.test(text)) return 'holds a character outside of printable ASCII'
  const length = text.length
  if (length < PASSWORD_LENGTH.min) return `has ${length} characters, fewer than ${PASSWORD_LENGTH.min}`
  if (length > PASSWORD_LENGTH.max) return `has ${length} characters, more than ${PASSWORD_LENGTH.max}`
  return null
}

/**
 * Refuses a new password that HSMs or their clients could take for something else.
 * @param of whose it is or which flag named it, e.g. `CU:app_crypto`
 * @throws {OperatorError} `PASSWORD_RULES` (exit 2)
 */
export const requireNewPassword = (password: Secret, of: string): void => {
  const broken = brokenPasswordRule(password)
  if (broken === null) return
  throw usageError('PASSWORD_RULES', `the new password of ${of} ${broken}`, [
    `use ${PASSWORD_LENGTH.min} to ${PASSWORD_LENGTH.max} printable ASCII characters without blank and ":", not beginning with "-"`,
    'or let one be made: --new-password generate',
  ])
}

/**
 * Refuses what cannot be typed at a password prompt. A password already in force may break the rules for new ones.
 * @throws {OperatorError} `PASSWORD_RULES` (exit 2)
 */
export const requireTypable = (password: Secret, of: string): void => {
  const text = password.reveal()
  const broken = text === '' ? 'is empty' : /\p{Cc}/u.test(text) ? 'holds a control character' : null
  if (broken === null) return
  throw usageError('PASSWORD_RULES', `the password of ${of} ${broken}`, ['compare it with the one in your vault'])
}

/**
 * A new password of capital letters, small letters and digits, at least one of each.
 * @param randomInt a number from 0 up to but not including its argument
 */
export const generatePassword = (randomInt: (below: number) => number = (below) => cryptoRandomInt(below)): Secret => {
  const alphabet = CLASSES.join('')
  // Drawn anew as a whole where a class is missing: mending single places would make some passwords likelier.
  for (;;) {
    const text = Array.from({ length: GENERATED_LENGTH }, () => alphabet.charAt(randomInt(alphabet.length))).join('')
    if (CLASSES.every((letters) => [...letters].some((letter) => text.includes(letter)))) return new Secret(text)
  }
}
