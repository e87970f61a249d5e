import { z } from 'zod'
import { usageError } from '../errors.js'
import { isClusterId } from '../ids.js'
import type { LostCluster } from './journal-entry.js'
import type { RotationPlan } from './plan.js'

const text = z.string().min(1)
const clusterId = z.string().refine(isClusterId, { error: 'is not a cluster ID' })
const cluster = z.object({ clusterId, region: text, profile: z.string().nullable(), hsmType: text })
const hsmId = z.string().regex(/^hsm-[2-7a-zA-Z]+$/, { error: 'is not an HSM ID' })
/** An HSM, or a cluster where the utility writes to all of it at once. */
const unitId = z.string().refine((id) => hsmId.safeParse(id).success || isClusterId(id), {
  error: 'is neither an HSM ID nor a cluster ID',
})
const role = z.enum(['source', 'destination'])

const planSchema = z.object({
  version: z.literal(1),
  createdAt: text,
  plan: z.object({
    utility: z.enum(['cmu', 'cloudhsm-cli']),
    source: cluster,
    destinations: z.array(cluster),
    leftOut: z.array(cluster),
    unseenRegions: z.array(z.object({ region: text, profile: z.string().nullable(), error: text })).optional(),
    family: text,
    users: z
      .array(
        z.object({ type: text, name: text, key: text, userId: z.number().int().nullable(), idsAgree: z.boolean() }),
      )
      .min(1),
    roster: z
      .array(z.object({ serverId: z.number().int().min(0), hsmId, eniIp: text, clusterId, region: text, role }))
      .min(1),
    parts: z.object({
      first: unitId,
      canary: unitId,
      restorePoint: unitId,
      waves: z.array(z.object({ name: text, units: z.array(unitId) })),
    }),
  }),
  // Plans written before there were any have none.
  lost: z
    .array(z.object({ clusterId, region: text.nullable(), profile: z.string().nullable(), reason: text }))
    .optional(),
})

/** What `rotate plan` writes. */
export interface PlanFile {
  readonly version: 1
  /** UTC, ISO 8601. */
  readonly createdAt: string
  readonly plan: RotationPlan
  /** Clusters of the family that are out of reach and left out until they are back. */
  readonly lost?: readonly LostCluster[]
}

/**
 * Reads a plan file.
 * @param path for the error
 * @throws {OperatorError} `PLAN_MALFORMED`, naming the place in the file
 */
export const parsePlanFile = (json: string, path: string): PlanFile => {
  let document: unknown
  try {
    document = JSON.parse(json)
  } catch {
    throw usageError('PLAN_MALFORMED', `the plan ${path} is not JSON`, ['make a new one: lockstep rotate plan'])
  }
  const parsed = planSchema.safeParse(document)
  if (parsed.success) return parsed.data as unknown as PlanFile
  const [issue] = parsed.error.issues
  const place = issue?.path.join('.') || 'the whole file'
  throw usageError(
    'PLAN_MALFORMED',
    `the plan ${path} is malformed at ${place}: ${issue?.message ?? 'unknown reason'}`,
    ['make a new one: lockstep rotate plan'],
  )
}
