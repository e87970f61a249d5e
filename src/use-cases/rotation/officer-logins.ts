import type { OperatorError } from '../../domain/errors.js'
import type { HsmId } from '../../domain/ids.js'

type Check = (unanswered: readonly HsmId[]) => Promise<void>
type Attempt = () => Promise<OperatorError | null>

/**
 * The officer's logins of one invocation. Lanes run side by side and often log in on the same HSM; should somebody
 * change the officer's password meanwhile, each of them would count there as a failure, and together they could lock
 * the officer out. So no HSM has more than one login whose outcome is not known yet, before the first success no two
 * HSMs do, and nobody tries again after a refusal.
 */
export class OfficerLogins {
  /** The last login begun on each HSM; resolves once it has ended. */
  readonly #last = new Map<HsmId, Promise<unknown>>()
  /** HSMs whose last login was never answered. */
  readonly #unanswered = new Set<HsmId>()
  #first: Promise<unknown> = Promise.resolve()
  #accepted = false
  #refusal: OperatorError | null = null

  /**
   * Logs in once the logins begun before on these HSMs (before the first success: on any HSM) have ended.
   * @param check throws where nobody may log in now; is told which HSMs never answered a login of this invocation and
   * may have counted it as failed
   * @param attempt one login on all of these HSMs; returns the refusal of the first one that refused. Not called after
   * a refusal anywhere
   * @throws {OperatorError} the refusal, to everybody who comes later too
   * @throws what `check` and `attempt` throw; with `attempt` the outcome is not known
   */
  async login(hsmIds: readonly HsmId[], check: Check, attempt: Attempt): Promise<void> {
    const before = hsmIds.map((hsmId) => this.#last.get(hsmId))
    const turn = Promise.all([...before, this.#accepted ? undefined : this.#first]).then(() =>
      this.#take(hsmIds, check, attempt),
    )
    const ended = turn.catch(() => undefined)
    // All of them in one step, so that two lanes never wait for each other.
    for (const hsmId of hsmIds) this.#last.set(hsmId, ended)
    if (!this.#accepted) this.#first = ended
    await turn
  }

  async #take(hsmIds: readonly HsmId[], check: Check, attempt: Attempt): Promise<void> {
    if (this.#refusal !== null) throw this.#refusal
    await check(hsmIds.filter((hsmId) => this.#unanswered.has(hsmId)))
    // A lane on other HSMs may have been refused meanwhile.
    if (this.#refusal !== null) throw this.#refusal
    for (const hsmId of hsmIds) this.#unanswered.add(hsmId)
    const refusal = await attempt()
    for (const hsmId of hsmIds) this.#unanswered.delete(hsmId)
    if (refusal === null) {
      this.#accepted = true
      return
    }
    this.#refusal = refusal
    throw refusal
  }
}
