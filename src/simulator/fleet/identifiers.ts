import { createHash } from 'node:crypto'

const ALPHABET = '234567abcdefghijklmnopqrstuvwxyz'

/**
 * An ID in the form the API uses (`hsm-`, `backup-` …, then 11 characters without 0, 1, 8 and 9), always the same for
 * the same seed: fleets look alike from run to run.
 */
export const deriveId = (prefix: string, ...seed: readonly (string | number)[]): string => {
  const digest = createHash('sha256')
    .update(JSON.stringify([prefix, ...seed]))
    .digest()
  let id = ''
  for (let at = 0; at < 11; at += 1) id += ALPHABET[(digest[at] ?? 0) & 31]
  return `${prefix}-${id}`
}

/** Hexadecimal ID as EC2 uses it: `eni-`, `vpc-`, `subnet-`, `sg-`, then 17 digits. */
export const deriveHexId = (prefix: string, ...seed: readonly (string | number)[]): string =>
  `${prefix}-${createHash('sha256')
    .update(JSON.stringify([prefix, ...seed]))
    .digest('hex')
    .slice(0, 17)}`
