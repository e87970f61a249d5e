import { Decrypter, Encrypter } from 'age-encryption'
import { refusal, usageError } from '../../domain/errors.js'
import type { Secret } from '../../domain/secret.js'

/** What a store is encrypted with: a passphrase, or recipients together with an identity that reads it back. */
export interface StoreKeys {
  readonly passphrase?: Secret
  /** Public keys, `age1…`. */
  readonly recipients: readonly string[]
  /** The text of an age identity file, or one `AGE-SECRET-KEY-1…` line. */
  readonly identity?: Secret
  /** See `SCRYPT_WORK_FACTOR`. */
  readonly workFactor?: number
}

/** Seals and opens texts in the age format (age-encryption.org/v1), which the `age` program reads as well. */
export interface AgeBox {
  seal(text: string): Promise<Uint8Array>
  /**
   * @param name whose bytes these are, for the error
   * @throws {OperatorError} `STORE_LOCKED`, `STORE_MALFORMED` (exit 3)
   */
  open(bytes: Uint8Array, name: string): Promise<string>
}

/**
 * Base-2 logarithm of scrypt's cost. One sealing or opening takes about 0.13 s at 15 and 0.28 s at 16, measured on a
 * slow two-core machine, but up to 0.5 s at 16 while the machine is busy; the library computes it in JavaScript and
 * blocks the program meanwhile. 15 keeps every operation below 0.4 s. The `age` program takes 18: a weak passphrase is
 * eight times cheaper to guess here, which one more random character makes good; recipients need no passphrase at all.
 */
export const SCRYPT_WORK_FACTOR = 15

const HEADER = 'age-encryption.org/v1\n'
const HOW =
  'give --store-passphrase (or LOCKSTEP_STORE_PASSPHRASE), or --store-recipient together with --store-identity'

/** @throws {OperatorError} `STORE_KEYS` (exit 2) when the keys are incomplete, contradictory or malformed */
export const ageBox = (keys: StoreKeys): AgeBox => {
  const encrypter = new Encrypter()
  const decrypter = new Decrypter()
  const { passphrase, recipients, identity } = keys
  if (passphrase !== undefined && (recipients.length > 0 || identity !== undefined)) {
    throw usageError('STORE_KEYS', 'a store has either a passphrase or recipients, not both', [HOW])
  }
  if (passphrase !== undefined) {
    if (passphrase.reveal() === '') throw usageError('STORE_KEYS', 'the passphrase of the store is empty', [HOW])
    encrypter.setPassphrase(passphrase.reveal())
    encrypter.setScryptWorkFactor(keys.workFactor ?? SCRYPT_WORK_FACTOR)
    decrypter.addPassphrase(passphrase.reveal())
  } else {
    if (recipients.length === 0 && identity === undefined) {
      throw usageError('STORE_KEYS', 'nothing says how the store is encrypted', [HOW])
    }
    if (recipients.length === 0)
      throw usageError('STORE_KEYS', 'there is an identity but no recipient for the store', [HOW])
    if (identity === undefined) {
      throw usageError(
        'STORE_KEYS',
        'a store that is encrypted to recipients must be read back, and there is no identity',
        [HOW],
      )
    }
    for (const recipient of recipients) addRecipient(encrypter, recipient)
    addIdentities(decrypter, identity)
  }
  return {
    seal: (text) => encrypter.encrypt(text),
    async open(bytes, name) {
      if (!startsWithHeader(bytes)) {
        throw refusal('STORE_MALFORMED', `${name} is not a file in the age format`, ['check --store'])
      }
      try {
        return await decrypter.decrypt(bytes, 'text')
      } catch (error) {
        // The cause is not handed on: what a cryptographic library says about its input is nobody's business.
        if ((error as Error).message.startsWith('no identity matched')) {
          throw refusal(
            'STORE_LOCKED',
            `${name} cannot be opened with this ${passphrase === undefined ? 'identity' : 'passphrase'}`,
            [passphrase === undefined ? 'check --store-identity' : 'check --store-passphrase'],
          )
        }
        throw refusal('STORE_MALFORMED', `${name} is damaged: it does not decrypt to what was written`, [
          'restore it from a copy',
        ])
      }
    },
  }
}

const addRecipient = (encrypter: Encrypter, recipient: string): void => {
  try {
    encrypter.addRecipient(recipient)
  } catch {
    // Not repeated unless it begins as a public key does: it may be an identity typed in the wrong place.
    const shown = recipient.startsWith('age1') ? ` "${recipient}"` : ''
    throw usageError('STORE_KEYS', `--store-recipient${shown} is no age recipient`, [
      'a recipient begins with "age1"; age-keygen -y prints the one that belongs to an identity file',
    ])
  }
}

const addIdentities = (decrypter: Decrypter, identity: Secret): void => {
  const lines = identity
    .reveal()
    .split('\n')
    .map((line) => line.trim())
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#'))
  try {
    if (keys.length === 0) throw new Error('no key')
    for (const key of keys) decrypter.addIdentity(key)
  } catch {
    throw usageError('STORE_KEYS', '--store-identity holds no age identity', [
      'age-keygen makes one; its secret line begins with "AGE-SECRET-KEY-1"',
    ])
  }
}

const startsWithHeader = (bytes: Uint8Array): boolean =>
  Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEADER.length)).toString('latin1') === HEADER
