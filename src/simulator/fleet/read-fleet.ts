import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { buildFleet } from './build-fleet.js'
import type { Fleet } from './fleet.js'
import { FleetError, pathOf } from './fleet-error.js'
import { fleetFile } from './schema.js'

/**
 * Reads a fleet file, YAML or JSON.
 * @throws {FleetError} the file cannot be read, is malformed, or contradicts itself; names the place inside
 */
export const readFleet = (path: string): Fleet => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new FleetError('', `cannot read fleet file ${path}: ${(error as NodeJS.ErrnoException).code}`)
  }
  return parseFleet(text)
}

/** The same from text. */
export const parseFleet = (text: string): Fleet => {
  let document: unknown
  try {
    // JSON is a subset of YAML; a fleet of a thousand users is parsed much faster as what it is.
    document = text.trimStart().startsWith('{') ? JSON.parse(text) : parse(text)
  } catch (error) {
    throw new FleetError('', `not YAML or JSON: ${(error as Error).message.split('\n')[0]}`)
  }
  const parsed = fleetFile.safeParse(document)
  if (parsed.success) return buildFleet(parsed.data)
  const [issue] = parsed.error.issues
  throw new FleetError(pathOf(issue?.path ?? []), issue?.message ?? 'is malformed')
}
