import { type BoundaryChoice, boundariesOf, type PlacedBoundary } from './boundary.js'
import { isOver, promised, withoutProof } from './promised.js'
import { type Call, type Command, Site } from './site.js'
import { hsmsOf, type Variant } from './variant.js'

/** A run that is killed, and what has to have happened before it. */
export interface KilledRun {
  readonly variant: Variant
  readonly command: Command
  readonly prepare: (site: Site) => Promise<void>
  /** Row of the table; the stage of the line when absent. */
  readonly row?: string
  readonly boundaries: BoundaryChoice
}

/** What the operator does about a killed run. */
export type Answer = 'resume' | 'rollback'

/** One kill and what the operator does about it; each answer begins with what the kill left. */
export interface CrashCase {
  readonly run: KilledRun
  readonly boundary: PlacedBoundary
  readonly answers: readonly Answer[]
}

/** Null when everything went as promised, else what did not. */
export type Verdict = string | null

const RESUMES = 3

/** Nothing is out of reach here: on a busy machine a program may be silent for a second, also while it starts. */
const BUSY: ReadonlySet<string> = new Set(['HSM_SILENT', 'HSM_UNREACHABLE'])

/** Every boundary of a run, found by letting it end once. The answer that comes first changes from one to the next. */
export const casesOf = async (run: KilledRun): Promise<readonly CrashCase[]> => {
  const site = await Site.open(run.variant)
  try {
    await run.prepare(site)
    const before = (await site.journal()).length
    const call = await site.rotate(run.command)
    const wrong = run.command === 'rollback' ? await wentBack(site, call) : call.exitCode === 0 ? null : told(call)
    if (wrong !== null) throw new Error(`${run.variant.name}: ${run.command} without a crash: ${wrong}`)
    return boundariesOf(await site.journal(), before, run).map((boundary, index) => ({
      run,
      boundary,
      answers: index % 2 === 0 ? ['resume', 'rollback'] : ['rollback', 'resume'],
    }))
  } finally {
    await site.close()
  }
}

/**
 * Kills the run there, does what the operator would, and compares with what the HSMs hold.
 * @param site as the run finds it; changed afterwards
 * @returns a verdict for each answer, in their order
 */
export const judge = async (site: Site, { run, boundary, answers }: CrashCase): Promise<readonly Verdict[]> => {
  const call = await site.rotate(run.command, { crashAt: boundary })
  if (call.exitCode !== null) return answers.map(() => `was not killed: ${told(call)}`)
  const killed = await site.remember()
  const over = isOver(await site.journal())
  const verdicts: Verdict[] = []
  for (const answer of answers) {
    if (verdicts.length > 0) await site.restore(killed)
    const verdict = await (answer === 'resume' ? afterResume(site, run) : afterRollback(site, run))
    verdicts.push(verdict ?? (await leftBehind(site, over)))
  }
  await site.forget(killed)
  return verdicts
}

const promisedBy = async (site: Site, { variant }: KilledRun) =>
  promised(await site.journal(), {
    hsms: hsmsOf(variant),
    copiesOverwrite: variant.copy === 'overwrite',
    currentKnown: variant.currentKnown,
  })

const afterResume = async (site: Site, run: KilledRun): Promise<Verdict> => {
  const { resumed } = await promisedBy(site, run)
  return resumed === null ? startAgain(site, await site.rotate('resume')) : resumeTo(site, run, resumed)
}

const afterRollback = async (site: Site, run: KilledRun): Promise<Verdict> => {
  const { rolledBack, resumed } = await promisedBy(site, run)
  const nothingNew = (await site.truth()) === 'old'
  const call = await site.rotate('rollback')
  // A change that was meant and never heard of needs no way back, and the program may find that out.
  if (rolledBack === 'old' || (nothingNew && call.document?.outcome === 'rolled-back')) return wentBack(site, call)
  if (resumed === null) return startAgain(site, call)
  // 4: it took a copy to find out that copies bring nothing back.
  const exitCodes = run.variant.copy === 'overwrite' ? [3] : [3, 4]
  if (!exitCodes.some((code) => code === call.exitCode) || call.document?.error?.code !== rolledBack.refused) {
    return `rollback was not refused as it should: ${told(call)}`
  }
  return resumeTo(site, run, resumed)
}

/** Nothing had begun: taking it up is refused, and a new start is not in the way of anything. */
const startAgain = async (site: Site, refused: Call): Promise<Verdict> => {
  if (refused.exitCode !== 3) return `nothing had begun, but: ${told(refused)}`
  const old = await holds(site, 'old')
  if (old !== null) return old
  const call = await site.rotate('start')
  return call.exitCode === 0 ? holds(site, 'new') : `start: ${told(call)}`
}

/** Resumes until it ends; the passwords are given again where the store never held them. */
const resumeTo = async (site: Site, { variant }: KilledRun, expected: 'old' | 'new'): Promise<Verdict> => {
  let more: readonly string[] = []
  let call = await site.rotate('resume')
  for (let times = 1; times < RESUMES && call.exitCode !== 0 && call.exitCode !== 6; times += 1) {
    if (call.document?.error?.code === 'NEW_CREDENTIAL_MISSING') {
      const stored = (await site.journal()).some(({ event }) => event.type === 'store' && event.phase === 'read-back')
      if (stored) return `the store held the new credential: ${told(call)}`
      more = ['--new-password', 'env:NEW', ...(variant.currentKnown ? ['--current-password', 'env:OLD'] : [])]
    } else if (!BUSY.has(call.document?.error?.code ?? '')) {
      break
    }
    call = await site.rotate('resume', { more })
  }
  if (expected === 'old') return wentBack(site, call)
  return call.exitCode === 0 ? holds(site, expected) : `resume: ${told(call)}`
}

/** Every HSM holds the old password, and the end says which were given it without proof that they held it before. */
const wentBack = async (site: Site, call: Call): Promise<Verdict> => {
  const without = [...withoutProof(await site.journal())].sort()
  const said = (call.document?.withoutProof ?? []).map(({ user, hsmId }) => `${user} on ${hsmId}`).sort()
  if (call.exitCode !== (without.length === 0 ? 0 : 6)) {
    return `${told(call)}; without proof: ${without.join(', ') || 'none'}`
  }
  if (said.join() !== without.join()) return `said to be without proof: ${said.join(', ')}, not ${without.join(', ')}`
  return holds(site, 'old')
}

const holds = async (site: Site, expected: 'old' | 'new'): Promise<Verdict> => {
  const truth = await site.truth()
  return truth === expected ? null : `the HSMs hold ${truth}, not ${expected}`
}

/** @param over the killed run was through: nobody takes up its stale locks before the next rotation does */
const leftBehind = async (site: Site, over: boolean): Promise<Verdict> => {
  const traces = [...(await site.lockedUsers()), ...(over ? [] : await site.leftLocks())]
  return traces.length === 0 ? null : traces.join('; ')
}

const told = ({ exitCode, document, stderr }: Call): string => {
  const said =
    document?.error === undefined
      ? (document?.outcome ?? stderr.slice(-600))
      : `${document.error.code}: ${document.error.message}`
  return `exit ${exitCode}: ${said}`
}
