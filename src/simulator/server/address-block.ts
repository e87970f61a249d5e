import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:net'
import { listen, stopListening } from './listen.js'

/** Port on a block's first address whose listener holds the block; the control channel answers there. */
const CLAIM_PORT = 2220
const FIRST_OFFSET = 10
const PER_BLOCK = 240
const SPARE = 8
const ATTEMPTS = 200

/** Addresses of the 127/8 block that belong to one simulator as long as it runs. */
export interface AddressBlock {
  /** Where the AWS endpoint and the control channel listen. */
  readonly host: string
  /** Holds the claim; closing it gives the block back. */
  readonly claims: readonly Server[]
  /** Address of the HSM at this position of the fleet, from 0; null beyond the block's end. */
  address(index: number): string | null
}

/**
 * Takes the first free block, beginning at one that follows from `seed`.
 * @param count HSMs; a few spare addresses are added for those that faults bring
 * @param control creates the listener that holds the first address
 */
export const claimBlock = async (seed: string, count: number, control: () => Server): Promise<AddressBlock> => {
  const blocks = Math.ceil((count + SPARE) / PER_BLOCK)
  const start = createHash('sha256').update(seed).digest().readUInt16BE(0)
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const base = (start + attempt * blocks) % (224 * 256 - blocks)
    // 127.0 to 127.15 are left to others: resolvers and package managers use some of them.
    const prefix = (block: number): string => `127.${16 + ((base + block) >> 8)}.${(base + block) & 255}`
    const claims: Server[] = []
    try {
      for (let block = 0; block < blocks; block += 1) {
        claims.push(await listen(block === 0 ? control() : createServer(), `${prefix(block)}.1`, CLAIM_PORT))
      }
    } catch (error) {
      await Promise.all(claims.map(stopListening))
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') continue
      throw error
    }
    return {
      host: `${prefix(0)}.1`,
      claims,
      address: (index) =>
        index < blocks * PER_BLOCK
          ? `${prefix(Math.floor(index / PER_BLOCK))}.${FIRST_OFFSET + (index % PER_BLOCK)}`
          : null,
    }
  }
  throw new Error(`no free block of loopback addresses after ${ATTEMPTS} attempts`)
}
