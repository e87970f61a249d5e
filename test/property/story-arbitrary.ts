import fc from 'fast-check'
import type { UtilityName } from '../../src/domain/utility/utility.js'
import { type Propagation, STAGES, type Stage } from './engine.js'
import { type FleetSpec, fleetSpec, SOME_ODDITIES } from './fleet-arbitrary.js'

/** What happens to one command of a conversation, or to one call of another port, whichever the utility. */
export const STRIKES = [
  /** Opening a conversation: nothing is sent. */
  'no-connection',
  /** Any command: nothing is heard; it was not carried out, or it was. */
  'silent',
  'die-after',
  /** Any command: the conversation ends; it was not carried out, it was, or it will be. */
  'drop',
  'drop-after',
  'late',
  /** An answer nobody understands; carried out or not. */
  'unclear',
  /** A right password is refused; not counted, or counted. */
  'refuse-login',
  'refuse-login-counted',
  'store-fails',
  'store-fails-after',
  'journal-fails',
  'journal-fails-after',
  'discover-fails',
  'hook-fails',
] as const
/** What happens to cloudhsm_mgmt_util alone: at the opening another HSM answers, once. */
export const CMU_STRIKES = ['wrong-hsm'] as const
/** What happens to a command of cloudhsm-cli on one HSM of a cluster while the others go on. */
export const CLI_STRIKES = [
  'refuse-one',
  /** Its line is lost for the rest of the session, before it carried the command out or after. */
  'lose-one',
  'lose-one-after',
  /** The program dies when some HSMs have carried the command out, and others have not heard of it. */
  'half',
] as const
export type Strike = (typeof STRIKES | typeof CMU_STRIKES | typeof CLI_STRIKES)[number]

/** What goes wrong, or changes, in the world. */
export const CONDITIONS = [
  'unreachable',
  'limited',
  'logged-in',
  'quorum',
  /** A migration is going on: users cannot be changed. */
  'limited-write',
  'sync-refuses',
  'strange-masking-key',
  'degraded',
  /** Another client types a wrong password. */
  'foreign-failure',
  'hsm-added',
  'old-hsm-added',
  /** Another HSM answers under the address; AWS reports the old one, or for good the new one, built from a backup. */
  'impostor',
  'replaced',
  'old-replaced',
  /** Another person gives a user a password on one HSM, of their own or the old one. */
  'set-password',
  'set-old-password',
  /** Another person deletes a user on one HSM or on all, or makes it anew under another ID, with a password of their own. */
  'user-deleted',
  'user-deleted-everywhere',
  'user-made-anew',
  'user-made-anew-everywhere',
  /** Other clients lock a user; an officer unlocks users by giving them a password. */
  'user-locked',
  'users-unlocked',
] as const
export type Condition = (typeof CONDITIONS)[number]

/** When an invocation has gone so far. */
export type Moment =
  /** In thousandths of the calls that a rotation of this fleet takes. */
  | { readonly at: number }
  /** Exactly so many calls. */
  | { readonly call: number }

export type Trouble = Moment & {
  readonly what: Strike | Condition
  readonly hsm: number
  readonly user: number
  /** Whether a condition outlives the invocation, or a strike comes again at every such call. */
  readonly lasting: boolean
}

/** SIGKILL at a call to the outside: before it, after its effect, or with the command on its way to the HSM. */
export type Kill = Moment & {
  readonly how: 'before' | 'after' | 'late'
  /** Utilities with a command under way live on until they are ended. */
  readonly orphans: boolean
}

/** One invocation and what befalls it. The first one of a rotation is always a start. */
export interface Turn {
  readonly action: 'resume' | 'rollback' | 'recover'
  readonly troubles: readonly Trouble[]
  readonly kill: Kill | null
  readonly interrupt: Moment | null
  readonly pauseBefore: Stage | null
  readonly retryOfficer: boolean
  readonly propagate: 'auto' | Propagation
  readonly overwriteOther: boolean
  /** What a repair gives is typed again, and wrongly. */
  readonly mistypes: boolean
  /** Another operator comes along. */
  readonly rival: (Moment & { readonly action: 'start' | 'resume' | 'rollback' }) | null
}

/** What the operators want, and know. */
export interface Wishes {
  /** The current passwords are given with start, or CURRENT of the store holds them; or wrong ones. */
  readonly current: 'given' | 'given-wrong' | 'kept' | 'kept-wrong' | 'unknown'
  readonly acceptNoWayBack: boolean
  readonly createMissing: boolean
  readonly concurrency: number
  readonly maxErrors: number
  readonly drainMs: number
  /** The HSM that may stay behind. */
  readonly mayStayBehind: number | null
}

