import { atLeast, SINCE } from '../../src/simulator/cloudhsm-cli/settings.js'
import { type Course, cellKey } from './course.js'
import { provedAtFirst, type Rotation } from './engine.js'
import type { Appliance, RotatedUser } from './fleet.js'
import type { Invocation } from './invocation.js'
import type { Operator } from './operator.js'
import { serialOf } from './serials.js'
import type { World } from './world.js'

/** A refusal, and everything that tells whether its reason is so. */
export interface Refused {
  readonly world: World
  readonly invocation: Invocation
  readonly operator: Operator
}

type Reason = (refused: Refused) => boolean

const isMissing = ({ fleet }: World, user: RotatedUser): boolean =>
  fleet.named.some(({ hsm }) => hsm.find(user.type, user.name) === undefined)

const anyMissing: Reason = ({ world }) => world.fleet.users.some((user) => isMissing(world, user))

/** Clusters of one type of HSM, and a utility that copies. */
const canCopy = ({ story, cli }: World): boolean => story.fleet.utility === 'cmu' || atLeast(cli, SINCE.userReplicate)

const typesDiffer = ({ fleet }: World): boolean => new Set(fleet.named.map(({ hsm }) => hsm.hsmType)).size > 1

/** Whether the current passwords that the operator gives, or the store keeps, are in force everywhere. */
const currentIsWrong: Reason = ({ world, operator }) => {
  const { fleet, witness, story } = world
  const { current } = story.wishes
  if (current === 'unknown') return false
  if ((current === 'given-wrong' || current === 'kept-wrong') && !operator.doubtsCurrent) return true
  return fleet.named.some((appliance) =>
    fleet.users.some((user) => !['old', 'absent'].includes(witness.truth.held(appliance, user))),
  )
}

/** On the HSMs of some cluster a user has different IDs, is missing, or is locked on some of them. */
const clusterDisagrees: Reason = ({ world: { fleet } }) =>
  fleet.clusters.some(({ appliances }) =>
    fleet.users.some(({ type, name }) => {
      const found = appliances.map(({ hsm }) => hsm.find(type, name))
      return new Set(found.map((user) => `${user?.id} ${user?.locked}`)).size > 1
    }),
  )

/** Why a start may be refused for good, although everything works. Nothing has changed then. */
export const START_REASONS: Readonly<Record<string, Reason>> = {
  USER_MISSING: anyMissing,
  USER_NOT_FOUND: ({ world }) =>
    world.fleet.users.some(({ type, name }) => world.fleet.named.every(({ hsm }) => !hsm.find(type, name))),
  ID_TAKEN: ({ world: { fleet } }) =>
    fleet.users.some(({ type, name }) => {
      const ids = fleet.named.flatMap(({ hsm }) => hsm.find(type, name)?.id ?? [])
      return fleet.named.some(({ hsm }) => !hsm.find(type, name) && hsm.users.some(({ id }) => ids.includes(id)))
    }),
  USER_INCONSISTENT: (refused) => refused.world.story.fleet.utility === 'cloudhsm-cli' && clusterDisagrees(refused),
  CURRENT_REFUSED: currentIsWrong,
  CLI_TOO_OLD: ({ world }) => !canCopy(world),
  REPLICATION_UNSUPPORTED: ({ world }) => typesDiffer(world) || unitCount(world) < 2 || idsDiffer(world),
  LOGIN_BUDGET: ({ world }) => world.refusedLogins.size > 0,
  // By what the HSM counts, not by what somebody remembers.
  NEAR_LOCKOUT: ({ world: { fleet } }) =>
    fleet.named.some(({ hsm }) => hsm.users.some(({ failures }) => failures >= fleet.lockoutLimit - 2)),
  USER_LOCKED: ({ world: { fleet } }) =>
    fleet.users.some(({ type, name }) => fleet.named.some(({ hsm }) => hsm.find(type, name)?.locked === true)),
  DECLINED: ({ invocation }) => invocation.declined,
  NO_WAY_BACK: ({ world, operator }) => !operator.acceptsNoWayBack && !hasWayBackAtFirst(world, operator),
}

/** Whether there can be one: who knows the old password has it, and who can copy between two units. */
const hasWayBackAtFirst = (world: World, operator: Operator): boolean => {
  return operator.givesCurrent || world.story.wishes.current === 'kept' || (canCopy(world) && unitCount(world) > 1)
}

const unitCount = ({ fleet, story }: World): number =>
  story.fleet.utility === 'cmu' ? fleet.named.length : story.fleet.clusters.length

/** Some user has not the same ID everywhere. */
const idsDiffer = ({ fleet }: World): boolean =>
  fleet.users.some(({ type, name }) => new Set(fleet.named.map(({ hsm }) => hsm.find(type, name)?.id)).size > 1)

