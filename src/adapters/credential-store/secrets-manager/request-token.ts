import { createHash } from 'node:crypto'

/** What the names below are unique within; chosen once at random. */
const NAMESPACE = Buffer.from('0f6a1b7e4c0d4f0b9a6d5d1c8e2b7a93', 'hex')

/**
 * The client request token of a write, which becomes the ID of the version: the same for the same words, so a repeated
 * write of one rotation is recognised by AWS as the one it has already done. A UUID of version 5 (RFC 9562).
 * @param words the rotation ID first
 */
export const requestToken = (...words: readonly string[]): string => {
  const digest = createHash('sha1').update(NAMESPACE).update(words.join('\n')).digest()
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80
  const hex = digest.toString('hex').slice(0, 32)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
