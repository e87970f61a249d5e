import { createHash } from 'node:crypto'
import type { UtilityName } from '../../src/domain/utility/utility.js'
import { STAGES } from './engine.js'
import { inWords, kindOf } from './report.js'
import type { Setting } from './small-settings.js'
import {
  CLI_STRIKES,
  CMU_STRIKES,
  CONDITIONS,
  type Condition,
  type Kill,
  STRIKES,
  type Story,
  type Strike,
  type Turn,
} from './story-arbitrary.js'
import { CALM, type Chances, type Told, tellStory } from './tell-story.js'

/** One thing that goes wrong in one invocation, in words and as the change of its turn. */
export interface Fault {
  readonly words: string
  /** It comes true or strikes at this call. */
  readonly call: number
  readonly befalls: (turn: Turn) => Turn
  /** It is still so in the invocation behind. */
  readonly lasting: boolean
}

/** A story of a few faults, and what the operator does about them. */
export interface Case {
  readonly words: string
  /** The turns in words: cases that have them in common differ in how they end alone. */
  readonly course: string
  readonly story: Story
}

/** What the operator does first, once everything works again. */
const ACTIONS = ['resume', 'rollback', 'recover'] as const
type Action = (typeof ACTIONS)[number]

/** Which HSM it is matters for these; for the others it is no more than a number. */
const ON_ONE: readonly Strike[] = ['no-connection', 'wrong-hsm', 'refuse-login', 'refuse-login-counted', ...CLI_STRIKES]
/** Conditions that end; the others are so for good. */
const PASSING: readonly Condition[] = [
  ...(['unreachable', 'limited', 'logged-in', 'quorum', 'limited-write', 'sync-refuses'] as const),
  ...(['strange-masking-key', 'degraded', 'impostor'] as const),
]

/** Whether an answer that nobody understands stands for something that was done. */
const DONE_OR_NOT = [0, 1]

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index)

/** Strikes of this utility, each at every call that it can strike. */
const strikesIn = ({ offers }: Chances, utility: UtilityName, hsms: number): readonly Fault[] => {
  const kinds: readonly Strike[] = [...STRIKES, ...(utility === 'cmu' ? CMU_STRIKES : CLI_STRIKES)]
  return offers.flatMap(({ call, strikes }) =>
    strikes
      .filter((what) => kinds.includes(what))
      .flatMap((what) => {
        const which = ON_ONE.includes(what) ? numbers(hsms) : what === 'unclear' ? DONE_OR_NOT : [0]
        return which.map((hsm) => troubled(what, call, hsm, false))
      }),
  )
}

const troubled = (what: Strike | Condition, call: number, hsm: number, lasting: boolean): Fault => ({
  words: `${what}@${call}/${hsm}${lasting ? ' lasting' : ''}`,
  call,
  lasting,
  befalls: (turn) => ({ ...turn, troubles: [...turn.troubles, { what, call, hsm, user: 0, lasting }] }),
})

/** Every condition on every HSM, come true before every call that can see it: for the others it is all one. */
const conditionsIn = ({ looks }: Chances, hsms: number): readonly Fault[] =>
  looks.flatMap((call) =>
    CONDITIONS.flatMap((what) =>
      numbers(hsms).flatMap((hsm) => [
        troubled(what, call, hsm, false),
        ...(PASSING.includes(what) ? [troubled(what, call, hsm, true)] : []),
      ]),
    ),
  )

const killed = (call: number, how: Kill['how'], orphans: boolean): Fault => ({
  words: `killed ${how}@${call}${orphans ? ' with orphans' : ''}`,
  call,
  lasting: false,
  befalls: (turn) => ({ ...turn, kill: { call, how, orphans } }),
})

/** SIGKILL before every call, after it, and with a command on its way; and Ctrl-C at every call. */
const endsIn = ({ calls, commands }: Chances): readonly Fault[] =>
  numbers(calls).flatMap((at) => {
    const call = at + 1
    const isCommand = commands.includes(call)
    return [
      killed(call, 'before', false),
      killed(call, 'after', false),
      ...(isCommand ? [killed(call, 'late', false), killed(call, 'after', true)] : []),
      {
        words: `Ctrl-C@${call}`,
        call,
        lasting: false,
        befalls: (turn: Turn): Turn => ({ ...turn, interrupt: { call } }),
      },
    ]
  })

const pauses: readonly Fault[] = STAGES.slice(1).map((stage) => ({
  words: `paused before ${stage}`,
  call: 0,
  lasting: false,
  befalls: (turn) => ({ ...turn, pauseBefore: stage }),
}))

/** Everything that can go wrong at every call of an invocation. */
const faultsIn = (chances: Chances, { fleet }: Setting): readonly Fault[] => {
  const hsms = fleet.clusters.reduce((sum, size) => sum + size, 0)
  return [...strikesIn(chances, fleet.utility, hsms), ...conditionsIn(chances, hsms), ...endsIn(chances), ...pauses]
}

