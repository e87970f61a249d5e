import type { UserType } from '../hsm/user.js'
import { PlainError } from './answer.js'
import type { ClusterConnection } from './connection.js'
import { roleOf } from './roles.js'
import { atLeast, type CliSettings, SINCE } from './settings.js'
import { TEXTS } from './texts.js'

/** A user as one HSM lists it. */
export interface HsmUser {
  readonly id: number
  readonly type: UserType
  readonly name: string
  readonly mofnPubKey: boolean
  readonly twoFactor: boolean
  readonly locked: boolean
}

interface Strategy {
  readonly strategy: 'token-sign'
  readonly status: 'enabled' | 'inconsistent'
}

/** A user as the program shows it: one row for the whole cluster. */
export interface ListedUser {
  readonly username: string
  readonly role: string
  readonly locked: string
  readonly mfa: readonly Strategy[]
  readonly quorum?: readonly Strategy[]
  readonly 'cluster-coverage': 'full' | 'inconsistent'
}

/** Asks every HSM and merges the answers. HSMs that are lost are left out. @throws {PlainError} all of them are */
export const mergedUsers = async (cluster: ClusterConnection, settings: CliSettings): Promise<ListedUser[]> => {
  const replies = await cluster.ask<{ users: readonly HsmUser[] }>({ op: 'list' })
  const lists = replies.flatMap((reply) => (reply.ok ? [reply.users] : []))
  if (lists.length === 0) throw new PlainError(TEXTS.disconnected)
  const byName = new Map<string, HsmUser[]>()
  for (const user of lists.flat()) {
    const key = user.name.toLowerCase()
    byName.set(key, [...(byName.get(key) ?? []), user])
  }
  return [...byName].map(([username, found]) => ({
    username,
    role: agreed(found.map(({ type }) => roleOf(type))),
    locked: agreed(found.map(({ locked }) => String(locked))),
    mfa: strategies(found.map(({ twoFactor }) => twoFactor)),
    ...(atLeast(settings, SINCE.quorum) && { quorum: strategies(found.map(({ mofnPubKey }) => mofnPubKey)) }),
    'cluster-coverage': found.length === lists.length ? 'full' : 'inconsistent',
  }))
}

/** Whether anything about the user differs between HSMs. */
export const isInconsistent = ({ locked, mfa, quorum = [], role, ...user }: ListedUser): boolean =>
  [role, locked, user['cluster-coverage'], ...[...mfa, ...quorum].map(({ status }) => status)].includes('inconsistent')

const agreed = (values: readonly string[]): string =>
  values.every((value) => value === values[0]) ? (values[0] ?? '') : 'inconsistent'

const strategies = (on: readonly boolean[]): readonly Strategy[] => {
  if (!on.includes(true)) return []
  return [{ strategy: 'token-sign', status: on.includes(false) ? 'inconsistent' : 'enabled' }]
}
