import type { FleetUser } from './fleet.js'
import { FleetError } from './fleet-error.js'
import type { FleetFileUser } from './schema.js'

/** A list of users in the file, and where it stands there. */
export interface UserList {
  readonly path: string
  readonly users: readonly FleetFileUser[]
}

const SERVICE_USER: FleetFileUser = { type: 'AU', name: 'app_user' }

/**
 * The users of one HSM. Later lists replace users of earlier ones, found by type and name; IDs follow the order of the
 * family's list, with the service's `app_user` second as on real HSMs, and are the same on every HSM of the family.
 * @param lists family, cluster, HSM
 * @throws {FleetError} a user without a password, or two users with one name or one ID
 */
export const usersOf = (lists: readonly UserList[]): FleetUser[] => {
  const merged = new Map<string, { user: FleetFileUser; path: string }>()
  for (const { path, users } of lists) {
    const seen = new Set<string>()
    users.forEach((user, index) => {
      const at = `${path}[${index}]`
      const key = `${user.type}:${user.name.toLowerCase()}`
      if (seen.has(key)) throw new FleetError(at, `${user.type}:${user.name} is listed twice`)
      seen.add(key)
      // Setting an existing key keeps its place, and with it its ID.
      merged.set(key, { user: { ...merged.get(key)?.user, ...user }, path: at })
    })
  }
  if (!merged.has('AU:app_user')) {
    const [first, ...others] = merged
    merged.clear()
    if (first) merged.set(...first)
    merged.set('AU:app_user', { user: SERVICE_USER, path: '' })
    for (const [key, value] of others) merged.set(key, value)
  }
  return numbered([...merged.values()])
}

const numbered = (entries: readonly { user: FleetFileUser; path: string }[]): FleetUser[] => {
  const taken = new Set(entries.flatMap(({ user }) => user.id ?? []))
  const names = new Set<string>()
  const ids = new Set<number>()
  let next = 1
  const result: FleetUser[] = []
  for (const { user, path } of entries) {
    if (user.id === undefined) while (taken.has(next)) next += 1
    const id = user.id ?? next++
    if (user.absent) continue
    if (user.password === undefined && user.type !== 'AU') throw new FleetError(path, 'needs a password')
    if (names.has(user.name.toLowerCase())) throw new FleetError(path, `another user is named "${user.name}" already`)
    if (ids.has(id)) throw new FleetError(path, `another user has ID ${id} already`)
    names.add(user.name.toLowerCase())
    ids.add(id)
    result.push({
      id,
      type: user.type,
      name: user.name,
      password: user.password ?? null,
      mofnPubKey: user.mofnPubKey ?? false,
      twoFactor: user.twoFactor ?? false,
      failures: user.failures ?? 0,
    })
  }
  return result
}
