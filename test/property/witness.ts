import { isDeepStrictEqual } from 'node:util'
import type { HsmUserRef } from '../../src/domain/hsm-user.js'
import type { HsmId } from '../../src/domain/ids.js'
import type { RosterEntry } from '../../src/domain/roster.js'
import type { Intent, JournalEntry } from '../../src/domain/rotation/journal-entry.js'
import { ledgerOf, type RotationLedger } from '../../src/domain/rotation/rotation.js'
import type { Secret } from '../../src/domain/secret.js'
import type { StoredPassword } from '../../src/simulator/hsm/password.js'
import type { User } from '../../src/simulator/hsm/user.js'
import { type Appliance, DRIFTED, LOCKOUT_LIMIT, type RotatedUser } from './fleet.js'
import type { Invocation } from './invocation.js'
import { entriesOf, type KeptJournal } from './journals.js'
import type { World } from './world.js'

/** Refused logins of a user on a cluster in one rotation, where no count can be read. */
const MOST_REFUSALS = 2

/** What a cell holds, by the HSM itself. */
export type Held = 'absent' | 'old' | 'drifted' | 'new' | 'something-else'

/** A rotation as the first lines of its journal tell it. */
interface Reread {
  readonly ledger: RotationLedger
  readonly count: number
}

/**
 * Sees everything that happens to the HSMs and compares it with what was promised (the invariants of the design). It
 * knows the passwords and looks into the HSMs; what the engine believes is the thing in doubt.
 */
export class Witness {
  /** What was seen that must not be, in words. */
  readonly violations: string[] = []
  /** By the password as the HSM keeps it, and by what it says: copies are the same. So each is hashed once. */
  readonly #held = new WeakMap<StoredPassword, Held>()
  readonly #heldByDigest = new Map<string, Held>()
  /** The rotation as each journal tells it when it is read from the disk. */
  readonly #reread = new Map<KeptJournal, Reread>()
  readonly #returned = new Set<string>()
  /** Refused logins that the journal knows of, by cluster and user. */
  readonly #refusals = new Map<string, number>()
  readonly #world: World
  readonly #bystanders: Map<HsmId, string>

  constructor(world: World) {
    this.#world = world
    this.#bystanders = new Map(this.#everybody().map((appliance) => [appliance.hsmId, this.#others(appliance)]))
  }

  /** Invariant 1: a read of the store returned this one. */
  storeReturned(secret: Secret): void {
    this.#returned.add(secret.reveal())
  }

  /** Invariant 6: conversations are opened with HSMs that AWS reported for the clusters of the rotation, and no others. */
  isInRoster(servers: readonly RosterEntry[]): void {
    for (const { hsmId, eniIp, clusterId } of servers) {
      const cluster = this.#world.fleet.clusters.find((candidate) => candidate.clusterId === clusterId)
      const known = cluster?.appliances.find((appliance) => appliance.eniIp === eniIp)
      if (cluster?.named === true && known !== undefined && hsmId.startsWith(known.slot)) continue
      this.#accuse(`6: spoke to ${hsmId} at ${eniIp}, which is none of this rotation`)
    }
  }

