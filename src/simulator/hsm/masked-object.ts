import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { User, UserType } from './user.js'

/** Secret shared by the clusters of one family; 32 bytes. Clones get it with the backup. */
export type MaskingKey = Buffer

/** A user with its password, in the form in which it travels between HSMs: nonce, tag, AES-256-GCM; base 64. */
export type MaskedObject = string

const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * Wraps the user. Failure count and lock stay behind: they belong to one HSM.
 * @param hsmType of the HSM that wraps it
 */
export const mask = (key: MaskingKey, user: User, hsmType: string): MaskedObject => {
  const { id, type, name, mofnPubKey, twoFactor } = user
  const password = user.password && {
    salt: user.password.salt.toString('base64'),
    digest: user.password.digest.toString('base64'),
  }
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const text = Buffer.concat([
    cipher.update(JSON.stringify({ hsmType, id, type, name, mofnPubKey, twoFactor, password })),
    cipher.final(),
  ])
  return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64')
}

/**
 * The user inside, or null where the key is another family's, the object was damaged, or an hsm2m.medium made it and this
 * is an older HSM: clones of the older type do not take users back.
 * @param hsmType of the HSM that opens it
 */
export const unmask = (key: MaskingKey, object: MaskedObject, hsmType: string): User | null => {
  const bytes = Buffer.from(object, 'base64')
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return null
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES))
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
  try {
    const text = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()])
    const { hsmType: maker, ...record } = JSON.parse(text.toString()) as {
      hsmType: string
      id: number
      type: UserType
      name: string
      mofnPubKey: boolean
      twoFactor: boolean
      password: { salt: string; digest: string } | null
    }
    if (maker === 'hsm2m.medium' && hsmType !== maker) return null
    const password = record.password && {
      salt: Buffer.from(record.password.salt, 'base64'),
      digest: Buffer.from(record.password.digest, 'base64'),
    }
    return { ...record, password, failures: 0, locked: false }
  } catch {
    return null
  }
}
