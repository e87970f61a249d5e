import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { bitString, integer, objectId, sequence, set, tagged, utcTime, utf8 } from './der.js'

const ED25519 = sequence(objectId(0x2b, 0x65, 0x70))
const COMMON_NAME = objectId(0x55, 0x04, 0x03)
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')

/**
 * The self-signed certificate all clusters of a family show: the same for the same family name, different for any
 * other. Ed25519, because its signatures need no random number and so the fingerprint is stable.
 * @returns PEM
 */
export const clusterCertificate = (family: string): string => {
  const seed = createHash('sha256').update(`cluster certificate of ${family}`).digest()
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: 'der', type: 'pkcs8' })
  const name = sequence(set(sequence(COMMON_NAME, utf8(`${family} cluster`))))
  const serial = Buffer.concat([Buffer.from([1]), seed.subarray(0, 8)])
  const body = sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(serial),
    ED25519,
    name,
    sequence(utcTime('240101000000Z'), utcTime('440101000000Z')),
    name,
    createPublicKey(key).export({ format: 'der', type: 'spki' }),
  )
  const der = sequence(body, ED25519, bitString(sign(null, body, key)))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
