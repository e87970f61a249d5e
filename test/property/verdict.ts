import type { HsmId } from '../../src/domain/ids.js'
import { baseOf, isHistory, isSo } from './claims.js'
import { type Course, cellKey } from './course.js'
import { type Rotation, type Statement, statementOf } from './engine.js'
import type { Appliance, RotatedUser } from './fleet.js'
import type { Invocation } from './invocation.js'
import type { KeptJournal } from './journals.js'
import type { Held } from './truth.js'
import type { Witness } from './witness.js'
import type { World } from './world.js'

/** Outcomes that say that the work is done, and the exit codes they may have. */
const DONE: Readonly<Record<Statement['outcome'], readonly number[] | null>> = {
  completed: [0],
  'completed-with-debt': [6],
  'rolled-back': [0, 6],
  paused: null,
}

const aimOf = ({ aims }: Course, { key }: RotatedUser): Held => aims.get(key) ?? 'new'

/** Judges what is said at the end of an invocation. Invariant 8: what is reported as a success is one. */
export class Verdict {
  readonly #world: World
  readonly #witness: Witness
  /** Journals of rotations that are done with, and rightly so, and how long they were then. */
  readonly #settled = new Map<KeptJournal, number>()

  constructor(world: World, witness: Witness) {
    this.#world = world
    this.#witness = witness
  }

  /** The rotation is done, nothing is left, and what was said of it is so. */
  isSettled(journal: KeptJournal | null): boolean {
    return journal !== null && this.#settled.get(journal) === journal.lines.length
  }

  judge(invocation: Invocation, rotation: Rotation, journal: KeptJournal): void {
    const said = statementOf(rotation)
    const course = this.#witness.courseOf(rotation.facts.rotationId)
    if (course === undefined || this.isSettled(journal)) return
    // Who only reads what another one is about to say does not say it.
    if (journal.writer !== invocation && !journal.writer.dead) return
    const codes = DONE[said.outcome]
    if (!(codes ?? [4]).includes(said.exitCode)) this.#accuse(`8: ${said.outcome} leaves with ${said.exitCode}`)
    // Nobody can read what was written to a journal that failed.
    const isUnsure = said.error?.code === 'JOURNAL_UNWRITABLE'
    if (said.direction !== null && !isUnsure && (said.direction === 'back') !== course.back) {
      this.#accuse(`8: it says that it goes ${said.direction}`)
    }
    if (codes === null) {
      if (said.closed === true) this.#accuse('8: paused, and nothing is said to be left')
      return
    }
    const before = this.#witness.violations.length
    const open = said.outcome === 'completed-with-debt' || (said.outcome === 'rolled-back' && said.debts.length > 0)
    if (said.closed !== null && said.closed === open) this.#accuse(`8: ${said.outcome}, and closed is ${said.closed}`)
    // A rotation that is closed is returned as it is: it was proved by the one that closed it.
    const { writer } = journal
    this.#claims(writer, said, course)
    if (said.outcome === 'rolled-back') this.#rolledBack(writer, said, course)
    else this.#completed(writer, said, course)
    if (!open && this.#witness.violations.length === before) this.#settled.set(journal, journal.lines.length)
  }

  /** Nothing is called done on what was seen in an earlier invocation, where it can be asked again. */
  #claims(invocation: Invocation, { cells, debts, outcome }: Statement, course: Course): void {
    const { fleet } = this.#world
    for (const { user: key, hsmId, ...claim } of cells) {
      const appliance = fleet.listed(hsmId)
      const user = fleet.users.find((candidate) => candidate.key === key)
      if (appliance === undefined || user === undefined || debts.includes(hsmId)) continue
      const held = this.#witness.truth.held(appliance, user)
      const aim = aimOf(course, user)
      const history = this.#witness.historyOf(appliance, user)
      const judged = { cell: cellKey(appliance, user), held, aim, history, course }
      const askable = claim.proof === 'login-new' || claim.proof === 'login-current'
      const excused = askable ? this.#isLater(invocation, appliance, user, course) : isHistory(judged)
      // Of what was never written a rollback says that it is as it was.
      const isLeft = outcome === 'rolled-back' && !course.writtenCells.has(cellKey(appliance, user))
      if (excused || (isLeft && baseOf(judged.cell, history, course).has(held)) || isSo({ ...judged, claim })) continue
      this.#accuse(`2: it is done, and ${judged.cell} is stated ${claim.state} (${claim.proof}) and is ${held}`)
    }
  }

