import type { Cluster } from '../../src/domain/cluster.js'
import type { HeldLock } from '../../src/domain/cluster-lock.js'
import { OperatorError } from '../../src/domain/errors.js'
import type { UserKey } from '../../src/domain/hsm-user.js'
import type { EniIp, HsmId, ServerId } from '../../src/domain/ids.js'
import type { Roster, RosterEntry } from '../../src/domain/roster.js'
import type { Journal } from '../../src/domain/rotation/journal.js'
import type { CredentialName, JournalEntry } from '../../src/domain/rotation/journal-entry.js'
import { ledgerOf } from '../../src/domain/rotation/ledger.js'
import { LoginBudget } from '../../src/domain/rotation/login-budget.js'
import type { PlannedUser, RotationPlan } from '../../src/domain/rotation/plan.js'
import type { Secret } from '../../src/domain/secret.js'
import { capabilitiesOf } from '../../src/domain/utility/capabilities.js'
import type { UtilityName } from '../../src/domain/utility/utility.js'
import type { HsmBehaviour } from '../../src/simulator/hsm/behaviour.js'
import type { ReopenPorts, RunOptions } from '../../src/use-cases/rotation/ports.js'
import { RotationRun } from '../../src/use-cases/rotation/run/rotation-run.js'
import { OfficerLogins } from '../../src/use-cases/rotation/sessions/officer-logins.js'
import { clusterOf, discoveryOf } from './clusters.js'
import { journalOf, type Line } from './journal-lines.js'
import { inWords } from './journal-words.js'
import { memoryConsole } from './memory-console.js'
import { MemoryCredentialStore } from './memory-credential-store.js'
import { MemoryFleet, OFFICER, PASSWORDS } from './memory-fleet.js'
import { MemoryRefusedLogins } from './memory-refused-logins.js'
import { type FactsGiven, hsm, planOver, ROTATION, rosterOf } from './rotation.js'

/** How a run of a test finds things. Everything is as on the first day unless it is given. */
export interface BenchGiven {
  readonly utility?: UtilityName
  /** HSMs in the source and in the destination; two and two unless given. */
  readonly hsms?: readonly [number, number]
  readonly users?: readonly string[]
  readonly behaviour?: Partial<HsmBehaviour>
  readonly facts?: FactsGiven
  /** What earlier invocations wrote down. */
  readonly lines?: readonly Line[]
  /** Credentials that this invocation knows; the new one alone unless given. */
  readonly knows?: readonly CredentialName[]
  readonly options?: Partial<RunOptions>
  /** What is otherwise about the HSMs. */
  readonly fleet?: (fleet: MemoryFleet) => void
  readonly lockoutLimit?: number
}

export const OPTIONS: RunOptions = {
  propagate: 'auto',
  acceptNoWayBack: false,
  pauseBefore: null,
  drainMs: 0,
  maxErrors: 0,
  mayStayBehind: { hsmIds: [], reason: '' },
}

/** HSMs, a store, a journal and everything else outside, kept in memory. */
export interface Place {
  readonly fleet: MemoryFleet
  readonly store: MemoryCredentialStore
  readonly refusedLogins: MemoryRefusedLogins
  readonly users: readonly PlannedUser[]
  /** What AWS reports; as planned unless a test changes it. */
  readonly aws: { clusters: readonly Cluster[] }
  readonly stop: { requested: boolean }
  readonly lock: { lost: boolean }
  readonly notices: string[]
  /** Hooks that were run, and whether they fail. */
  readonly hooks: { readonly ran: string[]; fails: boolean }
  readonly entries: readonly JournalEntry[]
  /** What was written down since the test began, in words. */
  readonly written: () => readonly string[]
  readonly ports: ReopenPorts
  readonly journal: Journal
}

/** A run in such a place. */
export interface Bench extends Place {
  readonly run: RotationRun
  /** How every cell stands, as the run knows it: `a new (login-new), b old (untouched)`. */
  readonly cells: (name?: string) => string
}

export const planOf = (roster: Roster, utility: UtilityName, names: readonly string[]): RotationPlan => {
  const plan = planOver(roster, utility)
  const { countsFailures } = capabilitiesOf(utility)
  return {
    ...plan,
    destinations: roster.some(({ role }) => role === 'destination') ? plan.destinations : [],
    users: names.map((name, nth) => ({
      type: 'CU',
      name,
      key: `CU:${name}` as UserKey,
      // What shows no counts shows no IDs either.
      userId: countsFailures ? 4 + nth : null,
      idsAgree: countsFailures,
    })),
  }
}

/** The clusters of a roster, as AWS reports them. */
export const reported = (roster: Roster): readonly Cluster[] => {
  const clusterIds = [...new Set(roster.map(({ clusterId }) => clusterId))]
  return clusterIds.map((clusterId) => {
    const servers = roster.filter((server) => server.clusterId === clusterId)
    const region = servers[0]?.region ?? 'us-east-1'
    const hsms = servers.map(({ hsmId, eniIp }, at) => ({
      hsmId,
      eniIp,
      eniIpV6: null,
      availabilityZone: `zone-${at}`,
      state: 'ACTIVE' as const,
    }))
    return clusterOf('a', region, hsms, { clusterId })
  })
}

