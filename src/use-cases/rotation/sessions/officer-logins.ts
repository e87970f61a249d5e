import type { OperatorError } from '../../../domain/errors.js'
import type { ClusterId, HsmId } from '../../../domain/ids.js'

type Check = (unanswered: readonly HsmId[]) => Promise<void>
type Attempt = () => Promise<OperatorError | null>

/** An HSM to log in on. */
interface Place {
  readonly hsmId: HsmId
  readonly clusterId: ClusterId
}

/**
 * The officers' logins of one invocation. Lanes run side by side and often log in on the same HSM; should somebody
 * change an officer's password meanwhile, each of them would count there as a failure, and together they could lock
 * the officer out. So no HSM has more than one login whose outcome is not known yet; before an officer's first success
 * no two HSMs do, and before its first success on a cluster no two HSMs of that cluster; and nobody tries an officer
 * again after a refusal. Each officer stands for itself: what one is refused another may do.
 */
export class OfficerLogins {
  readonly #ofEach = new Map<object, LoginsOfOne>()

  /**
   * Logs in once the logins of this officer that were begun before on these HSMs, or have to come first, have ended.
   * @param officer the same object for the same name and password
   * @param check throws where nobody may log in now; is told which HSMs never answered a login of this invocation and
   * may have counted it as failed
   * @param attempt one login on all of these HSMs; returns the refusal of the first one that refused. Not called after
   * a refusal anywhere
   * @throws {OperatorError} the refusal, to everybody who comes later with this officer too
   * @throws what `check` and `attempt` throw; with `attempt` the outcome is not known
   */
  login(officer: object, places: readonly Place[], check: Check, attempt: Attempt): Promise<void> {
    const its = this.#ofEach.get(officer) ?? new LoginsOfOne()
    this.#ofEach.set(officer, its)
    return its.login(places, check, attempt)
  }
}

/** The logins of one officer. */
class LoginsOfOne {
  /** The last login begun on each HSM; resolves once it has ended. */
  readonly #last = new Map<HsmId, Promise<unknown>>()
  /** The same on each cluster that has not accepted the officer yet. */
  readonly #lastOn = new Map<ClusterId, Promise<unknown>>()
  readonly #acceptedBy = new Set<ClusterId>()
  /** HSMs whose last login was never answered. */
  readonly #unanswered = new Set<HsmId>()
  #first: Promise<unknown> = Promise.resolve()
  #refusal: OperatorError | null = null

  async login(places: readonly Place[], check: Check, attempt: Attempt): Promise<void> {
    const clusterIds = new Set(places.map(({ clusterId }) => clusterId))
    const before = [
      ...places.map(({ hsmId }) => this.#last.get(hsmId)),
      ...[...clusterIds].map((clusterId) =>
        this.#acceptedBy.has(clusterId) ? undefined : this.#lastOn.get(clusterId),
      ),
      this.#acceptedBy.size > 0 ? undefined : this.#first,
    ]
    const turn = Promise.all(before).then(() => this.#take(places, check, attempt))
    const ended = turn.catch(() => undefined)
    // All of them in one step, so that two lanes never wait for each other.
    for (const { hsmId } of places) this.#last.set(hsmId, ended)
    for (const clusterId of clusterIds) this.#lastOn.set(clusterId, ended)
    this.#first = ended
    await turn
  }

  async #take(places: readonly Place[], check: Check, attempt: Attempt): Promise<void> {
    if (this.#refusal !== null) throw this.#refusal
    await check(places.flatMap(({ hsmId }) => (this.#unanswered.has(hsmId) ? [hsmId] : [])))
    // A lane on other HSMs may have been refused meanwhile.
    if (this.#refusal !== null) throw this.#refusal
    for (const { hsmId } of places) this.#unanswered.add(hsmId)
    const refusal = await attempt()
    for (const { hsmId } of places) this.#unanswered.delete(hsmId)
    if (refusal === null) {
      for (const { clusterId } of places) this.#acceptedBy.add(clusterId)
      return
    }
    this.#refusal = refusal
    throw refusal
  }
}