  #completed(invocation: Invocation, { outcome, debts }: Statement, course: Course): void {
    if ((outcome === 'completed') !== (debts.length === 0)) this.#accuse(`8: ${outcome} with ${debts.length} debts`)
    for (const { appliance, user, held } of this.#listed(invocation)) {
      if (held === aimOf(course, user) || debts.includes(appliance.hsmId)) continue
      if (!course.isProved) continue
      if (this.#isUnknowable(invocation, appliance, user, course)) continue
      this.#accuse(`8: ${outcome}, but ${cellKey(appliance, user)} is ${held}`)
    }
    if (!course.isByStore) return
    const { current, pending } = this.#world.store.versions
    const kept = this.#world.fleet.users.every((user) => {
      const wanted = aimOf(course, user) === 'new' ? user.new : user.old
      return current?.users.get(user.key)?.equals(wanted) === true
    })
    if (!kept) this.#accuse(`8: ${outcome}, but CURRENT of the store is not the new one`)
    if (pending !== null) this.#accuse(`8: ${outcome}, but the store keeps PENDING`)
  }

  #rolledBack(invocation: Invocation, { withoutProof, exitCode, cells, debts }: Statement, course: Course): void {
    if ((exitCode === 0) !== (withoutProof.length === 0 && debts.length === 0)) {
      const left = `${withoutProof.length} cells without proof, ${debts.length} debts`
      this.#accuse(`8: rolled back, ${left}, and leaves with ${exitCode}`)
    }
    for (const { appliance, user, held } of this.#listed(invocation)) {
      const cell = cellKey(appliance, user)
      const history = this.#witness.historyOf(appliance, user)
      if (debts.includes(appliance.hsmId)) continue
      if (baseOf(cell, history, course).has(held) || history?.everLiedAbout === true) continue
      // It was proved to hold the current one, and another person changed it before we wrote: nobody could know.
      if (history?.byHand !== null && history !== undefined && held === 'old') continue
      if (course.ownCopies.get(cell)?.has(held) === true) continue
      // Of the HSM that it was copied from the utility told a login that it had refused.
      if (course.liedCopies.has(cell) && course.copied.get(cell)?.has(held) === true) continue
      // The same of the HSM that it was copied from.
      if (held === 'by-hand' && course.copied.get(cell)?.has(held) === true) continue
      // The contract takes a login with the current credential for proof, whatever the cell held before.
      const proof = cells.find((one) => one.user === user.key && one.hsmId === appliance.hsmId)?.proof
      if (held === 'old' && proof === 'login-current') continue
      const isNamed = withoutProof.some((one) => one.user === user.key && one.hsmId === appliance.hsmId)
      if (isNamed && held !== 'new') continue
      const was = course.before.get(cell) ?? 'not there'
      this.#accuse(`8: rolled back with ${exitCode}, but ${cell} was ${was} and is ${held}`)
    }
    if (!course.isByStore) return
    const { current, pending } = this.#world.store.versions
    const isNew = this.#world.fleet.users.some((user) => current?.users.get(user.key)?.equals(user.new) === true)
    if (isNew) this.#accuse('8: rolled back, but CURRENT of the store is the new one')
    if (pending !== null) this.#accuse('8: rolled back, but the store keeps PENDING')
  }

  /** Every cell of the HSMs that AWS listed when this invocation asked last. */
  #listed(
    invocation: Invocation,
  ): readonly { readonly appliance: Appliance; readonly user: RotatedUser; readonly held: Held }[] {
    const { fleet } = this.#world
    const hsmIds: readonly HsmId[] = invocation.discovered ?? fleet.named.map(({ hsmId }) => hsmId)
    return hsmIds.flatMap((hsmId) => {
      const appliance = fleet.listed(hsmId)
      if (appliance === undefined) return []
      return fleet.users.map((user) => ({ appliance, user, held: this.#witness.truth.held(appliance, user) }))
    })
  }

  #isUnknowable(invocation: Invocation, appliance: Appliance, user: RotatedUser, course: Course): boolean {
    return (
      this.#witness.historyOf(appliance, user)?.liedAbout === true || this.#isLater(invocation, appliance, user, course)
    )
  }

  /** Another person changed it in this invocation, after it had been asked in this invocation. */
  #isLater({ began }: Invocation, appliance: Appliance, user: RotatedUser, course: Course): boolean {
    const cell = cellKey(appliance, user)
    const history = this.#witness.historyOf(appliance, user)
    return isHistory({ cell, history, course }) && (course.heard.get(cell) ?? 0) >= began
  }

  #accuse(words: string): void {
    this.#witness.accuse(words)
  }
}
