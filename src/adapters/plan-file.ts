import { readFile } from 'node:fs/promises'
import { usageError } from '../domain/errors.js'
import type { LostCluster } from '../domain/rotation/journal-entry.js'
import type { RotationPlan } from '../domain/rotation/plan.js'
import { type PlanFile, parsePlanFile } from '../domain/rotation/plan-file.js'
import { writeAtomically } from './files/write-atomically.js'

/** @throws {OperatorError} `PLAN_UNREADABLE`, `PLAN_MALFORMED` (exit 2) */
export const readPlan = async (path: string): Promise<PlanFile> => {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw usageError('PLAN_UNREADABLE', `the plan "${path}" cannot be read: ${error.message}`, ['lockstep rotate plan'])
  })
  return parsePlanFile(text, path)
}

/** @throws {OperatorError} `OUT_UNWRITABLE` (exit 2) */
export const writePlan = async (
  path: string,
  plan: RotationPlan,
  now: Date,
  lost: readonly LostCluster[] = [],
): Promise<PlanFile> => {
  const file: PlanFile = { version: 1, createdAt: now.toISOString(), plan, ...(lost.length === 0 ? {} : { lost }) }
  try {
    await writeAtomically(path, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 })
  } catch (error) {
    throw usageError('OUT_UNWRITABLE', `"${path}" cannot be written: ${(error as Error).message}`, [
      'name a file in a folder that exists and can be written with --out',
    ])
  }
  return file
}
