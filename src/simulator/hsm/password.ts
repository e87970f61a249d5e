import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/**
 * A password as an HSM keeps it: salt and SHA-256. Cheap on purpose, a fleet of a thousand users starts in a moment;
 * it protects nothing but the rule that no password of a fleet stays in memory as text.
 */
export interface StoredPassword {
  readonly salt: Buffer
  readonly digest: Buffer
}

/** Hashes `password` with a fresh salt. */
export const storePassword = (password: string): StoredPassword => {
  const salt = randomBytes(16)
  return { salt, digest: digestOf(salt, password) }
}

/** Whether `password` is the one stored. */
export const passwordMatches = (stored: StoredPassword, password: string): boolean =>
  timingSafeEqual(stored.digest, digestOf(stored.salt, password))

/** Whether the two are one record, copied: equal passwords that were set apart are not. */
export const sameRecord = (a: StoredPassword | null, b: StoredPassword | null): boolean =>
  a === b || (a !== null && b !== null && a.salt.equals(b.salt) && a.digest.equals(b.digest))

const digestOf = (salt: Buffer, password: string): Buffer => createHash('sha256').update(salt).update(password).digest()
