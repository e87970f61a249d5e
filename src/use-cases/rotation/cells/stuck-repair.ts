import type { UnitId } from '../../../domain/ids.js'
import { allowUnreachable, type RosterEntry } from '../../../domain/roster.js'
import { type PlannedUser, serversOf } from '../../../domain/rotation/plan.js'
import { nothingToUndo } from '../../../domain/rotation/way-back.js'
import { Pause } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'

// What a repair stops for where nobody knows the password that it copies.

/**
 * The pause of a repair that has lost what it copies from. Nobody knows the password, so that nothing else can give it, nor
 * give it back to the origin.
 */
export const originLost = (run: RotationRun, from: UnitId): Pause => {
  const { plan } = run
  const servers = serversOf(plan.roster, from)
  const isGone = servers.length === 0
  const wrong = servers.flatMap((server) => wrongAt(run, server)).at(0)
  const isAway = !isGone && wrong === undefined
  const what = isGone ? 'is gone, and nobody knows the password it held' : (wrong ?? AWAY)
  return new Pause('ORIGIN_LOST', `${run.name(from)}, which this repair copies from, ${what}`, [
    ...(isAway ? ['bring it back, then resume: nothing else can take its place'] : []),
    ...leavingAdvice(run),
  ])
}

const AWAY = 'cannot be reached, and nobody knows the password it holds'

/** Why an HSM that is copied from counts no more, in words; none where it holds what it did. */
const wrongAt = ({ users, ledger }: RotationRun, { hsmId }: RosterEntry): readonly string[] =>
  users.flatMap(({ key }) => {
    const { state } = ledger.cell(key, hsmId)
    if (ledger.hasOtherId(key, hsmId)) return [`has ${key} under another ID on ${hsmId} now, and no copy is made of it`]
    if (state === 'new') return []
    if (state === 'locked') return [`has ${key} locked on ${hsmId}, and nobody knows the password to unlock it with`]
    if (state === 'absent') return [`lacks ${key} on ${hsmId} now, and nobody knows the password it held`]
    return [`may hold another password for ${key} on ${hsmId} than it did, and nobody knows which`]
  })

/** The pause where a copy leaves users as they are, and a change would need the password. */
export const copyRefused = (run: RotationRun, unitId: UnitId, users: readonly PlannedUser[]): Pause =>
  new Pause(
    'COPY_REFUSED',
    `${run.words.copy} does not overwrite ${users.map(({ key }) => key).join(', ')} on ${run.name(unitId)}, and the password, which a change needs, is not known`,
    waysOut(run),
  )

/** The same pause with what can be done now that every HSM was tried. */
export const withWaysOut = (run: RotationRun, { code, message, away }: Pause): Pause =>
  new Pause(code, message, waysOut(run), away)

const waysOut = (run: RotationRun): readonly string[] => [
  ...(nothingToUndo(run.ledger) && !run.ledger.applicationsTold
    ? [`nothing has changed yet, to close it: lockstep rotate rollback --rotation ${run.ledger.facts.rotationId}`]
    : []),
  ...leavingAdvice(run),
  'where you know what it holds: once this repair is closed, the same one with --password SECRET goes on by changes',
]

/** How HSMs that cannot be given what a repair copies are left as they are, and what gives them what is right. */
export const leavingAdvice = (run: RotationRun): readonly string[] => {
  const { debts, facts } = run.ledger
  const lacking = run.units.filter((unitId) => run.notNew(unitId).length > 0).flatMap((unitId) => run.servers(unitId))
  // A debt that is back takes part again unless it is named again.
  const isNamed = (server: RosterEntry) =>
    lacking.some(({ hsmId }) => hsmId === server.hsmId) ||
    (debts.has(server.hsmId) && run.ledger.isInSight(server.hsmId))
  const named = run.plan.roster.filter(isNamed)
  const isLeft = lacking.every(({ hsmId }) => debts.has(hsmId))
  const another =
    'another repair gives it what is right: lockstep users repair --from HSM   or --to-current --store STORE'
  const anew =
    'where nobody knows what is right, a rotation gives every HSM a new password, and nothing gives the old ones back: lockstep rotate start --accept-no-way-back'
  if (isLeft) return [another, anew]
  const resume = `lockstep rotate resume --rotation ${facts.rotationId} ${allowUnreachable(named)} --reason TEXT`
  return [`to end it, leave the rest as it is, a debt: ${resume}`, `then ${another}`]
}
