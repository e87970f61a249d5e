// What the stories use of the engine, and the only place that knows where it lies. Everything that an engine may or may
// not say yet is asked for here.
import { EXIT, type ExitCode } from '../../src/domain/errors.js'
import type { HsmUserRef, UserKey } from '../../src/domain/hsm-user.js'
import type { ClusterId, HsmId, UnitId } from '../../src/domain/ids.js'
import type { JournalEvent, Observation, RotationFacts } from '../../src/domain/rotation/journal-entry.js'
import type { RotationLedger } from '../../src/domain/rotation/ledger.js'
import { exitCodeFor, type RotationDocument, rotationDocument } from '../../src/domain/rotation/outcome.js'
import type { Propagation } from '../../src/domain/rotation/plan.js'
import type { Rotation } from '../../src/domain/rotation/rotation.js'
import type { Stage } from '../../src/domain/rotation/stage.js'
import type { Secret } from '../../src/domain/secret.js'
import type { ChosenForRotation } from '../../src/use-cases/rotation/open/plan.js'
import { repairUsers as repair } from '../../src/use-cases/rotation/open/repair.js'
import type { RunOptions, StartPorts } from '../../src/use-cases/rotation/ports.js'

export type { Cell, CellState, Evidence, Proof } from '../../src/domain/rotation/cell.js'
export type { FoundJournal, Journal, JournalShelf } from '../../src/domain/rotation/journal.js'
export type { JournalEntry, JournalEvent } from '../../src/domain/rotation/journal-entry.js'
export { ledgerOf, RotationLedger } from '../../src/domain/rotation/ledger.js'
export type { Propagation } from '../../src/domain/rotation/plan.js'
export { type Rotation, rotationOf } from '../../src/domain/rotation/rotation.js'
export { STAGES, type Stage } from '../../src/domain/rotation/stage.js'
export type { ChosenForRotation } from '../../src/use-cases/rotation/open/plan.js'
export { type RecoverPorts, recoverRotation } from '../../src/use-cases/rotation/open/recover.js'
export { resumeRotation } from '../../src/use-cases/rotation/open/resume.js'
export { rollbackRotation } from '../../src/use-cases/rotation/open/rollback.js'
export { startRotation } from '../../src/use-cases/rotation/open/start.js'
export type { OfficerLogin, ReopenPorts, StartPorts } from '../../src/use-cases/rotation/ports.js'

interface CellRef {
  readonly user: UserKey
  readonly hsmId: HsmId
}

/** What the end of an invocation tells of the rotation: the document and the exit code. */
export interface Statement {
  readonly outcome: RotationDocument['outcome']
  readonly exitCode: ExitCode
  readonly cells: RotationDocument['cells']
  /** HSMs that stay behind. */
  readonly debts: readonly HsmId[]
  /** Cells that a rollback gave the source's old password without proof that they held it before. */
  readonly withoutProof: readonly CellRef[]
  /** Nothing is left to do, not even a debt; null where it does not say. */
  readonly closed: boolean | null
  readonly direction: 'forward' | 'back' | null
  readonly error: NonNullable<RotationDocument['error']> | null
}

export const statementOf = (rotation: Rotation): Statement => {
  const document = rotationDocument(rotation)
  return {
    outcome: document.outcome,
    exitCode: exitCodeFor(document),
    cells: document.cells,
    debts: document.debts.flatMap(({ hsmId }) => hsmId ?? []),
    withoutProof: document.withoutProof,
    closed: rotation.closed,
    direction: document.direction,
    error: document.error ?? null,
  }
}

/** Something is left to do, be it a debt. */
export const isOpen = ({ closed }: Rotation): boolean => !closed

/** How the operator wants an invocation to be. */
export interface Wanted {
  readonly propagate: 'auto' | Propagation
  readonly acceptNoWayBack: boolean
  readonly overwriteOther: boolean
  readonly pauseBefore: Stage | null
  readonly drainMs: number
  readonly maxErrors: number
  readonly mayStayBehind: readonly HsmId[]
  /** Clusters that the operator accepts although they show other serial numbers. */
  readonly newSerials: readonly ClusterId[]
}

export const optionsOf = ({ mayStayBehind, newSerials, ...wanted }: Wanted): RunOptions => ({
  ...wanted,
  acceptNewSerials: newSerials,
  mayStayBehind: { hsmIds: mayStayBehind, reason: 'so the story wants it' },
})

