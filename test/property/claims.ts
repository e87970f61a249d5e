import type { CellHistory, Course } from './course.js'
import type { CellState, Evidence, Proof } from './engine.js'
import type { CellKey } from './logins.js'
import type { Held } from './truth.js'

/** What is stated of a cell. */
export interface Claim {
  readonly state: CellState
  readonly proof: Proof
  readonly evidence: Evidence | null
}

/** A cell, what is stated of it, and what is so. */
export interface Judged {
  readonly cell: CellKey
  readonly claim: Claim
  readonly held: Held
  /** What it is to hold in the end. */
  readonly aim: Held
  readonly history: CellHistory | undefined
  readonly course: Course
}

/** What a cell may hold if nobody of ours had ever come: what it held before, or what another person gave it since. */
export const baseOf = (cell: CellKey, history: CellHistory | undefined, course: Course): ReadonlySet<Held> => {
  const base = new Set<Held>()
  const before = course.before.get(cell)
  if (before !== undefined) base.add(before)
  if (history?.byHand !== null && history?.byHand !== undefined) base.add(history.byHand.held)
  return base
}

/** Another person has changed the cell since the program learnt what it states. */
export const isHistory = ({ cell, history, course }: Omit<Judged, 'claim' | 'held' | 'aim'>): boolean =>
  (history?.byHand?.at ?? 0) > (course.heard.get(cell) ?? 0)

/** Whether what is stated as certain is so; what is stated as uncertain always is. */
export const isSo = ({ cell, claim: { state, proof, evidence }, held, aim, history, course }: Judged): boolean => {
  // A login that succeeds although one HSM refuses it proves a cluster, and says so.
  if (evidence === 'cluster' && history?.liedAbout === true) return true
  switch (state) {
    case 'new':
      return held === aim || !course.isProved
    case 'absent':
      return held === 'absent'
    case 'old':
      break
    default:
      return true
  }
  if (proof === 'login-current') return held === 'old'
  const base = baseOf(cell, history, course)
  if (proof === 'untouched') return base.has(held)
  // What a copy reported to be done without any effect is still what was there before.
  return base.has(held) || course.copied.get(cell)?.has(held) === true || (proof === 'none' && held === 'old')
}