  /** Invariant 7: whoever logs in or writes holds the lock of every cluster of the rotation. */
  isAllowed(invocation: Invocation): void {
    if (invocation.dead) return
    for (const { clusterId, named } of this.#world.fleet.clusters) {
      if (!named || this.#world.locks.get(clusterId) === invocation) continue
      this.#accuse(`7: ${invocation.name} works without the lock of ${clusterId}`)
    }
  }

  /** Invariant 4: no second failed login of one invocation in one cell, and nobody locked by us. */
  sawFailedLogin(invocation: Invocation, { hsmId }: Appliance, user: Readonly<User>): void {
    const cell = `${hsmId} ${user.type}:${user.name}`
    const count = (invocation.failedLogins.get(cell) ?? 0) + 1
    invocation.failedLogins.set(cell, count)
    if (count > 1) this.#accuse(`4: ${invocation.name} failed to log in ${count} times at ${cell}`)
    // Where no count can be read, what other clients did cannot be seen.
    const unseen = this.#uncounted ? this.#world.foreignFailures(cell) : 0
    if (user.locked && user.failures - unseen >= LOCKOUT_LIMIT) this.#accuse(`4: ${invocation.name} locked ${cell}`)
  }

  /** The utility told of a success, so that nobody could learn of this failure. */
  wasHidden(invocation: Invocation, { hsmId }: Appliance, user: Readonly<User>): void {
    const cell = `${hsmId} ${user.type}:${user.name}`
    invocation.failedLogins.delete(cell)
    this.#world.addForeignFailure(cell)
  }

  /** Invariant 6 where the utility reaches more HSMs than it was told of: they are those that the session says it reaches. */
  isProved(invocation: Invocation, { slot }: Appliance, hsmIds: readonly HsmId[]): void {
    if (this.#world.standIns || hsmIds.some((hsmId) => hsmId.startsWith(slot))) return
    this.#accuse(`6: ${invocation.name} reaches ${slot}, and its session speaks of ${hsmIds.join(', ')}`)
  }

  /** A change of the password clears the count. */
  sawChange(invocation: Invocation, { hsmId }: Appliance, user: HsmUserRef): void {
    invocation.failedLogins.delete(`${hsmId} ${user.type}:${user.name}`)
  }

  /** Nobody leaves a user logged in. */
  leftNoSession(invocation: Invocation): void {
    if (invocation.openSessions > 0) this.#accuse(`${invocation.name} left ${invocation.openSessions} sessions open`)
  }

  /** After each write to an HSM. */
  sawWrite(appliance: Appliance): void {
    for (const user of this.#world.fleet.users) this.#checkCell(appliance, user)
    const others = this.#others(appliance)
    const before = this.#bystanders.get(appliance.hsmId)
    if (before !== undefined && before !== others)
      this.#accuse(`other users of ${appliance.hsmId} changed: ${before}; ${others}`)
  }

  /** After each line of a journal: what it says now of the cell it speaks of, or of all. */
  sawLine({ entries, ledger }: KeptJournal, { event }: JournalEntry): void {
    const asked = event.type === 'answer' ? entries[event.to - 1]?.event : event
    if (event.type === 'answer' && asked?.type === 'intent' && asked.intent.act === 'login') {
      if (event.answer.kind === 'refused') this.#sawRefusal(asked.intent)
    }
    if (asked?.type !== 'intent') {
      this.#checkClaims(ledger)
      return
    }
    const user = this.#world.fleet.users.find(({ key }) => key === asked.intent.user)
    for (const hsmId of asked.intent.hsmIds) {
      const appliance = this.#find(hsmId)
      if (appliance !== undefined && user !== undefined) this.#checkClaim(ledger, appliance, user)
    }
  }

  /** After each invocation: every cell, every claim, and that the journal tells the same when it is read again. */
  look(): void {
    for (const appliance of this.#named()) {
      for (const user of this.#world.fleet.users) this.#checkCell(appliance, user)
    }
    const journals = [...this.#world.journals.values()]
    for (const journal of journals) this.#readAgain(journal)
    // What an earlier rotation said is history once another one was begun.
    const latest = journals.at(-1)
    if (latest !== undefined) this.#checkClaims(latest.ledger)
  }

  /** A cluster refused so many logins of somebody that, unable to read a count, nobody may ask again. */
  get budgetIsSpent(): boolean {
    return (
      this.#uncounted && [...this.#refusals.values(), ...this.#remembered()].some((count) => count >= MOST_REFUSALS)
    )
  }

  /** What was refused before is forgotten with it. */
  journalIsLost(): void {
    this.#refusals.clear()
  }

  /** What the HSM holds for the user. */
  held({ hsm }: Appliance, user: RotatedUser): Held {
    const stored = hsm.find(user.type, user.name)?.password
    if (stored === undefined || stored === null) return 'absent'
    const known = this.#held.get(stored)
    if (known !== undefined) return known
    const digest = stored.digest.toString('latin1')
    const copied = this.#heldByDigest.get(digest)
    if (copied !== undefined) {
      this.#held.set(stored, copied)
      return copied
    }
    const matches = (password: string) => hsm.matches(user.type, user.name, password) === true
    const found = matches(user.new.reveal())
      ? 'new'
      : matches(user.old.reveal())
        ? 'old'
        : matches(DRIFTED)
          ? 'drifted'
          : 'something-else'
    this.#held.set(stored, found)
    this.#heldByDigest.set(digest, found)
    return found
  }

  /** Cells of these HSMs that hold something else than `wanted`. Old is whatever was there before. */
  exceptions(wanted: Held, hsmIds: readonly HsmId[]): string[] {
    return hsmIds.flatMap((hsmId) => {
      const appliance = this.#find(hsmId)
      if (appliance === undefined) return []
      return this.#world.fleet.users.flatMap((user) => {
        const held = this.held(appliance, user)
        return held === wanted || (wanted === 'old' && held !== 'new' && held !== 'something-else')
          ? []
          : [`${hsmId} ${user.key} is ${held}`]
      })
    })
  }

  accuse(words: string): void {
    this.#accuse(words)
  }

  /** Only what was written since is read, which comes to the same as reading all of it. */
  #readAgain(journal: KeptJournal): void {
    const entries = entriesOf(journal)
    const known = this.#reread.get(journal)
    if (known?.count === entries.length) return
    const ledger = known?.ledger ?? ledgerOf(entries.slice(0, 1))
    for (const entry of entries.slice(known?.count ?? 1)) ledger.apply(entry)
    this.#reread.set(journal, { ledger, count: entries.length })
    if (!isDeepStrictEqual(ledger.rotation(), journal.ledger.rotation()))
      this.#accuse('the journal tells another story when it is read again')
  }

  get #uncounted(): boolean {
    return this.#world.story.fleet.utility === 'cloudhsm-cli'
  }

  /** Invariant 4 where no count can be read: the journal is the budget. */
  #sawRefusal({ user, hsmIds }: Intent): void {
    if (!this.#uncounted) return
    const clusterIds = new Set(hsmIds.flatMap((hsmId) => this.#find(hsmId)?.clusterId ?? []))
    for (const clusterId of clusterIds) {
      const count = (this.#refusals.get(`${clusterId} ${user}`) ?? 0) + 1
      this.#refusals.set(`${clusterId} ${user}`, count)
      if (count > MOST_REFUSALS) this.#accuse(`4: ${clusterId} refused ${count} logins of ${user} in one rotation`)
    }
  }

  #remembered(): readonly number[] {
    return [...this.#world.refusedLogins.values()].map(({ count }) => count)
  }

  #checkCell(appliance: Appliance, user: RotatedUser): void {
    const held = this.held(appliance, user)
    if (held === 'something-else') this.#accuse(`2: ${appliance.hsmId} ${user.key} holds neither old nor new`)
    if (held === 'new' && !this.#returned.has(user.new.reveal())) {
      this.#accuse(`1: ${appliance.hsmId} ${user.key} is new before the store returned it`)
    }
  }

  #checkClaims(ledger: RotationLedger): void {
    for (const appliance of this.#named()) {
      for (const user of this.#world.fleet.users) this.#checkClaim(ledger, appliance, user)
    }
  }

  /** Invariant 2: what is stated as certain is true. */
  #checkClaim(ledger: RotationLedger, appliance: Appliance, user: RotatedUser): void {
    const { state, proof, evidence } = ledger.cell(user.key, appliance.hsmId)
    if (state !== 'new' && state !== 'old' && state !== 'absent') return
    const held = this.held(appliance, user)
    // Copied or never written, it holds what some HSM of the family held before; only a login says which that is.
    const asStated = state === held || (state === 'old' && held === 'drifted' && proof !== 'login-current')
    // A login that succeeds although one HSM refuses it proves a cluster, and says so.
    if (evidence === 'cluster' && this.#world.story.fleet.cli.cliLoginRefusedByOne === 'success') return
    // What was said of one that was gone is true of the one that stood for it, until AWS is asked again.
    if (this.#world.standIns && proof !== 'none') return
    if (!asStated) this.#accuse(`2: ${appliance.hsmId} ${user.key} is stated ${state} (${proof}) and is ${held}`)
  }

  #everybody(): readonly Appliance[] {
    return this.#world.fleet.clusters.flatMap(({ appliances }) => appliances)
  }

  /** HSMs that take part and are the ones they were. */
  #named(): readonly Appliance[] {
    return this.#world.fleet.named.filter(({ reportedId, slot }) => reportedId === slot)
  }

  #find(hsmId: HsmId): Appliance | undefined {
    return this.#named().find(({ slot }) => slot === hsmId)
  }

  /** Everything about users that are not rotated. */
  #others({ hsm }: Appliance): string {
    return hsm.users
      .filter(({ name }) => !name.startsWith('app_') || name === 'app_user')
      .map(({ id, type, name, password }) => `${id} ${type}:${name} ${password?.digest.toString('hex').slice(0, 8)}`)
      .join(', ')
  }

  #accuse(words: string): void {
    if (!this.violations.includes(words)) this.violations.push(words)
  }
}
