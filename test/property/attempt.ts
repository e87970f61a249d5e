import type { UserKey } from '../../src/domain/hsm-user.js'
import type { HsmId, RotationId } from '../../src/domain/ids.js'
import { mergedRoster } from '../../src/domain/merged-roster.js'
import type { Roster } from '../../src/domain/roster.js'
import type { Secret } from '../../src/domain/secret.js'
import type { Action } from './advice.js'
import {
  type ChosenForRotation,
  isRepair,
  optionsOf,
  type Rotation,
  recoverRotation,
  repairUsers,
  resumeRotation,
  rollbackRotation,
  startRotation,
  type Wanted,
} from './engine.js'
import { COMMAND_MS, type Invocation } from './invocation.js'
import type { Operator } from './operator.js'
import { portsOf } from './ports.js'
import type { Turn } from './story-arbitrary.js'
import type { World } from './world.js'

/** How one invocation is made: what is asked for, and what is given with it. */
export interface Attempt {
  readonly action: Action
  readonly wanted: Wanted
  readonly retryOfficer: boolean
  readonly createMissing: boolean
  readonly lockoutLimit: number
  /** None, those of the story, or what the operator wrongly takes for them. */
  readonly current: 'none' | 'right' | 'wrong'
  /** What a repair gives is typed again, and wrongly. */
  readonly mistypes: boolean
}

/** As a turn of the story wants it. */
export const attemptOf = ({ story, fleet, mayStayBehind }: World, action: Action, turn: Turn): Attempt => {
  const { current, acceptNoWayBack, createMissing, drainMs, maxErrors } = story.wishes
  return {
    action,
    wanted: {
      propagate: turn.propagate,
      acceptNoWayBack,
      overwriteOther: turn.overwriteOther,
      pauseBefore: turn.pauseBefore,
      drainMs,
      maxErrors,
      mayStayBehind,
      newSerials: [],
    },
    retryOfficer: turn.retryOfficer,
    createMissing,
    lockoutLimit: fleet.lockoutLimit,
    current: current === 'given' ? 'right' : current === 'given-wrong' ? 'wrong' : 'none',
    mistypes: turn.mistypes && !turn.overwriteOther,
  }
}

/** As an operator does it who follows the advice. */
export const calmAttemptOf = ({ story, fleet, mayStayBehind }: World, action: Action, operator: Operator): Attempt => {
  const { current } = story.wishes
  return {
    action,
    wanted: operator.wanted(mayStayBehind),
    retryOfficer: operator.retriesOfficer,
    createMissing: operator.createsMissing,
    lockoutLimit: operator.lockoutLimit ?? fleet.lockoutLimit,
    current: !operator.givesCurrent ? 'none' : current === 'given-wrong' ? 'wrong' : 'right',
    mistypes: false,
  }
}

/** The flags of an attempt, as far as they tell it from a plain one. */
export const flagsOf = ({ wanted, retryOfficer, createMissing, current, mistypes }: Attempt): string =>
  [
    ...(wanted.propagate === 'auto' ? [] : [`--propagate ${wanted.propagate}`]),
    ...(wanted.acceptNoWayBack ? ['--accept-no-way-back'] : []),
    ...(wanted.overwriteOther ? ['--overwrite-other'] : []),
    ...(wanted.pauseBefore === null ? [] : [`--pause-before ${wanted.pauseBefore}`]),
    ...wanted.mayStayBehind.map((hsmId) => `--allow-unreachable ${hsmId}`),
    ...wanted.newSerials.map((clusterId) => `--accept-new-serials ${clusterId}`),
    ...(retryOfficer ? ['--retry-officer'] : []),
    ...(createMissing ? ['--create-missing'] : []),
    ...(current === 'none' ? [] : [`--current-password (${current})`]),
    ...(mistypes ? ['--new-password (mistyped)'] : []),
  ].join(' ')