/** What the operator does once everything works again. */
export interface Ending {
  readonly action: Turn['action']
  readonly propagate: 'auto' | Propagation
  readonly overwriteOther: boolean
  /** Where the program advises several things, which of them is done: one number after the other, round and round. */
  readonly choices: readonly number[]
}

export interface Story {
  readonly fleet: FleetSpec
  /** Users are repaired by what an HSM holds, or null: by what the store keeps; null: they are rotated. */
  readonly repair: { readonly from: number | null } | null
  readonly wishes: Wishes
  readonly turns: readonly Turn[]
  readonly ending: Ending
  /** Decides how long each call takes, and so the order of those made side by side. */
  readonly noise: number
}

const at = fc.nat({ max: 999 })

const trouble = (utility: UtilityName): fc.Arbitrary<Trouble> =>
  fc.record({
    at,
    what: fc.oneof(
      fc.constantFrom<Strike[]>(...STRIKES, ...(utility === 'cmu' ? CMU_STRIKES : CLI_STRIKES)),
      fc.constantFrom(...CONDITIONS),
    ),
    hsm: fc.nat({ max: 23 }),
    user: fc.nat({ max: 4 }),
    lasting: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  })

const seldom = <T>(arbitrary: fc.Arbitrary<T>, freq: number) => fc.option(arbitrary, { freq, nil: null })

const turn = (utility: UtilityName): fc.Arbitrary<Turn> =>
  fc.record({
    action: fc.constantFrom('resume', 'resume', 'rollback', 'recover'),
    troubles: fc.array(trouble(utility), { maxLength: 3 }),
    kill: fc.option(fc.record({ at, how: fc.constantFrom('before', 'after', 'late'), orphans: fc.boolean() }), {
      freq: 1,
      nil: null,
    }),
    interrupt: seldom(fc.record({ at }), 1).map((moment) => (moment !== null && moment.at % 5 === 0 ? moment : null)),
    pauseBefore: fc.oneof(
      { weight: 6, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.constantFrom(...STAGES.slice(1)) },
    ),
    retryOfficer: fc.boolean(),
    propagate: fc.constantFrom('auto', 'auto', 'sync', 'change'),
    overwriteOther: fc.constantFrom(false, false, true),
    mistypes: fc.constantFrom(false, false, false, true),
    rival: fc.oneof(
      { weight: 7, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.record({ at, action: fc.constantFrom('start', 'resume', 'rollback') }) },
    ),
  })

const wishes = (...current: readonly Wishes['current'][]): fc.Arbitrary<Wishes> =>
  fc.record({
    current: fc.constantFrom(...current),
    acceptNoWayBack: fc.boolean(),
    createMissing: fc.boolean(),
    concurrency: fc.integer({ min: 1, max: 8 }),
    maxErrors: fc.nat({ max: 2 }),
    drainMs: fc.constantFrom(0, 60_000),
    mayStayBehind: fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat({ max: 23 }) }),
  })

/** What is begun, by how often it is. A repair is of users that are not the same everywhere. */
const beginnings = (utility: UtilityName) => {
  const unlike = { fleet: fleetSpec(utility, SOME_ODDITIES) }
  const unknown: readonly Wishes['current'][] = ['unknown', 'unknown', 'unknown', 'unknown']
  return fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        fleet: fleetSpec(utility),
        repair: fc.constant(null),
        wishes: wishes('given', 'given', 'kept', 'kept', 'given-wrong', 'kept-wrong', ...unknown),
      }),
    },
    { weight: 1, arbitrary: fc.record({ ...unlike, repair: fc.constant({ from: null }), wishes: wishes('kept') }) },
    {
      weight: 1,
      arbitrary: fc.record({
        ...unlike,
        repair: fc.record({ from: fc.nat({ max: 23 }) }),
        wishes: wishes('given', 'unknown', 'given-wrong'),
      }),
    },
  )
}

const ending: fc.Arbitrary<Ending> = fc.record({
  action: fc.constantFrom('resume', 'resume', 'resume', 'rollback', 'rollback', 'recover'),
  propagate: fc.constantFrom('auto', 'auto', 'auto', 'sync', 'change'),
  overwriteOther: fc.constantFrom(false, false, true),
  choices: fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 4 }),
})

/** A fleet, what is wanted of it, and everything that goes wrong meanwhile. */
export const story = (utility: UtilityName): fc.Arbitrary<Story> =>
  fc
    .record({
      beginning: beginnings(utility),
      turns: fc.array(turn(utility), { minLength: 1, maxLength: 4 }),
      ending,
      noise: fc.nat({ max: 0x7fffffff }),
    })
    .map(({ beginning, ...rest }) => ({ ...beginning, ...rest }))
