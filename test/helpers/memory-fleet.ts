import type { Answer, ConsoleFailureKind } from '../../src/domain/hsm-console.js'
import type { ClusterId, HsmId } from '../../src/domain/ids.js'
import type { Roster, RosterEntry } from '../../src/domain/roster.js'
import { Secret } from '../../src/domain/secret.js'
import type { HsmBehaviour } from '../../src/simulator/hsm/behaviour.js'
import { Hsm } from '../../src/simulator/hsm/hsm.js'
import { storePassword } from '../../src/simulator/hsm/password.js'
import type { User } from '../../src/simulator/hsm/user.js'

/** What HSMs of a test may hold for a user. `other`: what somebody else gave it. */
export type Held = 'old' | 'new' | 'other'

export const PASSWORDS: Readonly<Record<Held, Secret>> = {
  old: new Secret('TEST-SECRET-old'),
  new: new Secret('TEST-SECRET-new'),
  other: new Secret('TEST-SECRET-other'),
}
const HELD = Object.keys(PASSWORDS) as readonly Held[]

export const OFFICER = { user: { type: 'CO', name: 'admin' }, password: new Secret('TEST-SECRET-officer') } as const

/** One HSM: its users and rules as the simulator has them, and whether anybody reaches it. */
export interface TestHsm {
  readonly server: RosterEntry
  readonly hsm: Hsm
  readonly serial: string
  away: boolean
}

/** What befalls a command: the conversation breaks, before or after it was carried out, or it is answered so. */
export type Mishap =
  | { readonly breaks: ConsoleFailureKind; readonly carriedOut?: boolean }
  | { readonly answer: Answer; readonly carriedOut?: boolean }

/** As AWS describes it, where it does. */
const DOCUMENTED: HsmBehaviour = {
  syncUserExisting: 'overwrite',
  syncUserMatches: 'id',
  syncUserOntoLoggedIn: 'deny',
  userReplicateExisting: 'overwrite',
  quorumGatesOwnPassword: false,
  loginResetsFailures: true,
  syncResetsFailures: true,
  loginWithoutSecondFactor: 'refuse',
  lockoutLimit: 5,
}

const FAMILY_KEY = Buffer.alloc(32, 7)

/** The letter an HSM of a test is named after. */
export const letterOf = (hsmId: string): string => hsmId.at(-1) ?? ''

/** HSMs with an officer, a bystander and users that all hold the old password. */
export class MemoryFleet {
  readonly hsms: TestHsm[]
  /** What HSMs were told, in order: `change CU:app a`, `copy CU:app a>c`, `login CO:admin b c`. */
  readonly heard: string[] = []
  readonly #mishaps: { readonly words: string; readonly mishap: Mishap }[] = []
  readonly #meanwhile: { readonly words: string; readonly act: () => void }[] = []
  readonly #behaviour: HsmBehaviour
  readonly #users: readonly string[]

  constructor(roster: Roster, users: readonly string[], behaviour: Partial<HsmBehaviour> = {}) {
    this.#behaviour = { ...DOCUMENTED, ...behaviour }
    this.#users = users
    this.hsms = roster.map((server) => this.#hsmAt(server))
  }

  at(hsmId: HsmId): TestHsm {
    const found = this.hsms.find(({ server }) => server.hsmId === hsmId)
    if (found === undefined) throw new Error(`${hsmId} is no HSM of this fleet`)
    return found
  }

  /** Those of a cluster, in order. */
  of(clusterId: ClusterId): readonly TestHsm[] {
    return this.hsms.filter(({ server }) => server.clusterId === clusterId)
  }

  /** A cluster gains an HSM; its users hold the old password. */
  add(server: RosterEntry): void {
    this.hsms.push(this.#hsmAt(server))
  }

  user(hsmId: HsmId, name = 'app'): User {
    const user = this.at(hsmId).hsm.find('CU', name)
    if (user === undefined) throw new Error(`CU:${name} is missing on ${hsmId}`)
    return user
  }

  /** Gives a user a password without asking anybody, and clears its count. */
  give(hsmId: HsmId, held: Held, name = 'app'): void {
    const user = this.user(hsmId, name)
    user.password = storePassword(PASSWORDS[held].reveal())
    this.at(hsmId).hsm.setFailures(user, 0)
  }

  /** Somebody's logins fail. */
  fail(hsmId: HsmId, times: number, name = 'app'): void {
    this.at(hsmId).hsm.setFailures(this.user(hsmId, name), times)
  }

  remove(hsmId: HsmId, name = 'app'): void {
    this.at(hsmId).hsm.remove(this.user(hsmId, name))
  }

  /** A client holds a session of the user there, or lets go of it. */
  logIn(hsmId: HsmId, sessions = 1, name = 'app'): void {
    this.at(hsmId).hsm.conditions.sessionsElsewhere.set(`CU:${name}`, sessions)
  }

  /** What each HSM holds for a user: `a new, b old, c absent`. */
  holds(name = 'app'): string {
    return this.hsms
      .map(({ server, hsm }) => {
        const held = HELD.find((word) => hsm.matches('CU', name, PASSWORDS[word].reveal()) === true)
        return `${letterOf(server.hsmId)} ${hsm.find('CU', name) === undefined ? 'absent' : (held ?? '?')}`
      })
      .join(', ')
  }

  /** Failed logins in a row, HSM by HSM. */
  failures(name = 'app'): readonly number[] {
    return this.hsms.map(({ server }) => this.user(server.hsmId, name).failures)
  }

  /** The next command that begins with these words meets with this. */
  befall(words: string, mishap: Mishap): void {
    this.#mishaps.push({ words, mishap })
  }

  /** Before the next command that begins with these words reaches anybody, this happens. */
  meanwhile(words: string, act: () => void): void {
    this.#meanwhile.push({ words, act })
  }

  /** A command that is on its way. @returns what befalls it */
  hear(words: string): Mishap | null {
    this.heard.push(words)
    takeFirst(this.#meanwhile, words)?.act()
    return takeFirst(this.#mishaps, words)?.mishap ?? null
  }

  #hsmAt(server: RosterEntry): TestHsm {
    const account = (id: number, type: User['type'], name: string, password: string): User => ({
      id,
      type,
      name,
      password: storePassword(password),
      mofnPubKey: false,
      twoFactor: false,
      failures: 0,
      locked: false,
    })
    const users = [
      account(1, 'CO', OFFICER.user.name, OFFICER.password.reveal()),
      account(3, 'CU', 'bystander', 'TEST-SECRET-bystander'),
      ...this.#users.map((name, nth) => account(4 + nth, 'CU', name, PASSWORDS.old.reveal())),
    ]
    const hsm = new Hsm(FAMILY_KEY, this.#behaviour, users)
    return { server, hsm, serial: `SN-${letterOf(server.hsmId)}`, away: false }
  }
}

const takeFirst = <T extends { readonly words: string }>(waiting: T[], words: string): T | undefined => {
  const index = waiting.findIndex((one) => words.startsWith(one.words))
  return index < 0 ? undefined : waiting.splice(index, 1)[0]
}
