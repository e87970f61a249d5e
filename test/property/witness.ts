import { isDeepStrictEqual } from 'node:util'
import type { HsmUserRef } from '../../src/domain/hsm-user.js'
import type { HsmId, RotationId } from '../../src/domain/ids.js'
import type { RosterEntry } from '../../src/domain/roster.js'
import type { Secret } from '../../src/domain/secret.js'
import type { User } from '../../src/simulator/hsm/user.js'
import { isHistory, isSo } from './claims.js'
import { type AskedBefore, type CellHistory, Course, cellKey } from './course.js'
import { type Asked, isRepair, type JournalEntry, ledgerOf, type RotationLedger, rotationOf, saidBy } from './engine.js'
import type { Appliance, RotatedUser } from './fleet.js'
import type { Invocation } from './invocation.js'
import { entriesOf, type KeptJournal } from './journals.js'
import { type CellKey, Logins } from './logins.js'
import { serialOf } from './serials.js'
import { type Held, Truth } from './truth.js'
import { Verdict } from './verdict.js'
import type { World } from './world.js'

/** A change or a copy of a user, as an HSM carried it out or refused it. */
interface Write {
  readonly act: 'change' | 'copy'
  readonly name: string
  readonly done: boolean
}

/** An HSM that a session reaches, and the ID that it said it has. */
export interface Reached {
  readonly appliance: Appliance
  readonly saidId: HsmId
}

/** A rotation as the first lines of its journal tell it. */
interface Reread {
  readonly ledger: RotationLedger
  readonly count: number
}

/** Strikes after which a command has no clear answer. */
const UNHEARD: readonly string[] = [
  'silent',
  'die-after',
  'drop',
  'drop-after',
  'late',
  'unclear',
  'lose-one',
  'lose-one-after',
  // It may strike the question whether all HSMs are still there.
  'refuse-one',
  'half',
  // An HSM of the same cluster is lost in the login, and the answer speaks of both.
  'unreachable',
  'limited',
  'replaced',
  'old-replaced',
]

/**
 * Sees everything that happens to the HSMs and compares it with what was promised (the invariants of the design). It
 * knows the passwords and looks into the HSMs; what the engine believes is the thing in doubt.
 */
export class Witness {
  /** What was seen that must not be, in words. */
  readonly violations: string[] = []
  readonly truth = new Truth()
  readonly logins: Logins
  readonly verdict: Verdict
  readonly #world: World
  readonly #courses = new Map<RotationId, Course>()
  readonly #histories = new Map<CellKey, CellHistory>()
  /** The rotation as each journal tells it when it is read from the disk. */
  readonly #reread = new Map<KeptJournal, Reread>()
  readonly #returned = new Set<string>()
  readonly #bystanders = new Map<Appliance, string>()
  /** What every cell held when the story began, or when its HSM joined. */
  readonly #atFirst = new Map<CellKey, Held>()
  /** Clusters in which another HSM stood for one, and nobody could know. */
  readonly #standIns = new Set<string>()
  /** When a start asked a cell in vain for what the store keeps. */
  readonly #vain = new Map<CellKey, number>()
  /** Counts what happens. */
  #moment = 0

