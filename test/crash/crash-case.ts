import { boundariesOf, type PlacedBoundary, promised } from './boundary.js'
import { type Call, type Command, Site } from './site.js'
import type { Variant } from './variant.js'

/** A run that is killed, and what has to have happened before it. */
export interface KilledRun {
  readonly variant: Variant
  readonly command: Command
  readonly prepare: (site: Site) => Promise<void>
  /** Row of the table; the stage of the line when absent. */
  readonly row?: string
}

/** One kill and what the operator does about it. */
export interface CrashCase {
  readonly run: KilledRun
  readonly boundary: PlacedBoundary
  readonly answer: 'resume' | 'rollback'
}

/** Null when everything went as promised, else what did not. */
export type Verdict = string | null

const RESUMES = 3

/** Every boundary of a run, found by letting it end once. Each is met by resume in one case and by rollback in another. */
export const casesOf = async (run: KilledRun): Promise<readonly CrashCase[]> => {
  const site = await Site.open(run.variant)
  try {
    await run.prepare(site)
    const before = (await site.journal()).length
    const call = await site.rotate(run.command)
    if (call.exitCode !== 0) throw new Error(`${run.command} ended with ${told(call)} without a crash`)
    const boundaries = boundariesOf(await site.journal(), before, run.row)
    return boundaries.flatMap((boundary) => [
      { run, boundary, answer: 'resume' as const },
      { run, boundary, answer: 'rollback' as const },
    ])
  } finally {
    await site.close()
  }
}

/** Kills the run there, does what the operator would, and compares with what the HSMs hold. */
export const judge = async ({ run, boundary, answer }: CrashCase): Promise<Verdict> => {
  const site = await Site.open(run.variant)
  try {
    await run.prepare(site)
    const call = await site.rotate(run.command, { crashAt: boundary })
    if (call.exitCode !== null) return `was not killed: ${told(call)}`
    return (await (answer === 'resume' ? afterResume(site, run) : afterRollback(site, run))) ?? (await leftBehind(site))
  } finally {
    await site.close()
  }
}

const promisedBy = async (site: Site, { variant }: KilledRun) =>
  promised(await site.journal(), variant.hsms[0] + variant.hsms[1], variant.currentKnown)

const afterResume = async (site: Site, run: KilledRun): Promise<Verdict> => {
  const { resumed } = await promisedBy(site, run)
  return resumed === null ? startAgain(site, await site.rotate('resume')) : resumeTo(site, resumed)
}

const afterRollback = async (site: Site, run: KilledRun): Promise<Verdict> => {
  const { rolledBack, resumed } = await promisedBy(site, run)
  const call = await site.rotate('rollback')
  if (rolledBack === 'old') return call.exitCode === 0 ? holds(site, 'old') : `rollback: ${told(call)}`
  if (resumed === null) return startAgain(site, call)
  const code = call.document?.error?.code
  if (call.exitCode !== 3 || code !== rolledBack.refused) return `rollback was not refused as it should: ${told(call)}`
  return resumeTo(site, resumed)
}

/** Nothing had begun: taking it up is refused, and a new start is not in the way of anything. */
const startAgain = async (site: Site, refused: Call): Promise<Verdict> => {
  if (refused.exitCode !== 3) return `nothing had begun, but: ${told(refused)}`
  const old = await holds(site, 'old')
  if (old !== null) return old
  const call = await site.rotate('start')
  return call.exitCode === 0 ? holds(site, 'new') : `start: ${told(call)}`
}

/** Resumes until it ends; the new password is given again where the store never held it. */
const resumeTo = async (site: Site, expected: 'old' | 'new'): Promise<Verdict> => {
  let more: readonly string[] = []
  let call = await site.rotate('resume')
  for (let times = 1; times < RESUMES && call.exitCode !== 0; times += 1) {
    if (call.document?.error?.code === 'NEW_CREDENTIAL_MISSING') {
      const stored = (await site.journal()).some(({ event }) => event.type === 'store' && event.phase === 'read-back')
      if (stored) return `the store held the new credential: ${told(call)}`
      more = ['--new-password', 'env:NEW']
    } else if (call.document?.error?.code !== 'HSM_SILENT') {
      // Only a busy machine is a reason to try again.
      break
    }
    call = await site.rotate('resume', { more })
  }
  return call.exitCode === 0 ? holds(site, expected) : `resume: ${told(call)}`
}

const holds = async (site: Site, expected: 'old' | 'new'): Promise<Verdict> => {
  const truth = await site.truth()
  return truth === expected ? null : `the HSMs hold ${truth}, not ${expected}`
}

const leftBehind = async (site: Site): Promise<Verdict> => {
  const traces = await site.traces()
  return traces.length === 0 ? null : traces.join('; ')
}

const told = ({ exitCode, document, stderr }: Call): string => {
  const said =
    document?.error === undefined
      ? (document?.outcome ?? stderr.slice(-600))
      : `${document.error.code}: ${document.error.message}`
  return `exit ${exitCode}: ${said}`
}