/** Why a rollback may be refused although everything works. Forward is still a way then. */
export const rollbackReasons = (rotation: Rotation): Readonly<Record<string, Reason>> => ({
  NO_WAY_BACK: (refused) => !hasWayBack(refused, rotation),
  ROLLBACK_TOO_LATE: ({ world }) =>
    world.witness.courseOf(rotation.facts.rotationId)?.promoting === true ||
    (rotation.facts.procedure === 'repair' && rotation.outcome !== 'paused'),
  CURRENT_REFUSED: currentIsWrong,
  ROSTER_CHANGED: ({ world: { fleet } }) => {
    const roster = rotation.plan.roster.map(({ hsmId }) => hsmId)
    return fleet.named.length !== roster.length || roster.some((hsmId) => fleet.listed(hsmId) === undefined)
  },
  OTHER_SERIALS: ({ world }) => {
    const serials = world.witness.courseOf(rotation.facts.rotationId)?.serials ?? new Map<string, readonly string[]>()
    return [...serials].some(([clusterId, known]) => {
      const there = world.fleet.named.filter((one) => one.clusterId === clusterId)
      const now = there.map(({ saysId }) => serialOf(saysId))
      // AWS reported another one under the same address when the numbers were read first.
      const isNew = there.some(({ hsmId }) => !rotation.plan.roster.some((server) => server.hsmId === hsmId))
      return isNew || known.some((serial) => !now.includes(serial))
    })
  },
  PENDING_LOST: ({ world }) => world.store.versions.pending?.rotationId !== rotation.facts.rotationId,
  LOGIN_BUDGET: ({ world }) => world.refusedLogins.size > 0,
  OFFICER_REFUSED_BEFORE: ({ world, operator }) => world.refusedLogins.size > 0 && !operator.retriesOfficer,
})

/** Whether every HSM that a repair wrote has a sibling that it did not write, and that holds something else. */
const hasWayBackOfRepair = ({ fleet, witness, story }: World, course: Course): boolean => {
  if (course.written.size === 0) return true
  const { behaviour, utility } = story.fleet
  if (utility === 'cloudhsm-cli' || behaviour.syncUserExisting !== 'overwrite') return false
  if (course.copiesFailed) return false
  const isLeft = (appliance: Appliance) =>
    !course.written.has(appliance.hsmId) &&
    course.roster.has(appliance.hsmId) &&
    fleet.users.every((user) => {
      const held = witness.truth.held(appliance, user)
      return (
        held !== 'absent' && held !== course.aims.get(user.key) && held === course.before.get(cellKey(appliance, user))
      )
    })
  const isThere = [...course.written].every((hsmId) => fleet.listed(hsmId) !== undefined)
  return (
    isThere &&
    fleet.clusters.every(
      ({ appliances }) => !appliances.some(({ hsmId }) => course.written.has(hsmId)) || appliances.some(isLeft),
    )
  )
}

/** Whether the old passwords can be given back for certain, by what the program was told and saw. */
const hasWayBack = ({ world, operator }: Refused, rotation: Rotation): boolean => {
  const { fleet, store, story, witness } = world
  const course = witness.courseOf(rotation.facts.rotationId)
  if (course === undefined || course.lost) return false
  if (rotation.facts.procedure === 'repair') return hasWayBackOfRepair(world, course)
  const proved = fleet.users.every((user) => provedAtFirst(rotation).some((cell) => cell.user === user.key))
  const kept = fleet.users.every((user) => store.versions.current?.users.get(user.key)?.equals(user.old) === true)
  if (proved && (kept || operator.givesCurrent)) return true
  const { behaviour, utility } = story.fleet
  const existing = utility === 'cmu' ? behaviour.syncUserExisting : behaviour.userReplicateExisting
  if (course.copiesFailed || existing !== 'overwrite' || !canCopy(world) || typesDiffer(world)) return false
  // Once it was planned so, no copy is made, whatever they are since.
  if (idsDiffer(world) || rotation.plan.users.some(({ idsAgree }) => !idsAgree)) return false
  // Of all but one nobody could say anything when it was planned, so that no copy was tried.
  const { first, canary, restorePoint } = rotation.plan.parts
  if (first === canary && canary === restorePoint) return false
  // What somebody has made anew everywhere is nothing that was there before.
  const isMadeAnew = rotation.plan.users.some(({ type, name, userId }) =>
    fleet.named.every(({ hsm }) => hsm.find(type, name)?.id !== userId),
  )
  if (isMadeAnew) return false
  const untouched = fleet.named.filter(
    (appliance) =>
      course.roster.has(appliance.hsmId) &&
      !course.written.has(appliance.hsmId) &&
      fleet.users.every(
        (user) =>
          witness.truth.held(appliance, user) === course.before.get(cellKey(appliance, user)) &&
          witness.truth.held(appliance, user) !== 'absent',
      ),
  )
  if (utility === 'cmu') return untouched.length > 0
  return fleet.clusters.some(
    ({ appliances, named }) => named && appliances.every((appliance) => untouched.includes(appliance)),
  )
}
