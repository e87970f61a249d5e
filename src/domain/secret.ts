import { inspect } from 'node:util'

const SHOWN = '[secret]'

/** A password that will not print itself: text, JSON and `util.inspect` all show `[secret]`. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The password itself. Call it only where it is written to a prompt, the environment of one child, or a store. */
  reveal(): string {
    return this.#value
  }

  equals(other: Secret): boolean {
    return this.#value === other.#value
  }

  toString(): string {
    return SHOWN
  }

  toJSON(): string {
    return SHOWN
  }

  [inspect.custom](): string {
    return SHOWN
  }
}
