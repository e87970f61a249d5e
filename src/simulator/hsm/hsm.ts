import { calmConditions, type HsmBehaviour, type HsmConditions } from './behaviour.js'
import { type MaskedObject, type MaskingKey, mask, unmask } from './masked-object.js'
import { passwordMatches, sameRecord, storePassword } from './password.js'
import { type HsmReply, refused, STATUS } from './status.js'
import { isOfficer, keyOf, type User, type UserType } from './user.js'

/** One connection's login. A session that was closed keeps its user, for requests already on their way. */
export interface Session {
  user: User | null
  /** Through Client SDK 5, which asks for the second factor; the utility of SDK 3 is not imitated that far. */
  readonly sdk5: boolean
}

const TYPES: readonly string[] = ['CO', 'CU', 'PCO', 'PRECO']
const NAME = /^[A-Za-z0-9_]{1,31}$/
const goodLength = (password: string): boolean => password.length >= 7 && password.length <= 32

/** How often users of this HSM logged in, for tests that count. */
export interface LoginCounts {
  ok: number
  failed: number
}

/**
 * One HSM: its users and its rules, without time, network or faults of the line. Every method is one request, and
 * refuses the way a real HSM would.
 */
export class Hsm {
  readonly conditions: HsmConditions = calmConditions()
  /** By `keyOf`. */
  readonly logins = new Map<string, LoginCounts>()
  readonly #users = new Map<string, User>()
  readonly #sessions = new Set<Session>()
  readonly #behaviour: HsmBehaviour
  maskingKey: MaskingKey
  readonly hsmType: string

  constructor(
    maskingKey: MaskingKey,
    behaviour: HsmBehaviour,
    users: readonly User[],
    hsmType: string = 'hsm1.medium',
  ) {
    this.hsmType = hsmType
    this.maskingKey = maskingKey
    this.#behaviour = behaviour
    for (const user of users) this.#users.set(keyOf(user.type, user.name), { ...user })
  }