  constructor(world: World) {
    this.#world = world
    const { fleet, story } = world
    this.verdict = new Verdict(world, this)
    this.logins = new Logins(fleet.lockoutLimit, story.fleet.utility === 'cmu', (words) => this.accuse(words))
    for (const appliance of this.#everybody()) this.#meet(appliance)
  }

  get moment(): number {
    return this.#moment
  }

  courseOf(rotationId: RotationId): Course | undefined {
    return this.#courses.get(rotationId)
  }

  historyOf(appliance: Appliance, user: RotatedUser): CellHistory | undefined {
    return this.#histories.get(cellKey(appliance, user))
  }

  /** An HSM joined its cluster. @param like the one whose users it got */
  joined(appliance: Appliance, like: Appliance): void {
    this.#meet(appliance)
    for (const course of this.#courses.values()) {
      for (const user of this.#world.fleet.users) {
        const held = this.truth.held(appliance, user)
        // What this rotation brought to the one it was built from was not there before.
        const before = held === 'new' ? (course.before.get(cellKey(like, user)) ?? 'old') : held
        course.before.set(cellKey(appliance, user), before)
      }
    }
  }

  /** Another person gave a user a password. */
  sawByHand(appliance: Appliance, user: RotatedUser): void {
    const cell = cellKey(appliance, user)
    this.#historyOf(cell).byHand = { at: this.#next(), held: this.truth.held(appliance, user) }
    this.logins.changed(null, cell)
  }

  /** Invariant 1: a read of the store returned this one. */
  storeReturned(secret: Secret): void {
    this.#returned.add(secret.reveal())
  }

  /** Invariant 6: conversations are opened with HSMs that AWS reported for the clusters of the rotation, and no others. */
  isInRoster(servers: readonly RosterEntry[]): void {
    for (const { hsmId, eniIp } of servers) {
      if (this.#world.fleet.addresses.get(hsmId) === eniIp) continue
      this.accuse(`6: spoke to ${hsmId} at ${eniIp}, which is none of this rotation`)
    }
  }

  /** Invariant 7: whoever logs in or writes holds the lock of every cluster of the rotation. */
  isAllowed(invocation: Invocation): void {
    if (invocation.dead) return
    for (const { clusterId, named } of this.#world.fleet.clusters) {
      if (!named || this.#world.locks.get(clusterId) === invocation) continue
      this.accuse(`7: ${invocation.name} works without the lock of ${clusterId}`)
    }
  }

  /** A login of ours reached an HSM. @param failed it counted as a failed one */
  sawLogin(invocation: Invocation, appliance: Appliance, user: Readonly<User>, failed: boolean): void {
    const cell = `${appliance.hsmId} ${user.type}:${user.name}`
    const history = this.#historyOf(cell)
    history.contact = this.#next()
    if (failed) {
      if (!this.#standIns.has(appliance.clusterId)) this.logins.failed(invocation, cell, user)
      this.#checkVain(invocation, appliance, user)
    } else {
      history.liedAbout = false
      this.logins.succeeded(cell)
    }
  }

  /**
   * The utility told of a success, so that nobody could learn of this refusal.
   * @param counted the HSM counts it as a failed login
   */
  wasHidden(invocation: Invocation, { hsmId }: Appliance, user: HsmUserRef, counted: boolean): void {
    const cell = `${hsmId} ${user.type}:${user.name}`
    Object.assign(this.#historyOf(cell), { liedAbout: true, everLiedAbout: true })
    if (counted) this.logins.wasHidden(invocation, cell)
  }

  /**
   * Invariant 6 where the utility reaches more HSMs than it was told of: they are those that its session speaks of, as
   * far as serial numbers can tell.
   * @param reached what a session reaches of a cluster, as it was when the session was opened
   * @param hsmIds the HSMs that the session speaks of
   */
  isProved(reached: readonly Reached[], { appliance, saidId }: Reached, hsmIds: readonly HsmId[]): void {
    const { hsmId, clusterId } = appliance
    if (hsmIds.includes(hsmId) && saidId === hsmId) return
    const [rotationId, course] = [...this.#courses].at(-1) ?? []
    // What a journal knew that was lost since, nobody knows any more.
    const isLost = rotationId !== undefined && !this.#world.journals.has(rotationId)
    const serials = isLost ? undefined : course?.serials.get(clusterId)
    const strangers = reached.filter((one) => serials?.includes(serialOf(one.saidId)) === false).length
    const joined = hsmIds.filter((hsmId) => course?.roster.has(hsmId) === false).length
    // One that did not answer when the others were counted has a number that nobody has seen yet.
    const unseen = hsmIds.length - (serials?.length ?? 0)
    if (strangers > Math.max(joined, unseen)) {
      this.accuse(
        `6: a session that speaks of ${hsmIds.join(', ')} reaches ${saidId} of ${clusterId}, a stranger to it`,
      )
    }
    this.#standIns.add(clusterId)
  }

  /** What was remembered of refused logins is lost. */
  forget(): void {
    this.logins.forget()
    this.#vain.clear()
  }

  /** Nobody leaves a user logged in. */
  leftNoSession(invocation: Invocation): void {
    if (invocation.openSessions > 0) this.accuse(`${invocation.name} left ${invocation.openSessions} sessions open`)
  }

  /** After each write to an HSM. @param name of the user that was changed or copied */
  sawWrite(invocation: Invocation, appliance: Appliance, { act, name, done }: Write): void {
    // A write that is refused tells nothing of the password.
    if (done) invocation.writes += 1
    for (const user of this.#world.fleet.users) {
      if (done && user.name === name) {
        const cell = cellKey(appliance, user)
        const history = this.#historyOf(cell)
        history.contact = this.#next()
        history.liedAbout = false
        if (act === 'change') this.logins.changed(invocation, cell)
        else this.#noteCopies(appliance, user)
      }
      this.#checkCell(appliance, user)
    }
    const others = this.#others(appliance)
    const before = this.#bystanders.get(appliance)
    if (before !== undefined && before !== others)
      this.accuse(`other users of ${appliance.hsmId} changed: ${before}; ${others}`)
  }

  /** After each line of a journal: what it says now of the cell it speaks of, or of all. */
  sawLine(rotationId: RotationId, { ledger }: KeptJournal, { seq, event }: JournalEntry): void {
    const said = saidBy(event)
    if (said.kind === 'started') this.#begin(rotationId, said.serials, ledger)
    const course = this.#courses.get(rotationId)
    if (course === undefined) return
    let asked: Asked | undefined
    switch (said.kind) {
      case 'intent':
        asked = said.asked
        this.#intended(course, seq, asked)
        break
      case 'answer': {
        const before = course.asked.get(said.to)
        asked = before?.asked
        if (before === undefined || !said.clear) break
        course.asked.delete(said.to)
        this.#answered(course, before, said.done)
        break
      }
      case 'seen':
        this.#seen(course, said.asked)
        break
      case 'started':
        for (const [cell, { contact }] of this.#histories) course.heard.set(cell, contact)
        break
      case 'stored':
        course.stored = true
        break
      case 'promoting':
        course.promoting = true
        break
      case 'back':
        course.back = true
        break
      case 'forward':
        course.back = false
        break
      case 'other':
        break
    }
    // What an earlier one said is history once another one was begun.
    if ([...this.#courses.keys()].at(-1) === rotationId) this.#checkClaims(course, ledger, asked)
  }

  /** After each invocation: every cell, every claim, and that the journal tells the same when it is read again. */
  look(): void {
    const { fleet, journals } = this.#world
    for (const appliance of this.#everybody()) for (const user of fleet.users) this.#checkCell(appliance, user)
    for (const journal of journals.values()) this.#readAgain(journal)
    const [rotationId, latest] = [...journals].at(-1) ?? []
    const course = rotationId === undefined ? undefined : this.#courses.get(rotationId)
    if (latest !== undefined && course !== undefined) this.#checkClaims(course, latest.ledger)
  }

  /** Cells that are not what they were when the story began, but for what other people did. */
  changed(): string[] {
    return this.#world.fleet.named.flatMap((appliance) =>
      this.#world.fleet.users.flatMap((user) => {
        const cell = cellKey(appliance, user)
        const [held, was] = [this.truth.held(appliance, user), this.#atFirst.get(cell)]
        return held === was || held === this.#histories.get(cell)?.byHand?.held
          ? []
          : [`${cell} was ${was} and is ${held}`]
      }),
    )
  }

  accuse(words: string): void {
    if (!this.violations.includes(words)) this.violations.push(words)
  }

  /** A start that was refused by what the store keeps spends no second login on it, however often it is repeated. */
  #checkVain(
    { action, dead, name, turn }: Invocation,
    appliance: Appliance,
    { type, name: userName }: Readonly<User>,
  ): void {
    const { fleet, store, journals } = this.#world
    if (dead) return
    const user = fleet.users.find((one) => one.type === type && one.name === userName)
    const kept = user === undefined ? undefined : store.versions.current?.users.get(user.key)
    if (action !== 'start' || journals.size > 0 || user === undefined || kept === undefined) return
    if (appliance.hsm.matches(type, userName, kept.reveal()) === true) return
    const cell = cellKey(appliance, user)
    const byHand = this.#histories.get(cell)?.byHand?.at ?? 0
    const before = this.#vain.get(cell)
    if (before !== undefined && before > byHand) this.accuse(`4: ${name} asks ${cell} again for what the store keeps`)
    // Whoever does not live to hear of it, hears nothing, or takes another HSM for it, cannot remember it.
    const isTold = this.#world.story.fleet.cli.cliLoginRefusedByOne !== 'success'
    const isMet = !this.#standIns.has(appliance.clusterId)
    const isHeard = isTold && isMet && turn.kill === null && !turn.troubles.some(({ what }) => UNHEARD.includes(what))
    if (isHeard) this.#vain.set(cell, this.#moment)
  }

  #next(): number {
    this.#moment += 1
    return this.#moment
  }

  #historyOf(cell: CellKey): CellHistory {
    const known = this.#histories.get(cell)
    if (known !== undefined) return known
    const history: CellHistory = { contact: 0, byHand: null, liedAbout: false, everLiedAbout: false }
    this.#histories.set(cell, history)
    return history
  }

  #meet(appliance: Appliance): void {
    this.#bystanders.set(appliance, this.#others(appliance))
    for (const user of this.#world.fleet.users) {
      this.#atFirst.set(cellKey(appliance, user), this.truth.held(appliance, user))
    }
  }

  #begin(rotationId: RotationId, serials: Course['serials'], ledger: RotationLedger): void {
    const known = this.#courses.get(rotationId)
    const course = known ?? new Course()
    course.serials = serials
    course.roster = new Set(ledger.plan.roster.map(({ hsmId }) => hsmId))
    course.asked.clear()
    course.lost = known !== undefined
    // With its journal is lost which way it went.
    course.back = false
    if (known !== undefined) return
    this.#courses.set(rotationId, course)
    const { current } = this.#world.store.versions
    const { from, newCredential, store } = ledger.facts
    course.isByStore = store !== null
    course.isProved = newCredential !== 'unknown'
    const origin = this.#world.fleet.named.find(({ hsmId, clusterId }) => hsmId === from || clusterId === from)
    for (const user of this.#world.fleet.users) {
      const isNew = !isRepair(ledger) || current?.users.get(user.key)?.equals(user.new) === true
      // A login has shown that the origin holds what was in force, or nobody knows what it holds.
      const copied = origin === undefined || course.isProved ? null : this.truth.held(origin, user)
      course.aims.set(user.key, copied ?? (isNew ? 'new' : 'old'))
    }
    for (const appliance of this.#everybody()) {
      for (const user of this.#world.fleet.users) {
        course.before.set(cellKey(appliance, user), this.truth.held(appliance, user))
      }
    }
  }

  #intended(course: Course, seq: number, asked: Asked): void {
    const cells = asked.hsmIds.map((hsmId) => cellKey({ hsmId }, { key: asked.user }))
    const copied = new Map(cells.map((cell) => [cell, course.copied.get(cell)]))
    const before: AskedBefore = {
      asked,
      copied,
      afterCopy: cells.some((cell) => course.copied.has(cell)),
      brings: new Set(),
    }
    course.asked.set(seq, before)
    if (asked.act === 'login') return
    for (const hsmId of asked.hsmIds) course.written.add(hsmId)
    for (const cell of cells) course.writtenCells.add(cell)
    // Until a copy is carried out the cell holds what the one before brought.
    if (asked.act === 'change') for (const cell of cells) course.copied.delete(cell)
    this.#noteOrigin(course, before)
  }

  /** A login that the journal knows of without an intent. */
  #seen(course: Course, { user, hsmIds }: Asked): void {
    for (const hsmId of hsmIds) {
      const cell = cellKey({ hsmId }, { key: user })
      course.heard.set(cell, this.#histories.get(cell)?.contact ?? 0)
    }
  }

  #answered(course: Course, before: AskedBefore, done: boolean): void {
    const { asked, copied, afterCopy, brings } = before
    const isRefused = asked.act !== 'login' && !done
    if (!isRefused) this.#noteOrigin(course, before)
    for (const [cell, known] of copied) {
      if (!isRefused) course.heard.set(cell, this.#histories.get(cell)?.contact ?? 0)
      if (asked.act === 'copy' && done) course.copied.set(cell, new Set(brings))
      if (!isRefused) continue
      if (known === undefined) course.copied.delete(cell)
      else course.copied.set(cell, known)
    }
    const isInVain = asked.act === 'login' && asked.credential === 'new' && !done && afterCopy
    if (isInVain || (asked.act === 'copy' && !done)) course.copiesFailed = true
  }

  /** A copy is carried out now, and brings what its origin holds now. */
  #noteCopies({ hsmId }: Appliance, { key }: RotatedUser): void {
    for (const course of this.#courses.values()) {
      for (const before of course.asked.values()) {
        const { act, user, hsmIds } = before.asked
        if (act === 'copy' && user === key && hsmIds.includes(hsmId)) this.#noteOrigin(course, before)
      }
    }
  }

  /**
   * What the HSMs of the origin hold, any of which the copy may come from. What an HSM did not hold when the rotation began
   * is no old credential, unless another person gave it that and nobody could have noticed.
   */
  #noteOrigin(course: Course, { asked: { from, user: key, hsmIds }, brings }: AskedBefore): void {
    const user = this.#world.fleet.users.find((candidate) => candidate.key === key)
    if (from === null || user === undefined) return
    const origins = this.#world.fleet.named.filter(({ hsmId, clusterId }) => hsmId === from || clusterId === from)
    for (const hsmId of hsmIds) {
      const cell = cellKey({ hsmId }, { key })
      const clusterId = this.#world.fleet.named.find((one) => one.hsmId === hsmId)?.clusterId
      if (origins.some((origin) => this.#histories.get(cellKey(origin, user))?.everLiedAbout === true)) {
        course.liedCopies.add(cell)
      } else course.liedCopies.delete(cell)
      const held = origins
        .filter((origin) => this.#isAsAtFirst(course, origin, user))
        .map((origin) => this.truth.held(origin, user))
      for (const one of held) brings.add(one)
      course.copied.set(cell, new Set([...(course.copied.get(cell) ?? []), ...held]))
      if (origins.some((origin) => origin.clusterId === clusterId)) {
        course.ownCopies.set(cell, new Set([...(course.ownCopies.get(cell) ?? []), ...held]))
      }
    }
  }

  #isAsAtFirst(course: Course, origin: Appliance, user: RotatedUser): boolean {
    const cell = cellKey(origin, user)
    if (isHistory({ cell, history: this.#histories.get(cell), course })) return true
    const held = this.truth.held(origin, user)
    if (course.copied.get(cell)?.has(held) === true) return true
    // One that stands for another, and nobody could know, is taken for that one.
    if (!course.roster.has(origin.hsmId) && !this.#standIns.has(origin.clusterId)) return false
    return held === course.before.get(cell) || held === 'old'
  }

  /** Only what was written since is read, which comes to the same as reading all of it. */
  #readAgain(journal: KeptJournal): void {
    const entries = entriesOf(journal)
    const known = this.#reread.get(journal)
    if (known?.count === entries.length) return
    const ledger = known?.ledger ?? ledgerOf(entries.slice(0, 1))
    for (const entry of entries.slice(known?.count ?? 1)) ledger.apply(entry)
    this.#reread.set(journal, { ledger, count: entries.length })
    if (!isDeepStrictEqual(rotationOf(ledger), rotationOf(journal.ledger)))
      this.accuse('the journal tells another story when it is read again')
  }

  #checkCell(appliance: Appliance, user: RotatedUser): void {
    const held = this.truth.held(appliance, user)
    const cell = cellKey(appliance, user)
    if (held === 'something-else') this.accuse(`2: ${cell} holds a password that was nowhere before`)
    if (held === 'new' && !this.#returned.has(user.new.reveal())) {
      this.accuse(`1: ${cell} is new before the store returned it`)
    }
    const isOutside = this.#world.fleet.listed(appliance.hsmId) === undefined && !appliance.gone
    if (isOutside && held !== this.#atFirst.get(cell)) this.accuse(`6: ${cell} is none of this rotation and is ${held}`)
  }

  /** Invariant 2: what is stated as certain is true. @param asked the only cells that are spoken of; all where none */
  #checkClaims(course: Course, ledger: RotationLedger, asked?: Asked): void {
    const { fleet } = this.#world
    for (const appliance of fleet.named) {
      if (asked !== undefined && !asked.hsmIds.includes(appliance.hsmId)) continue
      // What was said of one that was gone is true of the one that stood for it, until AWS is asked again.
      if (this.#standIns.has(appliance.clusterId)) continue
      for (const user of fleet.users) {
        if (asked !== undefined && asked.user !== user.key) continue
        const claim = ledger.cell(user.key, appliance.hsmId)
        const cell = cellKey(appliance, user)
        const held = this.truth.held(appliance, user)
        const aim = course.aims.get(user.key) ?? 'new'
        const judged = { cell, claim, held, aim, history: this.#histories.get(cell), course }
        if (isHistory(judged) || isSo(judged)) continue
        this.accuse(`2: ${cell} is stated ${claim.state} (${claim.proof}) and is ${held}`)
      }
    }
  }

  #everybody(): readonly Appliance[] {
    return this.#world.fleet.clusters.flatMap(({ appliances }) => appliances)
  }

  /** Everything about users that are not rotated. */
  #others({ hsm }: Appliance): string {
    return hsm.users
      .filter(({ name }) => !name.startsWith('app_') || name === 'app_user')
      .map(({ id, type, name, password }) => `${id} ${type}:${name} ${password?.digest.toString('hex').slice(0, 8)}`)
      .join(', ')
  }
}
