import type { LoginCounts } from '../hsm/hsm.js'
import type { UserType } from '../hsm/user.js'
import type { Simulator } from './simulator.js'

/** What the HSMs really hold, whatever a client can see. */
export interface Truth {
  readonly hsms: readonly {
    readonly hsmId: string
    readonly clusterId: string
    readonly region: string
    readonly eniIp: string
    readonly users: readonly TrueUser[]
    /** Logins by `TYPE:name`, only when counters were asked for. */
    readonly logins?: Readonly<Record<string, LoginCounts>>
  }[]
}

export interface TrueUser {
  readonly id: number
  readonly type: UserType
  readonly name: string
  readonly failures: number
  readonly locked: boolean
  /** Open sessions, through any client. */
  readonly sessions: number
}

/** @param counters also how often users logged in; without them, two truths are equal when nothing changed */
export const truthOf = ({ appliances }: Simulator, counters: boolean): Truth => ({
  hsms: appliances.map(({ clusterId, eniIp, hsm, hsmId, region }) => ({
    hsmId,
    clusterId,
    region,
    eniIp,
    users: hsm.users.map((user) => ({
      id: user.id,
      type: user.type,
      name: user.name,
      failures: user.failures,
      locked: user.locked,
      sessions: hsm.sessionsOf(user),
    })),
    ...(counters && { logins: Object.fromEntries([...hsm.logins].sort()) }),
  })),
})

/** Which HSMs hold a password. */
export interface PasswordCheck {
  readonly hsms: readonly {
    readonly hsmId: string
    readonly clusterId: string
    /** Null where the HSM has no such user. */
    readonly match: boolean | null
  }[]
}

/** Compares without a login, so nothing is counted. */
export const checkPassword = (
  { appliances }: Simulator,
  user: { readonly type: string; readonly name: string },
  password: string,
): PasswordCheck => ({
  hsms: appliances.map(({ clusterId, hsm, hsmId }) => ({
    hsmId,
    clusterId,
    match: hsm.matches(user.type, user.name, password),
  })),
})
