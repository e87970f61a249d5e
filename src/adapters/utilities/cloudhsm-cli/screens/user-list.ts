import { z } from 'zod'
import type { HsmUser, HsmUserType } from '../../../../domain/hsm-user.js'
import { NotUnderstood } from '../../process/not-understood.js'
import { typeOf } from '../roles.js'

/** Words that `locked` and booleans share: they are texts in every page, and may become booleans. */
const truth = z.union([
  z.enum(['true', 'false', 'inconsistent']),
  z.boolean().transform((value) => `${value}` as const),
])
const strategies = z.array(z.looseObject({ status: z.enum(['enabled', 'inconsistent']) })).default([])

/** One row as it is printed; `quorum` is missing before 5.8. Keys that are not named here pass. */
export const LISTED_USER = z.looseObject({
  // Nothing that a terminal would obey, or that hides.
  username: z.string().regex(/^[^\p{Cc}\p{Cf}]{1,255}$/u),
  role: z.string(),
  locked: truth,
  mfa: strategies,
  quorum: strategies,
  'cluster-coverage': z.enum(['full', 'inconsistent']),
})
export type ListedUser = z.infer<typeof LISTED_USER>

const LISTING = z.looseObject({ users: z.array(LISTED_USER) })

/** Types of a name that is a crypto user on some HSMs of the cluster and an admin on others. */
const EITHER: readonly HsmUserType[] = ['CO', 'CU']

/**
 * Reads the users of a cluster. A user whose role is inconsistent stands there under both roles, so that it is found
 * by either; one that is locked on some HSMs counts as locked.
 * Source: AWS CloudHSM User Guide, `cloudhsm_cli-user-list`, `troubleshoot-sdk5-inconsistent-value`.
 * @param data of an answer with `error_code` 0
 * @throws {NotUnderstood}
 */
export const parseUserList = (data: unknown): readonly HsmUser[] => {
  const listing = LISTING.safeParse(data)
  if (listing.success) return listing.data.users.flatMap(usersOf)
  const [issue] = listing.error.issues
  throw new NotUnderstood(`"user list" does not have the known form: data.${issue?.path.join('.')}: ${issue?.message}`)
}

/** The keys of a row whose value differs between the HSMs of the cluster, as the program names them. */
export const inconsistentKeys = (user: ListedUser): readonly string[] =>
  [
    { key: 'role', values: [user.role] },
    { key: 'locked', values: [user.locked] },
    { key: 'mfa', values: user.mfa.map(({ status }) => status) },
    { key: 'quorum', values: user.quorum.map(({ status }) => status) },
    { key: 'cluster-coverage', values: [user['cluster-coverage']] },
  ].flatMap(({ key, values }) => (values.some((value) => value === 'inconsistent') ? [key] : []))

const usersOf = (row: ListedUser): readonly HsmUser[] =>
  typesOf(row).map((type) => ({
    userId: null,
    type,
    name: row.username,
    mofnPubKey: row.quorum.length > 0,
    loginFailureCount: null,
    twoFactor: row.mfa.length > 0,
    locked: row.locked !== 'false',
    inconsistent: inconsistentKeys(row),
  }))

const typesOf = ({ role, username }: ListedUser): readonly HsmUserType[] => {
  if (role === 'inconsistent') return EITHER
  const type = typeOf(role)
  if (type === null) throw new NotUnderstood(`"user list" shows "${username}" in the unknown role "${role}"`)
  return [type]
}
