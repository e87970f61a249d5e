import { OperatorError } from '../../src/domain/errors.js'
import type { UserKey } from '../../src/domain/hsm-user.js'
import type { RotationId } from '../../src/domain/ids.js'
import { mergedRoster } from '../../src/domain/merged-roster.js'
import type { Roster } from '../../src/domain/roster.js'
import { exitCodeFor, rotationDocument } from '../../src/domain/rotation/outcome.js'
import type { Rotation } from '../../src/domain/rotation/rotation.js'
import type { Secret } from '../../src/domain/secret.js'
import type { ChosenForRotation } from '../../src/use-cases/rotation/plan-rotation.js'
import { recoverRotation } from '../../src/use-cases/rotation/recover-rotation.js'
import { resumeRotation } from '../../src/use-cases/rotation/resume-rotation.js'
import { rollbackRotation } from '../../src/use-cases/rotation/rollback-rotation.js'
import type { RunOptions } from '../../src/use-cases/rotation/rotation-run.js'
import { startRotation } from '../../src/use-cases/rotation/start-rotation.js'
import { LOCKOUT_LIMIT } from './fleet.js'
import { COMMAND_MS, Invocation } from './invocation.js'
import { portsOf } from './ports.js'
import type { Story, Turn } from './story-arbitrary.js'
import { World } from './world.js'

export type Action = Turn['action'] | 'start'

/** How an invocation ended. */
export type Ended =
  | { readonly kind: 'killed' }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'stood'; readonly rotation: Rotation }

/** One invocation and how it ended. */
export interface Traced {
  readonly name: string
  readonly action: Action
  /** The outcome of the rotation, `refused` or `killed`. */
  readonly outcome: string
  /** Why it was refused or stands still. */
  readonly code: string | null
  readonly message: string | null
}

/** What a story came to. */
export interface Told {
  /** The invocations in the order in which they ended. */
  readonly trace: readonly Traced[]
  readonly violations: readonly string[]
}

/** More often than this nobody has to resume once everything works. */
const PATIENCE = 4

/** An invocation that nothing befalls. */
export const CALM: Turn = {
  action: 'resume',
  troubles: [],
  kill: null,
  interrupt: null,
  pauseBefore: null,
  retryOfficer: true,
  propagate: 'auto',
  rival: null,
}

/** The same, for an operator who was told that copies do not work. */
const CALM_BY_CHANGE: Turn = { ...CALM, propagate: 'change' }

const isCalm = (turn: Turn): boolean => turn === CALM || turn === CALM_BY_CHANGE

/** Lets a story happen, from the first start until the rotation ends one way or the other. */
export const tellStory = async (story: Story): Promise<Told> => {
  const world = new World(story)
  const teller = new Teller(world)
  try {
    for (const turn of story.turns) {
      await teller.turn(turn.action, turn)
      world.calm(false)
      if (teller.over || world.witness.violations.length > 0) break
    }
    await world.time.passAll()
    world.calm(true)
    world.witness.look()
    if (world.witness.violations.length === 0) await teller.end(story.ending)
  } catch (error) {
    world.witness.accuse(`it broke: ${(error as Error).stack ?? String(error)}`)
  }
  return { trace: teller.trace, violations: world.witness.violations }
}

class Teller {
  readonly trace: Traced[] = []
  readonly #world: World
  /** Journals were lost, and what was in them. */
  #lost = false
  /** The operator was told that the current passwords are wrong somewhere, and leaves them out. */
  #doubtsCurrent = false
  /** The operator was told that the utility cannot copy users, or that a copy was refused. */
  #cannotCopy = false
  #invocations = 0

  constructor(world: World) {
    this.#world = world
  }

  /** The rotation is finished, and has no debts. */
  get over(): boolean {
    const rotation = this.#rotation()
    if (rotation === null || rotation.finished === null) return false
    return rotation.finished === 'rolled-back' || rotation.debts.length === 0
  }