const befallen = (turn: Turn, faults: readonly Fault[]): Turn => faults.reduce((all, fault) => fault.befalls(all), turn)

const QUIET: Turn = { ...CALM, retryOfficer: true }

/** @param turns faults of one invocation after the other */
const caseOf = ({ name, fleet, wishes }: Setting, turns: readonly (readonly Fault[])[], action: Action): Case => {
  const [start = [], ...others] = turns
  const all = turns.flat()
  const story: Story = {
    fleet,
    wishes,
    turns: [befallen(QUIET, start), ...others.map((faults) => befallen({ ...QUIET, action }, faults))],
    ending: {
      // What was lost is lost once.
      action: others.length > 0 && action === 'recover' ? 'resume' : action,
      propagate: 'auto',
      overwriteOther: false,
      choices: [all.reduce((sum, { call }) => sum + call, 0) % 2, 0, 1],
    },
    noise: 1,
    repair: null,
  }
  const words = [start, ...others].map((faults) => faults.map((fault) => fault.words).join(' and ') || 'nothing')
  const course = words.join(others.length > 0 ? `, then ${action} with ` : '')
  return { words: `${name}: ${words.join(', then ')}; ${action}`, course, story }
}

const explored = (example: Case): Promise<Told> => tellStory(example.story, { isExploring: true })

const NOTHING: Chances = { offers: [], commands: [], looks: [], calls: 0 }

/** Which faults are taken: those whose number leaves `part` when it is divided by `of`. */
export interface Share {
  readonly part: number
  readonly of: number
}

const shared = (faults: readonly Fault[], { part, of }: Share): readonly Fault[] =>
  faults.filter((_, index) => index % of === part % of)

/** Every fault of a start, with each thing that an operator can do then. */
export async function* singles(setting: Setting, share: Share): AsyncGenerator<Case> {
  const { chances } = await explored(caseOf(setting, [[]], 'resume'))
  for (const fault of shared(faultsIn(chances[0] ?? NOTHING, setting), share)) {
    for (const action of ACTIONS) yield caseOf(setting, fault.lasting ? [[fault], []] : [[fault]], action)
  }
}

/**
 * Every two faults: both in the start, or the second one in what the operator does about the first. First faults behind
 * which the world is the same stand for each other.
 */
export async function* pairs(setting: Setting, share: Share): AsyncGenerator<Case> {
  const { chances } = await explored(caseOf(setting, [[]], 'resume'))
  const behind = new Set<string>()
  for (const first of shared(faultsIn(chances[0] ?? NOTHING, setting), share)) {
    if (first.lasting) continue
    const again = await explored(caseOf(setting, [[first]], 'resume'))
    for (const second of faultsIn(again.chances[0] ?? NOTHING, setting)) {
      if (second.lasting || second.call <= first.call) continue
      for (const action of ACTIONS) yield caseOf(setting, [[first, second]], action)
    }
    const [signature = ''] = again.signatures
    if (behind.has(signature)) continue
    behind.add(signature)
    for (const action of ACTIONS) {
      const next = await explored(caseOf(setting, [[first], []], action))
      for (const second of faultsIn(next.chances[1] ?? NOTHING, setting)) {
        if (!second.lasting) yield caseOf(setting, [[first], [second]], action)
      }
    }
  }
}

/** What came of cases. */
export interface Counted {
  readonly cases: number
  /** Those of them that were told to their end; behind the turns of the others the world was as in one of these. */
  readonly ends: number
  readonly wrong: number
  /** The first one of each kind that went wrong. */
  readonly kinds: ReadonlyMap<string, { readonly count: number; readonly first: string }>
}

/**
 * Tells them all, each to where the world behind its turns is one whose end is known.
 * @param cases of one setting
 */
export const tellCases = async (cases: AsyncIterable<Case>): Promise<Counted> => {
  const kinds = new Map<string, { count: number; readonly first: string }>()
  const known = new Set<string>()
  let behind = { course: '', signature: '' }
  let [told, ends, wrong] = [0, 0, 0]
  for await (const { words, course, story } of cases) {
    told += 1
    const { action, choices } = story.ending
    const endOf = (signature: string): string => [action, choices.join(), signature].join(' ')
    if (behind.course === course && known.has(endOf(behind.signature))) continue
    const came = await tellStory(story, {
      isKnown: (world) => {
        const signature = createHash('sha256').update(world).digest('base64')
        behind = { course, signature }
        if (known.has(endOf(signature))) return true
        known.add(endOf(signature))
        ends += 1
        return false
      },
    })
    if (came.violations.length === 0) continue
    wrong += 1
    const kind = kindOf(came)
    const { count, first } = kinds.get(kind) ?? { count: 0, first: describe(words, story, came) }
    kinds.set(kind, { count: count + 1, first })
  }
  return { cases: told, ends, wrong, kinds }
}

const describe = (words: string, story: Story, told: Told): string =>
  [`${words}:`, `  ${inWords(told)}`, `again: npm run small-scope -- --story '${JSON.stringify(story)}'`].join('\n')
