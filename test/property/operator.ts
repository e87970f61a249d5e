import type { ClusterId, HsmId } from '../../src/domain/ids.js'
import { type Action, isGrant, type Way, waysIn } from './advice.js'
import type { Wanted } from './engine.js'
import type { Story } from './story-arbitrary.js'

/** Of an invocation that did not end the rotation. */
export interface Answered {
  readonly message: string
  readonly suggestions: readonly string[]
  /** It was refused, and not begun. */
  readonly refused: boolean
}

/** What the operator does next. */
export type Decision =
  | { readonly kind: 'do'; readonly action: Action }
  /** It was refused, nothing has changed, and the operator does without it. */
  | { readonly kind: 'leave' }

/**
 * Once everything works again the operator does what the program advises. Where it advises several things, or asks for
 * a flag by name, the story decides; what was granted once is granted for good.
 */
export class Operator {
  /** The current password was refused, and is not given any more. */
  doubtsCurrent = false
  givesCurrent: boolean
  createsMissing: boolean
  retriesOfficer = false
  /** What is to be done beside the program. */
  readonly errands = { upgrade: false, clear: false, make: false, elsewhere: false, unlock: false, remove: false }
  /** The HSMs count nothing, so that the operator may allow another login where failures are only remembered. */
  lockoutLimit: number | null = null
  acceptsNoWayBack: boolean
  readonly #story: Story
  #propagate: Wanted['propagate']
  #overwriteOther: boolean
  readonly #mayStayBehind = new Set<HsmId>()
  readonly #newSerials = new Set<ClusterId>()
  readonly #tried = new Set<string>()
  #heard = ''
  #decisions = 0
  #recoveries = 0

  constructor(story: Story) {
    this.#story = story
    const { wishes, ending } = story
    this.givesCurrent = wishes.current === 'given' || wishes.current === 'given-wrong'
    this.createsMissing = wishes.createMissing
    this.acceptsNoWayBack = wishes.acceptNoWayBack
    this.#propagate = ending.propagate
    this.#overwriteOther = ending.overwriteOther
  }

  /** @param mayStayBehind what the story allows from the start */
  wanted(mayStayBehind: readonly HsmId[]): Wanted {
    const { drainMs, maxErrors } = this.#story.wishes
    return {
      propagate: this.#propagate,
      acceptNoWayBack: this.acceptsNoWayBack,
      overwriteOther: this.#overwriteOther,
      pauseBefore: null,
      drainMs,
      maxErrors,
      mayStayBehind: [...new Set([...mayStayBehind, ...this.#mayStayBehind])],
      newSerials: [...this.#newSerials],
    }
  }

  /** What to do after `last`. @param mayLeave nothing has changed, and there is nothing that has to be ended */
  decide(last: Action, { message, suggestions, refused }: Answered, mayLeave: boolean): Decision {
    const isHeardAgain = this.#heard === `${last} ${message}`
    this.#heard = `${last} ${message}`
    const ways = waysIn(suggestions).map((way) => this.#possible(way))
    const granting = ways.filter((way) => isGrant(way) && !this.#tried.has(keyOf(way, message)))
    // Every pause ends with how to go on; where it asks for something first, that alone is nothing else to do.
    const isMere = (action: Action) => action === 'resume' && granting.length > 0 && !refused
    const others = ways.filter(
      (way) => !isGrant(way) && way.action !== null && this.#isOther(way.action, last) && !isMere(way.action),
    )
    // Forward is still a way for whoever is told no more than that there is none back.
    const again: Decision = { kind: 'do', action: last === 'rollback' && refused ? 'resume' : last }
    const options: readonly (Way | Decision)[] = [
      ...granting,
      ...others,
      ...(mayLeave ? [{ kind: 'leave' } as const] : []),
      // Whoever was told what else to do, or that it stays so, does not do the same again; nor who hears the same again.
      ...(granting.length > 0 || mayLeave || ((refused || isHeardAgain) && others.length > 0) ? [] : [again]),
    ]
    const choice = this.#choose(options) ?? again
    if ('kind' in choice) return choice
    this.#grant(choice, message)
    return { kind: 'do', action: choice.action ?? last }
  }

  /** A recovery is repeated once where that is advised, everything else as often as it is. */
  #isOther(action: Action, last: Action): boolean {
    if (action !== 'recover') return action !== last
    this.#recoveries += 1
    return this.#recoveries <= 1
  }

  #choose<T>(options: readonly T[]): T | undefined {
    if (options.length < 2) return options[0]
    const { choices } = this.#story.ending
    const choice = choices[this.#decisions % choices.length] ?? 0
    this.#decisions += 1
    return options[choice % options.length]
  }

  /** What is in the operator's power of it: nobody can give a password that nobody knows, or give it twice. */
  #possible(way: Way): Way {
    const { current } = this.#story.wishes
    // An operator who relied on the store finds the password there; one that is wrong is wrong there too.
    const knows = current !== 'unknown' && current !== 'kept-wrong' && !this.doubtsCurrent && !this.givesCurrent
    return { ...way, flags: way.flags.filter(([name]) => name !== 'current-password' || knows) }
  }

  #grant(way: Way, message: string): void {
    this.#tried.add(keyOf(way, message))
    if (way.withoutCurrent) {
      this.doubtsCurrent = true
      this.givesCurrent = false
    }
    this.errands.upgrade ||= way.upgrade
    this.errands.clear ||= way.clear
    this.errands.make ||= way.make
    this.errands.elsewhere ||= way.elsewhere
    this.errands.unlock ||= way.unlock
    this.errands.remove ||= way.remove
    for (const [name, value] of way.flags) {
      switch (name) {
        case 'propagate':
          if (value === 'auto' || value === 'sync' || value === 'change') this.#propagate = value
          break
        case 'accept-no-way-back':
          this.acceptsNoWayBack = true
          break
        case 'overwrite-other':
          this.#overwriteOther = true
          break
        case 'allow-unreachable':
          if (value !== null) this.#mayStayBehind.add(value as HsmId)
          break
        case 'accept-new-serials':
          if (value !== null) this.#newSerials.add(value as ClusterId)
          break
        case 'lockout-limit':
          this.lockoutLimit ??= Number(value)
          break
        case 'retry-officer':
          this.retriesOfficer = true
          break
        case 'create-missing':
          this.createsMissing = true
          break
        case 'from':
          this.errands.elsewhere = true
          break
        case 'current-password':
          this.givesCurrent = true
          break
        default:
          break
      }
    }
  }
}

/** What is done by hand is done once more for another user, or elsewhere. */
const keyOf = (way: Way, message: string): string =>
  way.make || way.elsewhere || way.unlock || way.remove ? `${JSON.stringify(way)} ${message}` : JSON.stringify(way)