  /** One invocation, with a rival beside it where the story has one. */
  async turn(wanted: Action, turn: Turn): Promise<Ended> {
    const { time } = this.#world
    const rivals: Promise<Ended>[] = []
    const onRival = () => {
      if (rivals.length > 0 || turn.rival === null) return
      rivals.push(this.#invoke(turn.rival.action, CALM).ended)
    }
    const { ended } = this.#invoke(this.#possible(wanted), turn, onRival)
    const result = await time.passUntil(ended)
    for (const rival of rivals) await time.passUntil(rival)
    this.#world.witness.look()
    return result
  }

  /** Everything works again: the operator goes on until the rotation ends. */
  async end(ending: Story['ending']): Promise<void> {
    const { witness } = this.#world
    let wanted: Action = this.#lost && this.#rotation() === null ? 'recover' : ending
    for (let tries = 0; tries < PATIENCE && !this.over; tries += 1) {
      const ended = await this.turn(wanted, this.#cannotCopy ? CALM_BY_CHANGE : CALM)
      if (ended.kind === 'refused' && this.#isFinal(ended.code)) return
      const pause = ended.kind === 'stood' ? ended.rotation.pause?.code : null
      if (pause === 'LOGIN_BUDGET' && witness.budgetIsSpent) return
      if (pause === 'PARTLY_DONE' && this.#lacksForGood) return
      if (['CLI_TOO_OLD', 'HSM_REFUSED', 'PARTLY_DONE'].includes(pause ?? '')) this.#cannotCopy = true
      if (ended.kind === 'refused' && ended.code === 'CURRENT_REFUSED') this.#doubtsCurrent = true
      wanted = wanted === 'rollback' && ended.kind === 'refused' ? 'resume' : wanted
      if (wanted === 'recover') wanted = ending
      if (witness.violations.length > 0) return
    }
    await this.#world.time.passAll()
    witness.look()
    if (!this.over && !this.#owesForGood) witness.accuse(`3: it did not end within ${PATIENCE} invocations`)
    else this.#judge(this.#rotation())
  }

  /** A user that the rotation made is taken back by changes, and an HSM that joined the cluster later does not have it. */
  get #lacksForGood(): boolean {
    const { story, grown } = this.#world
    return story.wishes.createMissing && this.#isMissing && grown && this.#rotation()?.direction === 'back'
  }

  /** An HSM that stayed behind from the start, so that nobody saw whom it lacks; no debt is settled by making users. */
  get #owesForGood(): boolean {
    return this.#isMissing && this.#rotation()?.finished === 'completed-with-debt'
  }

  get #isMissing(): boolean {
    return this.#world.story.fleet.oddities.some(({ kind }) => kind === 'missing' || kind === 'taken-id')
  }

  /** Refusals that stay, whatever the operator repeats, and that the fleet of the story gives a reason for. */
  #isFinal(code: string): boolean {
    const world = this.#world
    const { witness } = world
    const { fleet } = world.story
    const byCluster = fleet.utility === 'cloudhsm-cli'
    const odd = (...kinds: readonly string[]) => fleet.oddities.some(({ kind }) => kinds.includes(kind))
    const rotation = this.#rotation()
    if (world.replaced && ['ROSTER_CHANGED', 'WRONG_HSM'].includes(code)) return true
    // It has no names for HSMs: another one that was there when the rotation began belongs to it.
    if (world.impostors && byCluster && code === 'OTHER_SERIALS') return true
    if (code === 'LOGIN_BUDGET' && witness.budgetIsSpent) return true
    if (code === 'NOTHING_PENDING' && this.#lost) return this.#endedBefore()
    if (rotation !== null) return false
    const reasons: Readonly<Record<string, boolean>> = {
      TOO_FEW_HSMS: fleet.clusters.length === 1,
      USER_MISSING: odd('missing', 'taken-id'),
      USER_NOT_FOUND: odd('missing', 'taken-id'),
      CURRENT_REFUSED: odd('drifted'),
      ID_TAKEN: odd('taken-id'),
      USER_INCONSISTENT: byCluster && odd('missing', 'taken-id'),
      CLI_TOO_OLD: byCluster && fleet.cli.cliVersion === '5.14.0',
      REPLICATION_UNSUPPORTED: fleet.olderCluster !== null && odd('missing', 'taken-id'),
    }
    return reasons[code] === true && this.#unchanged()
  }

  /** Nothing is PENDING although the journal is lost: then it had not begun, or was through. */
  #endedBefore(): boolean {
    const { witness, fleet } = this.#world
    const hsmIds = fleet.named.map(({ slot }) => slot)
    // Which HSMs stayed behind with the operator's consent stood in the journal alone.
    if (this.#world.story.wishes.mayStayBehind !== null) return true
    const allOld = witness.exceptions('old', hsmIds).length === 0
    if (!allOld && witness.exceptions('new', hsmIds).length > 0 && !this.#world.grown) {
      witness.accuse('3: nothing is PENDING, and the cells are neither all old nor all new')
    }
    return true
  }

  #unchanged(): boolean {
    const exceptions = this.#world.witness.exceptions(
      'old',
      this.#world.fleet.named.map(({ slot }) => slot),
    )
    if (exceptions.length > 0) this.#world.witness.accuse(`8: refused, and changed: ${exceptions.join('; ')}`)
    return true
  }

