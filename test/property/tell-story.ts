import { OperatorError } from '../../src/domain/errors.js'
import { type Action, commandsIn } from './advice.js'
import { type Attempt, attemptOf, calmAttemptOf, carryOut, flagsOf } from './attempt.js'
import { REFUSED, type Rotation, rotationOf, statementOf } from './engine.js'
import { Invocation, type Offer } from './invocation.js'
import type { KeptJournal } from './journals.js'
import { Operator } from './operator.js'
import { rollbackReasons, START_REASONS } from './reasons.js'
import { truthOf } from './report.js'
import { signatureOf } from './signature.js'
import type { Story, Turn } from './story-arbitrary.js'
import { World } from './world.js'

/** It was not begun, or stopped before anything was to be told of a rotation. */
interface Refusal {
  readonly kind: 'refused'
  readonly code: string
  readonly message: string
  readonly exitCode: number
  readonly suggestions: readonly string[]
}

/** How an invocation ended. */
type Ended = { readonly invocation: Invocation } & (
  | { readonly kind: 'killed' }
  | Refusal
  | { readonly kind: 'stood'; readonly rotation: Rotation }
)

/** One invocation and how it ended. */
export interface Traced {
  readonly name: string
  readonly action: Action
  readonly flags: string
  /** The outcome of the rotation, `refused` or `killed`. */
  readonly outcome: string
  /** Why it was refused or stands still. */
  readonly code: string | null
  readonly message: string | null
}

/** What could have struck an invocation. */
export interface Chances {
  readonly offers: readonly Offer[]
  readonly commands: readonly number[]
  /** Calls that could see what has become of an HSM or of AWS. */
  readonly looks: readonly number[]
  readonly calls: number
}

/** What a story came to. */
export interface Told {
  /** The invocations in the order in which they ended. */
  readonly trace: readonly Traced[]
  readonly violations: readonly string[]
  /** What every HSM and the store hold in the end, in words. */
  readonly truth: readonly string[]
  /** By invocation, in the order in which they began. */
  readonly chances: readonly Chances[]
  /** How the world was behind each turn; empty unless it was asked for. */
  readonly signatures: readonly string[]
}

/** More often than this nobody has to call the program once everything works. */
const PATIENCE = 10

/** An invocation that nothing befalls. */
export const CALM: Turn = {
  action: 'resume',
  troubles: [],
  kill: null,
  interrupt: null,
  pauseBefore: null,
  retryOfficer: false,
  propagate: 'auto',
  overwriteOther: false,
  mistypes: false,
  rival: null,
}

/** How a story is told. */
export interface Telling {
  /** `chances` and `signatures` are written down. */
  readonly isExploring?: boolean
  /** Whether the end is known that follows a world like the one behind the last turn: then the story is over there. */
  readonly isKnown?: (signature: string) => boolean
}

/** Lets a story happen, from the first start until the rotation ends one way or the other. */
export const tellStory = async (story: Story, { isExploring = false, isKnown }: Telling = {}): Promise<Told> => {
  const world = new World(story, isExploring)
  const teller = new Teller(world)
  const signatures: string[] = []
  let known = false
  try {
    for (const turn of story.turns) {
      await teller.turn(turn)
      world.calm(false)
      if (isExploring) signatures.push(signatureOf(world))
      if (teller.over || world.witness.violations.length > 0) break
    }
    known = world.witness.violations.length === 0 && isKnown?.(signatureOf(world)) === true
    if (!known) await world.time.passAll()
    world.calm(true)
    world.witness.look()
    if (world.witness.violations.length === 0 && !teller.over && !known) await teller.end()
  } catch (error) {
    world.witness.accuse(`it broke: ${(error as Error).stack ?? String(error)}`)
  }
  return {
    trace: teller.trace,
    violations: world.witness.violations,
    truth: truthOf(world),
    signatures,
    chances: teller.invocations.map(({ offers, commands, looks, calls }) => ({ offers, commands, looks, calls })),
  }
}