/** Begins the invocation. */
export const carryOut = async (world: World, invocation: Invocation, attempt: Attempt): Promise<Rotation> => {
  const { story, fleet } = world
  const { action, wanted, retryOfficer, createMissing, lockoutLimit } = attempt
  const chosen = chosenIn(world)
  const ports = portsOf(invocation, rosterOf(world, action) ?? chosen.roster, lockoutLimit)
  // Nobody begins a rotation by naming HSMs that are not there any more.
  const begins = action === 'start' || action === 'repair'
  const isThere = (hsmId: HsmId) => !begins || fleet.listed(hsmId) !== undefined
  const wished = { ...wanted, mayStayBehind: wanted.mayStayBehind.filter(isThere) }
  const options = { ...optionsOf(wished), createMissing }
  const newPasswords = newOf(world, attempt)
  const currentPasswords = currentOf(world, attempt)
  const { utility } = story.fleet
  const config =
    utility === 'cmu'
      ? ({ utility, sha256: null, document: { servers: [] } } as const)
      : ({ utility, sha256: null, document: { clusters: [] } } as const)
  switch (action) {
    case 'start': {
      const rules = { lockoutLimit, createMissing, allowKmsuser: false }
      const more = { newPasswords, newCredential: 'given', currentPasswords, expected: null, retryOfficer } as const
      return startRotation({ chosen, users: fleet.users, rules, options, config, ...more }, ports)
    }
    case 'recover': {
      return recoverRotation({ chosen, users: fleet.users, config, commandMs: COMMAND_MS }, ports)
    }
    case 'repair':
      return repairUsers(
        {
          chosen,
          users: fleet.users,
          wanted: wished,
          lockoutLimit,
          retryOfficer,
          from: world.repairFrom === null ? null : fleet.nth(world.repairFrom).hsmId,
          passwords: currentPasswords,
        },
        ports,
        config,
      )
    default: {
      const rotationId = [...world.journals.keys()].at(-1) ?? ('r-20260301-031500-none' as RotationId)
      const more = { options, retryOfficer, newPasswords, currentPasswords, commandMs: COMMAND_MS }
      return action === 'resume'
        ? resumeRotation({ rotationId, ...more }, ports)
        : rollbackRotation({ rotationId, ...more }, ports)
    }
  }
}

/** Who resumes knows the HSMs from the journal. */
const rosterOf = ({ journal }: World, action: Action): Roster | null =>
  action === 'resume' || action === 'rollback' ? (journal?.ledger.plan.roster ?? null) : null

const chosenIn = ({ fleet }: World): ChosenForRotation => {
  const clusters = fleet.reported()
  const named = clusters.filter((_, index) => fleet.clusters[index]?.named)
  const [source, ...destinations] = named
  if (source === undefined) throw new Error('a fleet has a cluster')
  const leftOut = clusters.filter((cluster) => !named.includes(cluster))
  const { roster } = mergedRoster({ source, destinations })
  return { source, destinations, leftOut, family: 'family-test', roster }
}

/** What a repair copies is what was in force, where anybody knows it. */
const newOf = ({ fleet, journal }: World, { action, mistypes }: Attempt): ReadonlyMap<UserKey, Secret> => {
  if (action === 'start' || journal === null || !isRepair(journal.ledger))
    return passwords(fleet.users, (user) => user.new)
  return passwords(fleet.users, (user) => (mistypes ? user.before : user.old))
}

const currentOf = ({ fleet }: World, { current }: Attempt): ReadonlyMap<UserKey, Secret> => {
  if (current === 'none') return new Map()
  const [first] = fleet.users
  return passwords(fleet.users, (user) => (current === 'wrong' && user === first ? user.before : user.old))
}

const passwords = <User extends { readonly key: UserKey }>(
  users: readonly User[],
  of: (user: User) => Secret,
): ReadonlyMap<UserKey, Secret> => new Map(users.map((user) => [user.key, of(user)]))
