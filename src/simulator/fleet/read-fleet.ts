import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { z } from 'zod'
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
  const [issue] = parsed.error.issues.flatMap(innermost)
  throw new FleetError(pathOf(issue?.path ?? []), issue?.message ?? 'is malformed')
}

/** Where a value can have several forms, the complaint about the form it nearly has says more than that it has none. */
const innermost = (issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] => {
  if (issue.code !== 'invalid_union') return [issue]
  const deeper = issue.errors.flat().filter(({ path }) => path.length > 0)
  if (deeper.length === 0) return [issue]
  return deeper.flatMap((inner) => innermost({ ...inner, path: [...issue.path, ...inner.path] }))
}