/** Commands that were advised last, and how often the world had changed by then. */
interface Advice {
  readonly actions: ReadonlySet<Action>
  readonly disturbances: number
}

class Teller {
  readonly trace: Traced[] = []
  readonly invocations: Invocation[] = []
  readonly #world: World
  readonly #operator: Operator
  /** Journals were lost, and what was in them. */
  #lost = false
  #advice: Advice | null = null

  constructor(world: World) {
    this.#world = world
    this.#operator = new Operator(world.story)
  }

  /** The rotation that was begun last is done with, and rightly so. */
  get over(): boolean {
    return this.#world.witness.verdict.isSettled(this.#world.journal)
  }

  get #beginning(): Action {
    return this.#world.story.repair === null ? 'start' : 'repair'
  }

  /** One turn of the story. */
  async turn(turn: Turn): Promise<void> {
    if (turn.action === 'recover' && this.#world.journals.size > 0) this.#lose()
    await this.#pass(attemptOf(this.#world, this.#possible(turn.action), turn), turn)
  }

  /** Everything works again: the operator goes on, as the program advises, until the rotation ends. */
  async end(): Promise<void> {
    const { witness, story, time } = this.#world
    if (story.ending.action === 'recover' && this.#world.journals.size > 0) this.#lose()
    let next: Action | null = story.ending.action
    // What it takes to begin is another matter than what it takes to end.
    const tries = { start: 0, others: 0 }
    while (next !== null && Math.max(tries.start, tries.others) < PATIENCE) {
      const action = this.#possible(next)
      tries[this.#begins(action) ? 'start' : 'others'] += 1
      next = await this.#goOn(action)
    }
    if (next !== null) witness.accuse(`3: it did not end within ${PATIENCE} invocations`)
    await time.passAll()
    witness.look()
  }

  /** @returns what the operator does next; null where there is nothing left to do, or something was wrong */
  async #goOn(action: Action): Promise<Action | null> {
    const { witness } = this.#world
    const advised = this.#advice
    const ended = await this.#pass(calmAttemptOf(this.#world, action, this.#operator), CALM)
    const { code, message, suggestions } = reasonOf(ended)
    if (ended.kind === 'refused') this.#checkAdvice(action, ended, advised)
    if (action === 'rollback' && code !== null) this.#checkReason(ended, code)
    if (witness.violations.length > 0 || this.over) return null
    if (code === 'NOTHING_PENDING') return this.#isNothingLeft() ? null : 'repair'
    // A rotation wants the user everywhere on its source; another HSM may have what a repair brings there.
    if (action === 'start' && this.#beginning === 'repair' && code === 'USER_MISSING') {
      this.#world.repairFromNext()
      return 'repair'
    }
    const refused = ended.kind === 'refused' || code === 'NO_WAY_BACK'
    const mayLeave = ended.kind === 'refused' && this.#mayLeave(action, ended)
    const decision = this.#operator.decide(this.#again(action, ended), { message, suggestions, refused }, mayLeave)
    const { errands } = this.#operator
    if (errands.upgrade) this.#world.upgrade()
    if (errands.clear) this.#world.clearCounts()
    if (errands.make) this.#world.makeMissing()
    if (errands.unlock) this.#world.unlockUsers()
    if (errands.elsewhere) this.#world.repairFromNext()
    if (errands.remove) this.#world.removeMadeAnew(message)
    Object.assign(errands, { clear: false, make: false, elsewhere: false, unlock: false, remove: false })
    if (decision.kind === 'do') return decision.action
    // What an earlier one has given stays given.
    if (this.#world.journal === null) this.#checkUnchanged(ended)
    return null
  }

  #begins(action: Action): boolean {
    return action === 'start' || action === 'repair'
  }

  /** The same command again, or what follows a start or a recovery that began a journal. */
  #again(action: Action, { kind }: Ended): Action {
    if (!(this.#begins(action) || action === 'recover') || kind !== 'stood') return action
    return this.#world.story.ending.action === 'rollback' ? 'rollback' : 'resume'
  }

  /** One invocation, with a rival beside it where the story has one. */
  async #pass(attempt: Attempt, turn: Turn): Promise<Ended> {
    const { time, witness } = this.#world
    const rivals: Promise<Ended>[] = []
    const onRival = () => {
      if (rivals.length > 0 || turn.rival === null) return
      const { action } = turn.rival
      rivals.push(this.#invoke(attemptOf(this.#world, action, CALM), CALM, () => undefined))
    }
    const ended = await time.passUntil(this.#invoke(attempt, turn, onRival))
    for (const rival of rivals) await time.passUntil(rival)
    witness.look()
    this.#advice = {
      actions: rivals.length > 0 ? new Set() : commandsIn(reasonOf(ended).suggestions),
      disturbances: this.#world.disturbances,
    }
    return ended
  }

  #possible(wanted: Action): Action {
    if (wanted === 'repair') return wanted
    if (this.#world.journals.size > 0) return wanted === 'recover' && !this.#lost ? 'resume' : wanted
    return this.#lost ? 'recover' : this.#beginning
  }

  #lose(): void {
    this.#world.loseMachine()
    this.#lost = true
  }

  #invoke(attempt: Attempt, turn: Turn, onRival: () => void): Promise<Ended> {
    const name = `i${this.invocations.length + 1}`.padEnd(4, '0')
    const { action, wanted } = attempt
    const parts = { name, action, agreesToNoWayBack: wanted.acceptNoWayBack, onRival }
    const invocation = new Invocation(this.#world, turn, parts)
    invocation.lockoutLimit = attempt.lockoutLimit
    this.invocations.push(invocation)
    const ended = Promise.race([carryOut(this.#world, invocation, attempt), invocation.killed]).then(
      (rotation): Ended =>
        rotation === 'killed' ? { kind: 'killed', invocation } : { kind: 'stood', rotation, invocation },
      (error: unknown): Ended => {
        if (!(error instanceof OperatorError)) {
          this.#world.witness.accuse(`a fault of the program: ${(error as Error).stack ?? String(error)}`)
        }
        const { code, message, exitCode, suggestions } = error as OperatorError
        return { kind: 'refused', code, message, exitCode, suggestions, invocation }
      },
    )
    return ended.then((result) => this.#ended(attempt, result))
  }

  #ended(attempt: Attempt, ended: Ended): Ended {
    const { witness, locks, journal, journals } = this.#world
    const { invocation } = ended
    if (ended.kind !== 'killed') {
      if ([...locks.values()].includes(invocation)) witness.accuse(`7: ${invocation.name} left its locks behind`)
      witness.leftNoSession(invocation)
      invocation.end()
    }
    // One that was killed behind its last line has said what there was to say.
    const rotation = ended.kind === 'stood' ? ended.rotation : ended.kind === 'killed' ? rotationNow(journal) : null
    const its = rotation === null ? undefined : journals.get(rotation.facts.rotationId)
    if (rotation !== null && its !== undefined && (ended.kind === 'stood' || isDone(rotation))) {
      witness.verdict.judge(invocation, rotation, its)
    }
    if (ended.kind === 'refused') this.#checkExit(attempt.action, ended)
    this.trace.push({ name: invocation.name, action: attempt.action, flags: flagsOf(attempt), ...describe(ended) })
    return ended
  }

  /** What is refused with 3 has changed nothing, and a rotation that has changed something is not resumed with 3. */
  #checkExit(action: Action, { code, exitCode, invocation }: Refusal & Pick<Ended, 'invocation'>): void {
    const { witness, journals } = this.#world
    if (exitCode !== REFUSED) return
    if (invocation.writes > 0) witness.accuse(`8: ${action} is refused with 3, and changed something: ${code}`)
    const [rotationId] = [...journals.keys()].slice(-1)
    const changed = rotationId !== undefined && witness.courseOf(rotationId)?.stored === true
    if (action === 'resume' && changed && code !== 'ROTATION_NOT_FOUND')
      witness.accuse(`8: resume leaves with 3 though something has changed: ${code}`)
  }

  /** No advice names a command that is refused at once, while nothing has happened since. */
  #checkAdvice(action: Action, { code, exitCode }: Refusal, advised: Advice | null): void {
    if (advised === null || advised.disturbances !== this.#world.disturbances || !advised.actions.has(action)) return
    if (action === 'rollback' && exitCode !== REFUSED) return
    if (FOUND_BY_ASKING.some((one) => code.includes(one))) return
    this.#world.witness.accuse(`advice: ${action} was advised, and is refused: ${code}`)
  }

  /** A rollback is refused for a reason that is so. */
  #checkReason(ended: Ended, code: string): void {
    if (ended.kind !== 'refused' && code !== 'NO_WAY_BACK') return
    if (ended.kind === 'refused' && ended.exitCode !== REFUSED) return
    const { journal } = this.#world
    const reason = journal === null ? undefined : rollbackReasons(rotationOf(journal.ledger))[code]
    const isSo = reason?.({ world: this.#world, invocation: ended.invocation, operator: this.#operator })
    if (isSo === true) return
    const words = isSo === undefined ? 'no reason that is known' : 'not so'
    this.#world.witness.accuse(`3: the rollback is refused for ${code}, which is ${words}`)
  }

  /** A start that is refused for a reason that stays so. */
  #mayLeave(action: Action, { code, invocation }: Refusal & Pick<Ended, 'invocation'>): boolean {
    const isSo = START_REASONS[code]?.({ world: this.#world, invocation, operator: this.#operator }) === true
    // Whom somebody has deleted everywhere nothing is owed.
    if (this.#begins(action) && code === 'USER_NOT_FOUND') return isSo
    return action === this.#beginning && this.#world.journal === null && !this.#lost && isSo
  }

  #checkUnchanged({ invocation }: Ended): void {
    const { witness, store } = this.#world
    const changed = witness.changed()
    if (changed.length > 0) witness.accuse(`8: refused, and changed: ${changed.join('; ')}`)
    if (store.versions.pending !== null || invocation.writes > 0)
      witness.accuse('8: refused, and the store was changed')
  }

  /** Nothing is PENDING although the journal is lost: then it had not begun, was taken back, or was through. */
  #isNothingLeft(): boolean {
    const { witness, fleet, store } = this.#world
    const { current, pending } = store.versions
    if (pending !== null) witness.accuse('3: nothing is said to be PENDING, and something is')
    return fleet.users.every((user) => {
      const held = fleet.named.map((appliance) => witness.truth.held(appliance, user))
      const isNew = current?.users.get(user.key)?.equals(user.new) === true
      return held.every((one) => (one === 'new') === isNew)
    })
  }
}

const rotationNow = (journal: KeptJournal | null): Rotation | null =>
  journal === null ? null : rotationOf(journal.ledger)

/** Codes of facts that nobody can know who did not ask HSMs, AWS or the store. */
const FOUND_BY_ASKING = [
  'ROSTER_',
  'SERIALS',
  'HSM',
  'REFUSED',
  'USER_',
  'LOST',
  'NOT_UNDERSTOOD',
  'QUORUM',
  'LOCKED',
  'LOCKOUT',
]

const isDone = (rotation: Rotation): boolean => statementOf(rotation).outcome !== 'paused'

interface Said {
  readonly code: string | null
  readonly message: string
  readonly suggestions: readonly string[]
}

const reasonOf = (ended: Ended): Said => {
  if (ended.kind === 'killed') return { code: null, message: '', suggestions: [] }
  if (ended.kind === 'refused') return ended
  const { error } = statementOf(ended.rotation)
  return { code: error?.code ?? null, message: error?.message ?? '', suggestions: error?.suggestions ?? [] }
}

const describe = (ended: Ended): Pick<Traced, 'outcome' | 'code' | 'message'> => {
  if (ended.kind === 'killed') return { outcome: 'killed', code: null, message: null }
  if (ended.kind === 'refused') return { outcome: 'refused', code: ended.code, message: ended.message }
  const { outcome, error } = statementOf(ended.rotation)
  return { outcome, code: error?.code ?? null, message: error?.message ?? null }
}