  #possible(wanted: Action): Action {
    if (wanted === 'recover') {
      // The machine is lost, and with it everything that was kept on it.
      if (this.#lost || this.#world.journals.size > 0) {
        this.#world.journals.clear()
        this.#world.refusedLogins.clear()
        this.#world.witness.journalIsLost()
        this.#lost = true
        return 'recover'
      }
      return 'start'
    }
    if (this.#world.journals.size > 0) return wanted
    return this.#lost ? 'recover' : 'start'
  }

  #invoke(action: Action, turn: Turn, onRival = () => {}): { readonly ended: Promise<Ended> } {
    this.#invocations += 1
    const invocation = new Invocation(this.#world, turn, `i${this.#invocations}`.padEnd(4, '0'), onRival)
    const work = this.#work(action, invocation)
    const ended = Promise.race([work, invocation.killed]).then(
      (rotation): Ended => (rotation === 'killed' ? { kind: 'killed' } : { kind: 'stood', rotation }),
      (error: unknown): Ended => {
        if (!(error instanceof OperatorError)) {
          this.#world.witness.accuse(`a fault of the program: ${(error as Error).stack ?? String(error)}`)
        }
        const { code, message } = error as OperatorError
        return { kind: 'refused', code, message }
      },
    )
    return { ended: ended.then((result) => this.#ended(action, invocation, result)) }
  }

  #ended(action: Action, invocation: Invocation, ended: Ended): Ended {
    const { witness, locks } = this.#world
    if (ended.kind !== 'killed') {
      if ([...locks.values()].includes(invocation)) witness.accuse(`7: ${invocation.name} left its locks behind`)
      witness.leftNoSession(invocation)
      invocation.end()
    }
    if (ended.kind === 'stood') this.#judge(ended.rotation)
    this.trace.push({ name: invocation.name, action, ...describe(ended) })
    return ended
  }

  /** Invariant 8: what is reported as a success is one. */
  #judge(rotation: Rotation | null): void {
    if (rotation === null) return
    const { witness, store, lastDiscovered } = this.#world
    const { outcome } = rotationDocument(rotation)
    const success = exitCodeFor(outcome) === 0
    if (success !== (outcome === 'completed' || outcome === 'rolled-back'))
      witness.accuse(`8: ${outcome} leaves with 0`)
    const debts = new Set(rotation.debts.map(({ hsmId }) => hsmId))
    const roster = rotation.plan.roster.map(({ hsmId }) => hsmId).filter((hsmId) => !debts.has(hsmId))
    if (outcome === 'completed' || outcome === 'completed-with-debt') {
      const wrong = witness.exceptions('new', roster)
      if (wrong.length > 0) witness.accuse(`8: ${outcome}, but ${wrong.join('; ')}`)
      const missed = lastDiscovered.filter((hsmId) => !roster.includes(hsmId) && !debts.has(hsmId))
      if (outcome === 'completed' && missed.length > 0) witness.accuse(`8: completed without ${missed.join(', ')}`)
      const current = store.versions.current?.users
      const kept = this.#world.fleet.users.every((user) => current?.get(user.key)?.equals(user.new) === true)
      if (!kept || store.versions.pending !== null)
        witness.accuse('8: completed, but CURRENT of the store is not the new one')
    } else if (outcome === 'rolled-back') {
      // One that was added while it went back is part of it.
      const wrong = witness.exceptions('old', [...new Set([...roster, ...debts, ...lastDiscovered])])
      if (wrong.length > 0) witness.accuse(`8: rolled back, but ${wrong.join('; ')}`)
      if (store.versions.pending !== null) witness.accuse('8: rolled back, but the store keeps PENDING')
    }
  }

