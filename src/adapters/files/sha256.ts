import { createHash } from 'node:crypto'
import type { Sha256 } from '../../domain/ids.js'

export const sha256Of = (bytes: string | Uint8Array): Sha256 =>
  createHash('sha256').update(bytes).digest('hex') as Sha256
