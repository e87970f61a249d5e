/** What can go wrong with AWS calls. `times` counts down; null strikes until switched off. */
export interface AwsFault {
  readonly kind:
    | 'throttle'
    | 'aws-error'
    | 'aws-html'
    | 'aws-truncated'
    | 'aws-reset'
    | 'aws-delay'
    | 'expired-credentials'
    | 'region-denied'
    | 'region-not-enabled'
  /** Null strikes every Region. */
  readonly region: string | null
  times: number | null
  /** `aws-delay`: milliseconds. */
  readonly ms: number
}

/** The faults of the AWS endpoint that are switched on. */
export class AwsFaults {
  #active: AwsFault[] = []

  add(fault: AwsFault): void {
    this.#active.push(fault)
  }

  /** Switches off the faults of this kind; with a Region only those for it. */
  remove(kind: AwsFault['kind'], region: string | null): void {
    this.#active = this.#active.filter((fault) => fault.kind !== kind || (region !== null && fault.region !== region))
  }

  /** Milliseconds every call to the Region takes longer. */
  delayMs(region: string): number {
    return this.#active.reduce(
      (sum, fault) => sum + (fault.kind === 'aws-delay' && concerns(fault, region) ? fault.ms : 0),
      0,
    )
  }

  /** The fault that strikes a call to the Region, if one does. Counts it. */
  strike(region: string): AwsFault | null {
    const fault = this.#active.find((entry) => entry.kind !== 'aws-delay' && concerns(entry, region))
    if (!fault) return null
    if (fault.times !== null) {
      fault.times -= 1
      if (fault.times <= 0) this.#active = this.#active.filter((entry) => entry !== fault)
    }
    return fault
  }
}

const concerns = (fault: AwsFault, region: string): boolean => fault.region === null || fault.region === region
