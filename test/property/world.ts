import type { ClusterId, HsmId, RotationId } from '../../src/domain/ids.js'
import type { RefusedLogin } from '../../src/domain/refused-logins.js'
import { MemoryCredentialStore } from '../helpers/memory-credential-store.js'
import { makeTrue } from './conditions.js'
import { BY_HAND, Fleet, type RotatedUser } from './fleet.js'
import { type CliReadings, USUAL_CLI } from './fleet-arbitrary.js'
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
  /** By rotation, the one that was begun last behind the others. */
  readonly journals = new Map<RotationId, KeptJournal>()
  readonly locks = new Map<ClusterId, Invocation>()
  readonly refusedLogins = new Map<string, RefusedLogin>()
  readonly witness: Witness
  /** Ends utilities that outlived their invocation, by process ID. */
  readonly orphans = new Map<number, Orphan>()
  /** How cloudhsm-cli is; a newer one may be installed. */
  cli: CliReadings
  /** The number of the HSM that users are copied from in a repair. */
  repairFrom: number | null
  /** How often something changed that a program cannot foresee. */
  disturbances = 0
  /** The HSM that the operator allows to stay behind. */
  readonly mayStayBehind: readonly HsmId[]
  readonly #undo: { readonly lasting: boolean; readonly undo: () => void }[] = []
  #pids = 100

  /** @param isExploring invocations write down what could strike them */
  constructor(
    readonly story: Story,
    readonly isExploring = false,
  ) {
    this.fleet = new Fleet(story.fleet)
    this.cli = story.fleet.cli
    this.repairFrom = story.repair?.from ?? null
    this.noise = noiseFrom(story.noise)
    const { current, mayStayBehind } = story.wishes
    this.mayStayBehind = mayStayBehind === null ? [] : [this.fleet.nth(mayStayBehind).hsmId]
    if (current === 'kept' || current === 'kept-wrong') this.#keepCurrent(current === 'kept')
    this.witness = new Witness(this)
  }

  newPid(): number {
    this.#pids += 1
    return this.#pids
  }

  /** How many calls to the outside a rotation of this fleet takes, roughly. */
  get usualCalls(): number {
    return 25 + this.fleet.named.length * (19 + 9 * this.fleet.users.length)
  }

  /** The journal that was begun last: another one is begun only where it ended. */
  get journal(): KeptJournal | null {
    return [...this.journals.values()].at(-1) ?? null
  }

  /** Makes a condition come true. */
  strike({ what, hsm, user, lasting }: Trouble): void {
    const undo = makeTrue(this, what as Condition, hsm, user)
    this.disturbances += 1
    if (undo !== null) this.#undo.push({ lasting, undo })
  }

  /** The operator takes another HSM for the one that is right. */
  repairFromNext(): void {
    if (this.repairFrom !== null) this.repairFrom += 1
  }

  /** A cloudhsm-cli is installed that can do everything. */
  upgrade(): void {
    this.cli = { ...this.cli, cliVersion: USUAL_CLI.cliVersion }
  }

  /** An officer gives users of whom logins failed the passwords that they have. */
  clearCounts(): void {
    for (const { hsm } of this.fleet.named) {
      for (const { type, name } of this.fleet.users) {
        const user = hsm.find(type, name)
        if (user !== undefined) hsm.setFailures(user, 0)
      }
    }
    this.witness.logins.calm(true)
  }

  /** An officer gives a user a password wherever it is locked. */
  unlock(user: RotatedUser): void {
    for (const appliance of this.fleet.named) {
      const isLocked = appliance.hsm.find(user.type, user.name)?.locked === true
      if (isLocked && this.fleet.setPassword(appliance, user, BY_HAND)) this.witness.sawByHand(appliance, user)
    }
  }

  /** The same for every user that is rotated. */
  unlockUsers(): void {
    for (const user of this.fleet.users) this.unlock(user)
    this.disturbances += 1
  }

  /** An officer makes users that are missing somewhere, with passwords of their own. */
  makeMissing(): void {
    for (const appliance of this.fleet.named) {
      for (const user of this.fleet.users) {
        if (this.fleet.makeUser(appliance, user, BY_HAND)) this.witness.sawByHand(appliance, user)
      }
    }
    this.disturbances += 1
  }

  /** An officer deletes users where a message says that they have another ID than was planned. */
  removeMadeAnew(message: string): void {
    const { fleet, witness } = this
    for (const [, key, hsmId] of message.matchAll(/(\S+) on (\S+) is (?:ID|under another ID)/g)) {
      const user = fleet.users.find((one) => one.key === key)
      const appliance = fleet.named.find((one) => one.hsmId === hsmId)
      if (user === undefined || appliance === undefined) continue
      if (fleet.deleteUser(appliance, user)) witness.sawByHand(appliance, user)
    }
    this.disturbances += 1
  }

  /** The machine is lost, and with it everything that was kept on it. */
  loseMachine(): void {
    this.journals.clear()
    this.refusedLogins.clear()
    this.witness.forget()
    this.disturbances += 1
  }

  /** Ends the conditions of an invocation, or all of them. */
  calm(all: boolean): void {
    for (const entry of this.#undo.splice(0)) {
      if (all || !entry.lasting) entry.undo()
      else this.#undo.push(entry)
    }
    if (!all) return
    // Whoever typed wrong passwords has been found; what a rotation did itself is its own to deal with.
    const { logins } = this.witness
    for (const { hsmId, clusterId, hsm } of this.fleet.named) {
      const { user: ref } = this.fleet.officerOf(clusterId)
      const officer = hsm.find(ref.type, ref.name)
      if (officer !== undefined) hsm.setFailures(officer, 0)
      for (const user of this.fleet.users) {
        const found = hsm.find(user.type, user.name)
        // A lock stays until somebody gives the user a password.
        if (found === undefined || found.locked) continue
        const foreign = logins.foreign(`${hsmId} ${user.key}`)
        hsm.setFailures(found, this.journals.size === 0 ? 0 : Math.max(0, found.failures - foreign))
      }
    }
    logins.calm(this.journals.size === 0)
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