  /** Users by ascending ID. */
  get users(): readonly Readonly<User>[] {
    return [...this.#users.values()].sort((a, b) => a.id - b.id)
  }

  find(type: string, name: string): User | undefined {
    return this.#users.get(keyOf(type, name))
  }

  open(sdk5 = false): Session {
    const session: Session = { user: null, sdk5 }
    this.#sessions.add(session)
    return session
  }

  close(session: Session): void {
    this.#sessions.delete(session)
  }

  /** Open sessions of the user, ours and others'. */
  sessionsOf(user: Readonly<User>): number {
    let count = this.conditions.sessionsElsewhere.get(keyOf(user.type, user.name)) ?? 0
    for (const session of this.#sessions) if (session.user === user) count += 1
    return count
  }

  /** Whether the user's password is `password`; null without such a user. Not a login: nothing is counted. */
  matches(type: string, name: string, password: string): boolean | null {
    const user = this.find(type, name)
    if (!user) return null
    return user.password !== null && passwordMatches(user.password, password)
  }

  login(session: Session, type: string, name: string, password: string): HsmReply<object> {
    const user = this.find(type, name)
    if (!user) return refused(STATUS.unknownUser)
    if (session.user && session.user !== user) return refused(STATUS.sessionBusy)
    const right = user.password !== null && passwordMatches(user.password, password)
    if (user.locked || !right) return this.refuseLogin(user)
    if (user.twoFactor && session.sdk5) return refused(STATUS.secondFactorMissing)
    const without = user.twoFactor ? this.#behaviour.loginWithoutSecondFactor : 'accept'
    if (without === 'count') return this.refuseLogin(user)
    if (without === 'refuse') return refused(STATUS.loginFailure)
    this.#count(user).ok += 1
    if (this.#behaviour.loginResetsFailures) user.failures = 0
    session.user = user
    return { ok: true }
  }

  /** A login that fails and counts. A locked user's count stays at the limit. */
  refuseLogin(user: User): HsmReply<never> {
    this.#count(user).failed += 1
    if (!user.locked) this.setFailures(user, user.failures + 1)
    return refused(STATUS.loginFailure)
  }

  /** Sets the count, and the lock with it. */
  setFailures(user: User, failures: number): void {
    user.failures = failures
    user.locked = failures >= this.#behaviour.lockoutLimit
  }

  logout(session: Session): HsmReply<object> {
    if (!session.user) return refused(STATUS.notPermitted)
    session.user = null
    return { ok: true }
  }

  changePassword(session: Session, type: string, name: string, password: string): HsmReply<object> {
    const user = this.find(type, name)
    const own = user !== undefined && session.user === user
    if (!own && !isOfficer(session.user)) return refused(STATUS.notPermitted)
    if (!TYPES.includes(type)) return refused(STATUS.invalidUserType)
    if (!user) return refused(STATUS.noSuchUser)
    if (!goodLength(password)) return refused(STATUS.passwordLength)
    if (this.conditions.limitedWrite) return refused(STATUS.limitedWrite)
    if ((!own || this.#behaviour.quorumGatesOwnPassword) && this.#needsApproval) return refused(STATUS.quorumRequired)
    if (!own && this.sessionsOf(user) > 0) return refused(STATUS.loggedInElsewhere)
    user.password = storePassword(password)
    this.setFailures(user, 0)
    // A change drops what was registered beside the password, and activates the first officer.
    user.mofnPubKey = false
    user.twoFactor = false
    if (user.type === 'PRECO') this.#rename(user, 'CO', user.name)
    return { ok: true }
  }

  createUser(session: Session, type: string, name: string, password: string): HsmReply<object> {
    if (!isOfficer(session.user)) return refused(STATUS.notPermitted)
    if (!TYPES.includes(type)) return refused(STATUS.invalidUserType)
    if (!NAME.test(name)) return refused(STATUS.invalidInput)
    if (!goodLength(password)) return refused(STATUS.passwordLength)
    if (this.conditions.limitedWrite) return refused(STATUS.limitedWrite)
    if (this.#needsApproval) return refused(STATUS.quorumRequired)
    if (this.#named(name)) return refused(STATUS.nameTaken)
    if (this.conditions.full) return refused(STATUS.full)
    this.put({
      id: this.#freeId(),
      type: type as UserType,
      name,
      password: storePassword(password),
      mofnPubKey: false,
      twoFactor: false,
      failures: 0,
      locked: false,
    })
    return { ok: true }
  }

  /** @returns the deleted user as a masked object, so that the utility can roll back */
  deleteUser(session: Session, type: string, name: string): HsmReply<{ undo: MaskedObject }> {
    if (!isOfficer(session.user)) return refused(STATUS.notPermitted)
    if (!TYPES.includes(type)) return refused(STATUS.invalidUserType)
    const user = this.find(type, name)
    if (!user) return refused(STATUS.noSuchUser)
    if (this.conditions.limitedWrite) return refused(STATUS.limitedWrite)
    if (this.#needsApproval) return refused(STATUS.quorumRequired)
    if (this.sessionsOf(user) > 0) return refused(STATUS.loggedInElsewhere)
    this.remove(user)
    return { ok: true, undo: mask(this.maskingKey, user, this.hsmType) }
  }

  extract(session: Session, userId: number): HsmReply<{ object: MaskedObject }> {
    if (!isOfficer(session.user)) return refused(STATUS.notPermitted)
    const user = this.#numbered(userId)
    return user ? { ok: true, object: mask(this.maskingKey, user, this.hsmType) } : refused(STATUS.noSuchUser)
  }

  insert(session: Session, object: MaskedObject): HsmReply<object> {
    if (!isOfficer(session.user)) return refused(STATUS.notPermitted)
    const incoming = unmask(this.maskingKey, object, this.hsmType)
    if (!incoming) return refused(STATUS.cannotUnmask)
    if (this.conditions.limitedWrite) return refused(STATUS.limitedWrite)
    const named = this.#named(incoming.name)
    const numbered = this.#numbered(incoming.id)
    const existing = this.#behaviour.syncUserMatches === 'id' ? numbered : named
    if (!existing) {
      if (named) return refused(STATUS.alreadyCreated)
      if (this.conditions.full) return refused(STATUS.full)
      this.put({ ...incoming, id: numbered ? this.#freeId() : incoming.id })
      return { ok: true }
    }
    const policy = this.conditions.syncRefuses ? 'refuse' : this.#behaviour.syncUserExisting
    if (policy === 'ignore') return { ok: true }
    // Matched by ID, the name must not end up twice.
    if (policy === 'refuse' || (named && named !== existing)) return refused(STATUS.alreadyCreated)
    if (this.#behaviour.syncUserOntoLoggedIn === 'deny' && this.sessionsOf(existing) > 0) {
      return refused(STATUS.loggedInElsewhere)
    }
    this.#rename(existing, incoming.type, incoming.name)
    existing.password = incoming.password
    existing.mofnPubKey = incoming.mofnPubKey
    existing.twoFactor = incoming.twoFactor
    if (this.#behaviour.syncResetsFailures) this.setFailures(existing, 0)
    return { ok: true }
  }

  /**
   * Takes a user over from a clone: creates it, or gives the one that exists the password, provided that type, lock, second
   * factor and quorum key are equal. A user of that name keeps its ID.
   * @param locked whether the user is locked where it comes from
   */
  replicate(session: Session, object: MaskedObject, locked: boolean): HsmReply<object> {
    if (!isOfficer(session.user)) return refused(STATUS.notPermitted)
    const incoming = unmask(this.maskingKey, object, this.hsmType)
    if (!incoming) return refused(STATUS.cannotUnmask)
    if (this.conditions.limitedWrite) return refused(STATUS.limitedWrite)
    if (this.#needsApproval) return refused(STATUS.quorumRequired)
    const existing = this.#named(incoming.name)
    if (!existing) {
      if (this.conditions.full) return refused(STATUS.full)
      const id = this.#numbered(incoming.id) ? this.#freeId() : incoming.id
      const created = { ...incoming, id }
      if (locked) this.setFailures(created, this.#behaviour.lockoutLimit)
      this.put(created)
      return { ok: true }
    }
    const same =
      existing.type === incoming.type &&
      existing.locked === locked &&
      existing.twoFactor === incoming.twoFactor &&
      existing.mofnPubKey === incoming.mofnPubKey
    if (!same) return refused(STATUS.attributesDiffer)
    if (sameRecord(existing.password, incoming.password)) return { ok: true }
    const policy = this.conditions.syncRefuses ? 'refuse' : this.#behaviour.userReplicateExisting
    if (policy === 'ignore') return { ok: true }
    if (policy === 'refuse') return refused(STATUS.alreadyCreated)
    const ours = session.user === existing ? 1 : 0
    if (this.#behaviour.syncUserOntoLoggedIn === 'deny' && this.sessionsOf(existing) > ours) {
      return refused(STATUS.loggedInElsewhere)
    }
    existing.password = incoming.password
    if (this.#behaviour.syncResetsFailures) this.setFailures(existing, 0)
    return { ok: true }
  }

  /** Brings a deleted user back under its ID. */
  restore(session: Session, object: MaskedObject): HsmReply<object> {
    if (!isOfficer(session.user)) return refused(STATUS.notPermitted)
    const user = unmask(this.maskingKey, object, this.hsmType)
    if (!user) return refused(STATUS.cannotUnmask)
    if (this.conditions.limitedWrite) return refused(STATUS.limitedWrite)
    if (this.#named(user.name)) return refused(STATUS.nameTaken)
    this.put(user)
    return { ok: true }
  }

  /** Approvals needed for user management (service 3); 0 when no quorum is set. */
  mValue(service: number): number {
    return service === 3 ? this.conditions.quorum : 0
  }

  /** Adds or replaces a user without asking anybody: for faults. */
  put(user: User): void {
    this.#users.set(keyOf(user.type, user.name), user)
  }

  /** Removes a user without asking anybody: for faults. */
  remove(user: User): void {
    this.#users.delete(keyOf(user.type, user.name))
  }

  /** Forgets all users and takes these. */
  replaceUsers(users: readonly Readonly<User>[]): void {
    this.#users.clear()
    for (const user of users) this.put({ ...user })
  }

  get #needsApproval(): boolean {
    return this.conditions.quorum > 1
  }

  #named(name: string): User | undefined {
    for (const user of this.#users.values()) if (user.name.toLowerCase() === name.toLowerCase()) return user
    return undefined
  }

  #numbered(id: number): User | undefined {
    for (const user of this.#users.values()) if (user.id === id) return user
    return undefined
  }

  #freeId(): number {
    let highest = 0
    for (const { id } of this.#users.values()) highest = Math.max(highest, id)
    return highest + 1
  }

  #rename(user: User, type: UserType, name: string): void {
    this.remove(user)
    user.type = type
    user.name = name
    this.put(user)
  }

  #count(user: User): LoginCounts {
    const key = keyOf(user.type, user.name)
    const counts = this.logins.get(key) ?? { ok: 0, failed: 0 }
    this.logins.set(key, counts)
    return counts
  }
}
