import type { HeldLock } from '../../../domain/cluster-lock.js'
import type { ClusterId, RotationId } from '../../../domain/ids.js'
import { lockLost } from '../locked-by.js'
import type { LeaseClock } from './clock.js'
import type { LockTable, SharedHolder } from './lock-table.js'

/** How long things take, in milliseconds. */
export interface LeaseTimes {
  /** The longest an HSM may take for a command: a lease always outlasts it. */
  readonly commandMs: number
  readonly leaseMs: number
  readonly heartbeatMs: number
}

/** Locks held in the table, renewed by a heartbeat until they are released. */
export class Lease implements HeldLock {
  readonly #table: LockTable
  readonly #times: LeaseTimes
  readonly #clock: LeaseClock
  readonly #fences: ReadonlyMap<ClusterId, number>
  readonly #lastAction: (rotationId: RotationId) => Promise<string | null>
  readonly #heartbeat: NodeJS.Timeout
  #holder: SharedHolder
  /** Until when, by either clock; whichever comes first counts. */
  #until: { wall: number; steady: number }
  #lost: ClusterId | null = null
  #renewing: Promise<void> | null = null

  /**
   * @param fences fencing token of each cluster taken
   * @param since when the first of them was asked for, by both clocks
   */
  constructor(
    parts: {
      readonly table: LockTable
      readonly times: LeaseTimes
      readonly clock: LeaseClock
      readonly lastAction: (rotationId: RotationId) => Promise<string | null>
    },
    holder: SharedHolder,
    fences: ReadonlyMap<ClusterId, number>,
    since: { readonly wall: number; readonly steady: number },
  ) {
    this.#table = parts.table
    this.#times = parts.times
    this.#clock = parts.clock
    this.#lastAction = parts.lastAction
    this.#holder = holder
    this.#fences = fences
    this.#until = { wall: since.wall + parts.times.leaseMs, steady: since.steady + parts.times.leaseMs }
    // A heartbeat that fails says nothing: the lease runs on, and the look before the next command decides.
    this.#heartbeat = setInterval(() => void this.#renew().catch(() => undefined), parts.times.heartbeatMs)
    this.#heartbeat.unref()
  }

  async name(rotationId: RotationId): Promise<void> {
    // A renewal under way writes the old name.
    await this.#renewing?.catch(() => undefined)
    this.#holder = { ...this.#holder, rotationId }
    await this.#renew()
    this.#refuseLost()
  }

  async assertHeld(): Promise<void> {
    this.#refuseLost()
    if (this.#remainingMs() >= this.#times.commandMs) return
    let why = 'its lease has run out'
    await this.#renew().catch((error: Error) => {
      why = error.message
    })
    this.#refuseLost()
    if (this.#remainingMs() < this.#times.commandMs) {
      throw lockLost(`the shared lock in ${this.#table.name} could not be renewed: ${why}`)
    }
  }

  async release(): Promise<void> {
    clearInterval(this.#heartbeat)
    await this.#renewing?.catch(() => undefined)
    await Promise.allSettled([...this.#fences].map(([clusterId, fence]) => this.#table.free(clusterId, fence)))
  }

  #remainingMs(): number {
    return Math.min(this.#until.wall - this.#clock.wall(), this.#until.steady - this.#clock.steady())
  }

  #refuseLost(): void {
    if (this.#lost !== null) throw lockLost(`the shared lock on ${this.#lost} was taken over by somebody else`)
  }

  #renew(): Promise<void> {
    this.#renewing ??= this.#renewAll().finally(() => {
      this.#renewing = null
    })
    return this.#renewing
  }

  async #renewAll(): Promise<void> {
    const { rotationId } = this.#holder
    const lastAction = rotationId === null ? null : await this.#lastAction(rotationId)
    this.#holder = { ...this.#holder, lastAction }
    // Counted from before the request: the table may have written it long before its answer is here.
    const wall = this.#clock.wall() + this.#times.leaseMs
    const steady = this.#clock.steady() + this.#times.leaseMs
    await Promise.all(
      [...this.#fences].map(async ([clusterId, fence]) => {
        if (!(await this.#table.renew(clusterId, fence, this.#holder, wall))) this.#lost = clusterId
      }),
    )
    if (this.#lost === null) this.#until = { wall, steady }
  }
}