  /** The one that was begun last: another one is begun only where it ended. */
  #rotation(): Rotation | null {
    return [...this.#world.journals.values()].at(-1)?.ledger.rotation() ?? null
  }

  async #work(action: Action, invocation: Invocation): Promise<Rotation> {
    const { story, fleet } = this.#world
    const chosen = this.#chosen()
    const ports = portsOf(invocation, this.#rosterOf(action) ?? chosen.roster)
    const options = this.#options(invocation.turn)
    const { retryOfficer } = invocation.turn
    const newPasswords = passwords(fleet.users, (user) => user.new)
    const { current } = story.wishes
    // An operator who relied on the store can find the password there too, once asked for it.
    const known = current === 'given' || (current === 'kept' && isCalm(invocation.turn))
    const given = known && !this.#doubtsCurrent
    const currentPasswords = given ? passwords(fleet.users, (user) => user.old) : new Map()
    const { utility } = story.fleet
    const config =
      utility === 'cmu'
        ? ({ utility, sha256: null, document: { servers: [] } } as const)
        : ({ utility, sha256: null, document: { clusters: [] } } as const)
    switch (action) {
      case 'start': {
        const rules = { lockoutLimit: LOCKOUT_LIMIT, createMissing: story.wishes.createMissing, allowKmsuser: false }
        const more = { newPasswords, newCredential: 'given', currentPasswords, expected: null, retryOfficer } as const
        return startRotation({ chosen, users: fleet.users, rules, options, config, ...more }, ports)
      }
      case 'recover': {
        const { concurrency } = story.wishes
        const limits = { lockoutLimit: LOCKOUT_LIMIT, concurrency, commandMs: COMMAND_MS }
        return recoverRotation({ chosen, users: fleet.users, config, ...limits }, ports)
      }
      default: {
        const rotationId = [...this.#world.journals.keys()].at(-1) ?? ('r-20260301-031500-none' as RotationId)
        const more = { options, retryOfficer, newPasswords, currentPasswords, commandMs: COMMAND_MS }
        return action === 'resume'
          ? resumeRotation({ direction: 'forward', rotationId, ...more }, ports)
          : rollbackRotation({ direction: 'back', rotationId, ...more }, ports)
      }
    }
  }

  /** Who resumes knows the HSMs from the journal. */
  #rosterOf(action: Action): Roster | null {
    if (action !== 'resume' && action !== 'rollback') return null
    return this.#rotation()?.plan.roster ?? null
  }

  #chosen(): ChosenForRotation {
    const clusters = this.#world.fleet.reported()
    const named = clusters.filter((_, index) => this.#world.fleet.clusters[index]?.named)
    const [source, ...destinations] = named
    if (source === undefined) throw new Error('a fleet has a cluster')
    const leftOut = clusters.filter((cluster) => !named.includes(cluster))
    const { roster } = mergedRoster({ source, destinations })
    return { source, destinations, leftOut, family: 'family-test', roster }
  }

  #options(turn: Turn): RunOptions {
    const { acceptNoWayBack, drainMs, maxErrors, mayStayBehind } = this.#world.story.wishes
    const calm = isCalm(turn)
    return {
      propagate: turn.propagate,
      acceptNoWayBack: calm || acceptNoWayBack,
      overwriteOther: calm,
      pauseBefore: turn.pauseBefore,
      drainMs,
      maxErrors,
      mayStayBehind: {
        hsmIds: mayStayBehind === null || calm ? [] : [this.#world.fleet.nth(mayStayBehind).slot],
        reason: 'so the story wants it',
      },
    }
  }
}

const passwords = <User extends { readonly key: UserKey }>(
  users: readonly User[],
  of: (user: User) => Secret,
): ReadonlyMap<UserKey, Secret> => new Map(users.map((user) => [user.key, of(user)]))

const describe = (ended: Ended): Pick<Traced, 'outcome' | 'code' | 'message'> => {
  if (ended.kind === 'killed') return { outcome: 'killed', code: null, message: null }
  if (ended.kind === 'refused') return { outcome: 'refused', code: ended.code, message: ended.message }
  const { outcome, error } = rotationDocument(ended.rotation)
  return { outcome, code: error?.code ?? null, message: error?.message ?? null }
}