/** What a line of a journal is about, as far as a witness has to know. */
export type Said =
  | { readonly kind: 'started'; readonly serials: ReadonlyMap<ClusterId, readonly string[]> }
  | { readonly kind: 'intent'; readonly asked: Asked }
  | { readonly kind: 'answer'; readonly to: number; readonly clear: boolean; readonly done: boolean }
  /** A login that has no intent of its own. */
  | { readonly kind: 'seen'; readonly asked: Asked }
  | { readonly kind: 'stored' | 'promoting' | 'back' | 'forward' }
  | { readonly kind: 'other' }

/** One command to the cells of one user. */
export interface Asked {
  readonly act: 'login' | 'change' | 'copy'
  readonly user: UserKey
  readonly hsmIds: readonly HsmId[]
  readonly credential: 'new' | 'current'
  /** Where a copy comes from. */
  readonly from: UnitId | null
}

export const saidBy = (event: JournalEvent): Said => {
  switch (event.type) {
    case 'started':
      return { kind: 'started', serials: serialsIn(event.facts.observed) }
    case 'intent': {
      const { act, user, hsmIds, credential } = event.intent
      const copies = act !== 'login' && act !== 'change'
      const from = copies ? event.intent.from : null
      return { kind: 'intent', asked: { act: copies ? 'copy' : act, user, hsmIds, credential, from } }
    }
    case 'answer': {
      const { kind } = event.answer
      return { kind: 'answer', to: event.to, clear: kind !== 'unclear', done: kind === 'done' }
    }
    case 'login': {
      const { user, hsmIds, credential } = event
      return { kind: 'seen', asked: { act: 'login', user, hsmIds, credential, from: null } }
    }
    case 'store':
      if (event.act === 'put-pending') return { kind: 'stored' }
      return { kind: event.act === 'promote' ? 'promoting' : 'other' }
    case 'rollback-started':
      return { kind: 'back' }
    case 'rollback-abandoned':
      return { kind: 'forward' }
    default:
      return { kind: 'other' }
  }
}

/** Every serial number that a cluster showed before the journal was begun. */
const serialsIn = (observed: readonly Observation[]): ReadonlyMap<ClusterId, readonly string[]> => {
  const found = new Map<ClusterId, readonly string[]>()
  for (const one of observed) {
    if (one.type !== 'serials') continue
    const { clusterId, serials } = one.seen
    found.set(clusterId, [...(found.get(clusterId) ?? []), ...serials])
  }
  return found
}

/** Whether HSMs are given what others hold, and no new credential comes into the world. */
export const isRepair = ({ facts }: RotationLedger): boolean => facts.procedure === 'repair'

/** Cells that a login proved to hold the current credential when the rotation began. */
export const provedAtFirst = ({ facts }: Rotation): readonly CellRef[] =>
  facts.observed.flatMap((one) =>
    one.type === 'login' && one.credential === 'current' && one.answer.kind === 'done'
      ? one.hsmIds.map((hsmId) => ({ user: one.user, hsmId }))
      : [],
  )

/** A repair of users. */
export interface RepairWish {
  readonly chosen: ChosenForRotation
  readonly users: readonly HsmUserRef[]
  readonly wanted: Wanted
  readonly lockoutLimit: number
  readonly retryOfficer: boolean
  /** The HSM that is right; null: what the store keeps as CURRENT is. */
  readonly from: HsmId | null
  /** What that HSM holds, where anybody knows it. */
  readonly passwords: ReadonlyMap<UserKey, Secret>
}

/** `users repair --to-current` or `--from`. */
export const repairUsers = (
  { chosen, users, wanted, lockoutLimit, retryOfficer, from, passwords }: RepairWish,
  ports: StartPorts,
  config: RotationFacts['config'],
): Promise<Rotation> =>
  repair(
    {
      chosen,
      users,
      rules: { lockoutLimit, allowKmsuser: false },
      options: optionsOf(wanted),
      from,
      passwords,
      retryOfficer,
      config,
    },
    { ...ports, showRepair: async () => undefined },
  )

/** Exit code of a command that was refused for a fact found by asking. */
export const REFUSED = EXIT.refused
