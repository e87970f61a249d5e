import type { Operation } from '../hsm/requests.js'

/** What can go wrong between one HSM and its clients. */
export interface LineFault {
  readonly kind: 'silent' | 'limited' | 'slow' | 'refuse-login' | 'refuse' | 'drop' | 'die-after' | 'late'
  /** Requests it strikes; null strikes every one that changes something. */
  readonly operation: Operation | null
  /** Strikes only this call, counted from 1 since the fault was switched on; null strikes every one. */
  readonly nth: number | null
  /** Strikes this call and those after it, counted likewise. */
  readonly from: number | null
  /** `slow`, `late`: milliseconds. */
  readonly ms: number
  /** `drop`: whether the request is carried out before the connection goes. */
  readonly executes: boolean
  /** `refuse-login`: whether the refusal counts as a failed login; and whose logins it strikes (all when null). */
  readonly counted: boolean
  readonly user: string | null
}

const CHANGES: readonly Operation[] = ['change', 'create', 'delete', 'insert', 'restore', 'replicate']

/** The faults of one HSM's line that are switched on. */
export class LineFaults {
  #active: { readonly fault: LineFault; seen: number }[] = []

  add(fault: LineFault): void {
    this.#active.push({ fault, seen: 0 })
  }

  /** Switches off the faults of this kind; with an operation or a user only those for it. */
  remove(kind: LineFault['kind'], operation: Operation | null, user: string | null): void {
    this.#active = this.#active.filter(
      ({ fault }) =>
        fault.kind !== kind ||
        (operation !== null && fault.operation !== operation) ||
        (user !== null && fault.user !== user),
    )
  }

  has(kind: LineFault['kind']): boolean {
    return this.#active.some(({ fault }) => fault.kind === kind)
  }

  /** Milliseconds each operation takes longer. */
  get slowMs(): number {
    return this.#active.reduce((sum, { fault }) => sum + (fault.kind === 'slow' ? fault.ms : 0), 0)
  }

  /** The fault that strikes this call, if one does. Counts the call. */
  strike(operation: Operation, user: string | null): LineFault | null {
    let struck: LineFault | null = null
    for (const entry of this.#active) {
      const { fault } = entry
      if (fault.kind === 'silent' || fault.kind === 'limited' || fault.kind === 'slow') continue
      const wanted = fault.kind === 'refuse-login' ? operation === 'login' : null
      const meant = wanted ?? (fault.operation === null ? CHANGES.includes(operation) : fault.operation === operation)
      if (!meant || (fault.user !== null && fault.user !== user)) continue
      entry.seen += 1
      if ((fault.nth ?? entry.seen) === entry.seen && entry.seen >= (fault.from ?? 0)) struck ??= fault
    }
    return struck
  }
}
