/** As much of ASN.1's distinguished encoding as a certificate needs. Source: ITU-T X.690. */
const element = (tag: number, content: Buffer): Buffer => {
  const { length } = content
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content])
  const size = length < 0x100 ? Buffer.from([0x81, length]) : Buffer.from([0x82, length >> 8, length & 0xff])
  return Buffer.concat([Buffer.from([tag]), size, content])
}

export const sequence = (...parts: readonly Buffer[]): Buffer => element(0x30, Buffer.concat(parts))
export const set = (...parts: readonly Buffer[]): Buffer => element(0x31, Buffer.concat(parts))
/** Context-specific, constructed. */
export const tagged = (number: number, part: Buffer): Buffer => element(0xa0 + number, part)
/** @param bytes big endian; the first bit must not be set */
export const integer = (bytes: Buffer): Buffer => element(0x02, bytes)
/** @param bytes the encoded arcs */
export const objectId = (...bytes: readonly number[]): Buffer => element(0x06, Buffer.from(bytes))
export const utf8 = (text: string): Buffer => element(0x0c, Buffer.from(text))
/** @param text `YYMMDDHHMMSSZ` */
export const utcTime = (text: string): Buffer => element(0x17, Buffer.from(text))
export const bitString = (bytes: Buffer): Buffer => element(0x03, Buffer.concat([Buffer.from([0]), bytes]))
