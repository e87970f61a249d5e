import { type OperatorError, refusal } from '../../../domain/errors.js'
import { ConsoleFailure, type HsmConsole } from '../../../domain/hsm-console.js'
import type { HsmUserRef } from '../../../domain/hsm-user.js'
import type { HsmId } from '../../../domain/ids.js'
import type { Roster, RosterEntry } from '../../../domain/roster.js'
import type { UserMatrix } from '../../../domain/rotation/eligibility.js'
import { unitsOf } from '../../../domain/rotation/plan.js'
import { describeTogether } from '../run/pause.js'
import { inLanes, inSession, type Listing, usersOf } from '../sessions/in-session.js'
import { untoldAdvice } from './unreachable.js'

/** What a listing of every HSM found. */
export interface ReadUsers {
  readonly matrix: UserMatrix
  /** Conversations that broke before anything was said. */
  readonly failures: readonly ConsoleFailure[]
}

/** What a list should have, and who need not answer. */
export interface Reading {
  readonly expected: readonly HsmUserRef[]
  /** HSMs that the operator lets stay behind: a unit that does not answer as a whole is tried without them. */
  readonly mayStayBehind: readonly HsmId[]
}

/** Lists the users of every HSM, each unit in a session of its own that proves the roster. No login. */
export const readUsers = async (
  console: HsmConsole,
  roster: Roster,
  concurrency: number,
  reading: Reading,
): Promise<ReadUsers> => {
  const failures: ConsoleFailure[] = []
  const read = await inLanes(unitsOf(roster, console.utility), concurrency, ({ servers }) =>
    readUnit(console, servers, reading, failures),
  )
  const listings = new Map(read.flatMap((listing) => [...listing]))
  return {
    matrix: new Map(roster.flatMap(({ hsmId }) => (listings.has(hsmId) ? [[hsmId, usersOf(listings, hsmId)]] : []))),
    failures,
  }
}

const NOTHING_EXPECTED: Reading = { expected: [], mayStayBehind: [] }

/** Lists a unit, without those of its HSMs that do not answer. */
const readUnit = async (
  console: HsmConsole,
  servers: readonly RosterEntry[],
  reading: Reading,
  failures: ConsoleFailure[],
): Promise<Listing> => {
  try {
    return await inSession({ console }, servers, (session) => session.listUsers(reading.expected))
  } catch (error) {
    if (!(error instanceof ConsoleFailure)) throw error
    const named = error.isOutOfReach ? namedOf(error, servers, reading.mayStayBehind) : []
    const away = named.length > 0 ? named : error.hsmIds
    failures.push(named.length > 0 ? new ConsoleFailure('unreachable', error.message, named, error.transcript) : error)
    const rest = servers.filter(({ hsmId }) => !away.includes(hsmId))
    if (error.isOutOfReach && rest.length > 0 && rest.length < servers.length) {
      return readUnit(console, rest, reading, failures)
    }
    return new Map()
  }
}

/** A utility may not say which HSM of a unit keeps it from answering: those that may stay behind are the first to ask. */
const namedOf = (
  { hsmIds }: ConsoleFailure,
  servers: readonly RosterEntry[],
  mayStayBehind: readonly HsmId[],
): readonly HsmId[] => {
  const asked = servers.map(({ hsmId }) => hsmId)
  if (!asked.every((hsmId) => hsmIds.includes(hsmId))) return []
  return asked.filter((hsmId) => mayStayBehind.includes(hsmId))
}

/**
 * As `readUsers`, where every HSM has to answer.
 * @throws {OperatorError} naming every HSM that cannot be reached or is another one than AWS reported
 */
export const readAllUsers = async (console: HsmConsole, roster: Roster, concurrency: number): Promise<UserMatrix> => {
  const { matrix, failures } = await readUsers(console, roster, concurrency, NOTHING_EXPECTED)
  // Who lists users alone is given no flag to leave an HSM out.
  if (failures.length > 0) throw refusedBy(failures, true, roster)
  return matrix
}

/**
 * Broken conversations before anything changed, as one refusal that names every HSM.
 * @param noneMayStay whether the command takes no `--allow-unreachable`, or a rotation goes back
 */
export const refusedBy = (
  failures: readonly ConsoleFailure[],
  noneMayStay = false,
  roster: Roster = [],
): OperatorError => {
  const { code, message, suggestions } = describeTogether(failures, roster, !noneMayStay)
  const untold = failures.some(({ someOf }) => someOf) ? untoldAdvice(!noneMayStay) : []
  return refusal(code, message, [...untold, ...suggestions])
}
