import { isIPv4 } from 'node:net'
import { z } from 'zod'

/** Said where something else stands in the place of an object. */
export const OBJECT = 'expected an object'

export const text = z.string({ error: 'expected text' })
export const filledText = text.min(1, { error: 'expected text that is not empty' })
export const port = z.int({ error: 'expected a port number' }).min(1).max(65_535)
export const ipv4 = text.refine(isIPv4, { error: 'expected an IPv4 address' })

/** One of these words. */
export const oneOf = <const T extends readonly string[]>(words: T) =>
  z.enum(words, { error: `expected ${words.map((word) => `"${word}"`).join(' or ')}` })
