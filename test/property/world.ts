import type { ClusterId, HsmId, RotationId } from '../../src/domain/ids.js'
import type { RefusedLogin } from '../../src/domain/refused-logins.js'
import { keyOf } from '../../src/simulator/hsm/user.js'
import { MemoryCredentialStore } from '../helpers/memory-credential-store.js'
import { type Appliance, Fleet, LOCKOUT_LIMIT } from './fleet.js'
import type { Invocation } from './invocation.js'
import type { KeptJournal } from './journals.js'
import type { Condition, Story, Trouble } from './story-arbitrary.js'
import { noiseFrom, VirtualTime } from './virtual-time.js'
import { Witness } from './witness.js'

/** A utility that outlived its invocation. */
interface Orphan {
  readonly end: () => void
  /** Resolves once it has ended. */
  readonly gone: () => Promise<void>
}

/** Everything outside of the program: it outlives invocations. */
export class World {
  readonly time = new VirtualTime()
  readonly fleet: Fleet
  readonly noise: () => number
  readonly store = new MemoryCredentialStore()
  readonly journals = new Map<RotationId, KeptJournal>()
  readonly locks = new Map<ClusterId, Invocation>()
  readonly refusedLogins = new Map<string, RefusedLogin>()
  readonly witness: Witness
  /** Ends utilities that outlived their invocation, by process ID. */
  readonly orphans = new Map<number, Orphan>()
  /** An HSM was replaced, as AWS says too: the rotation cannot end any more. */
  replaced = false
  /** A cluster gained an HSM. */
  grown = false
  /** HSM IDs of the named clusters that AWS reported last. */
  lastDiscovered: readonly HsmId[] = []
  /** Another HSM answered under an address for a while. */
  impostors = false
  /** One that AWS had not reported yet stood for one that was gone, where HSMs are only counted. */
  standIns = false
  readonly #foreignFailures = new Map<string, number>()
  readonly #undo: { readonly lasting: boolean; readonly undo: () => void }[] = []
  #pids = 100

  constructor(readonly story: Story) {
    this.fleet = new Fleet(story.fleet)
    this.noise = noiseFrom(story.noise)
    this.witness = new Witness(this)
    const { current } = story.wishes
    if (current === 'kept' || current === 'kept-wrong') this.#keepCurrent(current === 'kept')
  }

  newPid(): number {
    this.#pids += 1
    return this.#pids
  }

  /** How many calls to the outside a rotation of this fleet takes, roughly. */
  get usualCalls(): number {
    return 25 + this.fleet.named.length * (19 + 9 * this.fleet.users.length)
  }

  /** Failed logins at a cell that are not ours, or that nobody told us of, since everything worked last. */
  foreignFailures(cell: string): number {
    return this.#foreignFailures.get(cell) ?? 0
  }

  /** A failed login that is not ours, or that nobody told us of. */
  addForeignFailure(cell: string): void {
    this.#foreignFailures.set(cell, this.foreignFailures(cell) + 1)
  }

  /** Makes a condition come true. */
  strike({ what, hsm, user, lasting }: Trouble): void {
    const undo = this.#set(what as Condition, this.fleet.nth(hsm), user, hsm)
    if (undo !== null) this.#undo.push({ lasting, undo })
  }

  /** Ends the conditions of an invocation, or all of them. */
  calm(all: boolean): void {
    for (const entry of this.#undo.splice(0)) {
      if (all || !entry.lasting) entry.undo()
      else this.#undo.push(entry)
    }
    if (!all) return
    // Whoever typed wrong passwords has been found; what a rotation did itself is its own to deal with.
    for (const { hsmId, clusterId, hsm } of this.fleet.named) {
      const { user: ref } = this.fleet.officerOf(clusterId)
      const officer = hsm.find(ref.type, ref.name)
      if (officer !== undefined) hsm.setFailures(officer, 0)
      for (const user of this.fleet.users) {
        const found = hsm.find(user.type, user.name)
        if (found === undefined) continue
        const foreign = this.#foreignFailures.get(`${hsmId} ${user.key}`) ?? 0
        hsm.setFailures(found, this.journals.size === 0 ? 0 : Math.max(0, found.failures - foreign))
      }
    }
    this.#foreignFailures.clear()
  }

  #set(what: Condition, appliance: Appliance, userIndex: number, index: number): (() => void) | null {
    const { hsm } = appliance
    const user = this.fleet.user(userIndex)
    switch (what) {
      case 'unreachable':
        appliance.unreachable = true
        return () => {
          appliance.unreachable = false
        }
      case 'limited':
        appliance.limited = true
        return () => {
          appliance.limited = false
        }
      case 'degraded':
        appliance.state = 'DEGRADED'
        return () => {
          appliance.state = 'ACTIVE'
        }
      case 'logged-in': {
        const sessions = hsm.conditions.sessionsElsewhere
        const key = keyOf(user.type, user.name)
        sessions.set(key, 1)
        this.time.after(20_000 * this.noise() * 4, () => sessions.delete(key))
        return () => sessions.delete(key)
      }
      case 'quorum':
        hsm.conditions.quorum = 2
        return () => {
          hsm.conditions.quorum = 0
        }
      case 'limited-write':
        hsm.conditions.limitedWrite = true
        return () => {
          hsm.conditions.limitedWrite = false
        }
      case 'sync-refuses':
        hsm.conditions.syncRefuses = true
        return () => {
          hsm.conditions.syncRefuses = false
        }
      case 'strange-masking-key':
        Fleet.maskWith(appliance, false)
        return () => Fleet.maskWith(appliance, true)
      case 'foreign-failure': {
        const found = hsm.find(user.type, user.name)
        // Another client may lock a user by itself; that is nobody's doing here.
        if (found === undefined || found.failures + 1 >= LOCKOUT_LIMIT - 1) return null
        hsm.setFailures(found, found.failures + 1)
        this.addForeignFailure(`${appliance.hsmId} ${user.key}`)
        return null
      }
      case 'hsm-added':
      case 'old-hsm-added':
        this.grown = true
        this.fleet.add(index, what === 'old-hsm-added')
        return null
      case 'impostor': {
        const before = appliance.hsmId
        this.impostors = true
        appliance.hsmId = `${before}x` as HsmId
        return () => {
          if (appliance.reportedId === before) appliance.hsmId = before
        }
      }
      case 'replaced':
        appliance.hsmId = `${appliance.reportedId}y` as HsmId
        appliance.reportedId = appliance.hsmId
        this.replaced = true
        return null
    }
  }

  #keepCurrent(right: boolean): void {
    this.store.versions = {
      ...this.store.versions,
      current: {
        rotationId: null,
        clusters: [],
        restorePoint: null,
        startedAt: this.time.now().toISOString(),
        users: new Map(this.fleet.users.map((user, index) => [user.key, right || index > 0 ? user.old : user.before])),
      },
    }
  }
}