export const placeOf = (given: BenchGiven = {}): Place => {
  const { utility = 'cmu', hsms = [2, 2], users = ['app'], lines = [], lockoutLimit = 5 } = given
  const roster = rosterOf(...hsms)
  const plan = planOf(roster, utility, users)
  const fleet = new MemoryFleet(roster, users, given.behaviour)
  given.fleet?.(fleet)
  const entries = journalOf(lines, { plan, ...given.facts }, roster)
  const before = entries.length
  const store = new MemoryCredentialStore()
  const refusedLogins = new MemoryRefusedLogins()
  const aws: Place['aws'] = { clusters: reported(roster) }
  const stop = { requested: false }
  const lock = { lost: false }
  const notices: string[] = []
  const hooks: Place['hooks'] = { ran: [], fails: false }
  let now = Date.UTC(2026, 2, 1, 4)
  const journal: Journal = {
    append: async (event) => {
      const entry = { seq: entries.length + 1, at: new Date(now).toISOString(), event }
      entries.push(entry)
      return entry
    },
    close: async () => undefined,
  }
  const found = () => ({ rotationId: ROTATION, entries: [...entries], torn: false })
  const ports: ReopenPorts = {
    console: memoryConsole(fleet, utility),
    officerOf: () => OFFICER,
    refusedLogins,
    lockoutLimit,
    concurrency: 1,
    stop,
    locks: { acquire: async () => heldLock(lock) },
    shelf: {
      create: () => Promise.reject(new Error('a journal is there already')),
      read: async () => found(),
      follow: async (_rotationId, entry) => {
        for (const one of entries) entry(one)
        return { torn: false }
      },
      reopen: async () => ({ ...found(), journal }),
      list: async () => [ROTATION],
      rotationsOn: async () => [],
      openRotations: async () => [],
    },
    store,
    clock: {
      now: () => new Date(now),
      wait: async (ms) => {
        now += ms
      },
    },
    hooks: {
      run: async (hook) => {
        hooks.ran.push(hook)
        if (hooks.fails) throw new OperatorError('HOOK_FAILED', `${hook} ended with 1`)
      },
    },
    progress: (event) => {
      if (event.kind === 'notice') notices.push(event.text)
    },
    discover: async () => discoveryOf(aws.clusters),
    leftovers: { end: async () => undefined },
    who: { user: 'tester', host: 'here', pid: 2 },
    version: '0.0.0',
  }
  return {
    fleet,
    store,
    refusedLogins,
    users: plan.users,
    aws,
    stop,
    lock,
    notices,
    hooks,
    entries,
    written: () => entries.slice(before).map(({ event }) => inWords(event)),
    ports,
    journal,
  }
}

const heldLock = (lock: Place['lock']): HeldLock => ({
  name: async () => undefined,
  assertHeld: async () => {
    if (lock.lost) throw new OperatorError('LOCK_LOST', 'somebody else took the lock over')
  },
  release: async () => undefined,
})

export const benchOf = (given: BenchGiven = {}): Bench => {
  const place = placeOf(given)
  const { ports, journal, entries, users, lock, refusedLogins } = place
  const { knows = ['new'], lockoutLimit = 5 } = given
  const passwords = (name: CredentialName, secret: Secret): ReadonlyMap<UserKey, Secret> =>
    new Map(knows.includes(name) ? users.map(({ key }) => [key, secret]) : [])
  const run = new RotationRun({
    ...ports,
    officerLogins: new OfficerLogins(),
    budget: new LoginBudget(lockoutLimit, refusedLogins),
    lock: heldLock(lock),
    options: { ...OPTIONS, ...given.options },
    journal,
    ledger: ledgerOf(entries),
    credentials: { new: passwords('new', PASSWORDS.new), current: passwords('current', PASSWORDS.old) },
  })
  const cells: Bench['cells'] = (name = 'app') =>
    run.ledger
      .cells()
      .filter(({ user }) => user === `CU:${name}`)
      .map(({ hsmId, state, proof }) => `${hsmId.at(-1)} ${state} (${proof})`)
      .join(', ')
  return { ...place, run, cells }
}

/** Keeps the new credential in the store as a run before did, and the current one beside it where it was proved. */
export const keepPending = async ({ store, users, entries }: Place, withCurrent = false): Promise<void> => {
  const { facts, plan, startedAt } = ledgerOf(entries)
  const version = (secret: Secret) => ({
    rotationId: facts.rotationId,
    clusters: [plan.source.clusterId],
    restorePoint: plan.parts.restorePoint,
    startedAt,
    users: new Map(users.map(({ key }) => [key, secret] as const)),
  })
  const current = withCurrent ? { ...version(PASSWORDS.old), rotationId: null } : undefined
  await store.putPending(version(PASSWORDS.new), current)
}

/** An HSM beside another one of the roster. */
export const besideIn = (roster: Roster, hsmId: HsmId, letter: string): RosterEntry => {
  const sibling = roster.find((server) => server.hsmId === hsmId)
  if (sibling === undefined) throw new Error(`${hsmId} is not in the roster`)
  const place = 'abcdefghijkl'.indexOf(letter)
  return { ...sibling, serverId: place as ServerId, hsmId: hsm(letter), eniIp: `127.0.9.${place + 1}` as EniIp }
}

/** What a pause says, by its code; the words of another error; or that there was none. */
export const endedBy = async (work: () => Promise<unknown>): Promise<string> => {
  try {
    await work()
    return 'done'
  } catch (error) {
    return (error as { readonly code?: string }).code ?? (error as { readonly kind?: string }).kind ?? String(error)
  }
}
