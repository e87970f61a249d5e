import { type BoundaryChoice, boundariesOf, type PlacedBoundary } from './boundary.js'
import { begins, type Command } from './command.js'
import { type Held, isOver, promised, promisedOfRepair, withoutProof } from './promised.js'
import { type Call, type Holdings, type Moment, Site } from './site.js'
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
    const from = begins(run.command) ? 0 : (await site.journal()).length
    const ended = { site, run, before: await site.held(), resumed: null }
    const call = await site.call(run.command)
    const wrong = run.command === 'rollback' ? await wentBack(ended, call) : call.exitCode === 0 ? null : told(call)
    if (wrong !== null) throw new Error(`${run.variant.name}: ${run.command} without a crash: ${wrong}`)
    return boundariesOf(await site.journal(), from, run).map((boundary, index) => ({
      run,
      boundary,
      answers: index % 2 === 0 ? ['resume', 'rollback'] : ['rollback', 'resume'],
    }))
  } finally {
    await site.close()
  }
}

/** A run that was killed, and what is needed to judge how it ends. */
interface Killed {
  readonly site: Site
  readonly run: KilledRun
  /** What the HSMs held before the run. */
  readonly before: Holdings
  /** What the kill left, where a resume from there is judged as well; else null. */
  readonly resumed: Moment | null
}

/**
 * Kills the run there, does what the operator would, and compares with what the HSMs hold.
 * @param site as the run finds it; changed afterwards
 * @returns a verdict for each answer, in their order
 */
export const judge = async (site: Site, { run, boundary, answers }: CrashCase): Promise<readonly Verdict[]> => {
  const before = await site.held()
  const call = await site.call(run.command, { crashAt: boundary })
  if (call.exitCode !== null) return answers.map(() => `was not killed: ${told(call)}`)
  const left = await site.remember()
  const killed = { site, run, before, resumed: answers.includes('resume') ? left : null }
  const over = isOver(await site.journal())
  const verdicts: Verdict[] = []
  for (const answer of answers) {
    if (verdicts.length > 0) await site.restore(left)
    const verdict = await (answer === 'resume' ? afterResume(killed) : afterRollback(killed))
    verdicts.push(verdict ?? (await leftBehind(site, over || (await site.isAs(left)))))
  }
  await site.forget(left)
  return verdicts
}

const promisedBy = async ({ site, run: { command, variant } }: Killed) => {
  const journal = await site.journal()
  if (command === 'repair') return promisedOfRepair(journal)
  return promised(journal, {
    hsms: hsmsOf(variant),
    copiesOverwrite: variant.copy === 'overwrite',
    currentKnown: variant.currentKnown,
  })
}

const afterResume = async (killed: Killed): Promise<Verdict> => {
  const { resumed } = await promisedBy(killed)
  const call = await killed.site.call('resume')
  return resumed === null ? beginAgain(killed, call) : resumeTo(killed, call, resumed)
}

const afterRollback = async (killed: Killed): Promise<Verdict> => {
  const { site, run } = killed
  const { rolledBack, resumed } = await promisedBy(killed)
  const nothingNew = (await holds(killed, heldOnceBack(run))) === null
  const call = await site.call('rollback')
  // A change that was meant and never heard of needs no way back, and the program may find that out.
  if (typeof rolledBack === 'string' || (nothingNew && call.document?.outcome === 'rolled-back')) {
    return (await wentBack(killed, call)) ?? (run.command === 'repair' ? goWell(killed) : null)
  }
  if (resumed === null) return beginAgain(killed, call)
  // 4: it took a copy to find out that copies bring nothing back.
  const exitCodes = run.variant.copy === 'overwrite' ? [3] : [3, 4]
  if (!exitCodes.some((code) => code === call.exitCode) || call.document?.error?.code !== rolledBack.refused) {
    return `rollback was not refused as it should: ${told(call)}`
  }
  // Where it changed nothing, a resume would be the one that is judged by itself.
  if (killed.resumed !== null && (await site.isAs(killed.resumed))) return null
  return resumeTo(killed, await site.call('resume'), resumed)
}

/** Nothing had begun: taking it up is refused, and a new one is not in the way of anything. */
const beginAgain = async (killed: Killed, refused: Call): Promise<Verdict> => {
  if (refused.exitCode !== 3) return `nothing had begun, but: ${told(refused)}`
  return (await holds(killed, 'before')) ?? goWell(killed)
}

/** The same command once more, from its beginning to its end. */
const goWell = async (killed: Killed): Promise<Verdict> => {
  const { command } = killed.run
  const call = await killed.site.call(command)
  return call.exitCode === 0 ? holds(killed, 'new') : `${command}: ${told(call)}`
}

/** Resumes until it ends; the passwords are given again where the store never held them. */
const resumeTo = async (killed: Killed, first: Call, expected: 'old' | 'new'): Promise<Verdict> => {
  const { site, run } = killed
  let more: readonly string[] = []
  let call = first
  for (let times = 1; times < RESUMES && call.exitCode !== 0 && call.exitCode !== 6; times += 1) {
    if (call.document?.error?.code === 'NEW_CREDENTIAL_MISSING') {
      // A repair gives what the store holds, from its first line on.
      const stored = (await site.journal()).some(({ event }) => event.type === 'store' && event.phase === 'read-back')
      if (stored || run.command === 'repair') return `the store held the new credential: ${told(call)}`
      more = ['--new-password', 'env:NEW', ...(run.variant.currentKnown ? ['--current-password', 'env:OLD'] : [])]
    } else if (!BUSY.has(call.document?.error?.code ?? '')) {
      break
    }
    call = await site.call('resume', { more })
  }
  if (expected === 'old') return wentBack(killed, call)
  return call.exitCode === 0 ? holds(killed, expected) : `resume: ${told(call)}`
}

/** What HSMs hold once it was taken back. */
const heldOnceBack = ({ command }: KilledRun): Held => (command === 'repair' ? 'before' : 'old')

/**
 * Every HSM holds what it held, and the end says which were given it without proof that they held it before. Of a repair those
 * hold what the HSM they were copied from held before.
 */
const wentBack = async (killed: Killed, call: Call): Promise<Verdict> => {
  const without = withoutProof(await killed.site.journal())
  const cells = [...without.keys()].sort()
  const said = (call.document?.withoutProof ?? []).map(({ user, hsmId }) => `${user} on ${hsmId}`).sort()
  if (call.exitCode !== (cells.length === 0 ? 0 : 6))
    return `${told(call)}; without proof: ${cells.join(', ') || 'none'}`
  if (said.join() !== cells.join()) return `said to be without proof: ${said.join(', ')}, not ${cells.join(', ')}`
  return holds(killed, heldOnceBack(killed.run), without)
}

/** @returns null where every HSM holds that; `copied`: cells that hold what another one held before */
const holds = async (
  { site, before }: Killed,
  expected: Held,
  copied: ReadonlyMap<string, string | null> = new Map(),
): Promise<Verdict> => {
  const wordFor = (cell: string) => {
    const [user] = cell.split(' on ')
    const from = copied.get(cell)
    return expected === 'before' ? before.get(from === undefined ? cell : `${user} on ${from}`) : expected
  }
  const wrong = [...(await site.held())].filter(([cell, word]) => word !== wordFor(cell))
  return wrong.length === 0
    ? null
    : `not ${expected}: ${wrong.map(([cell, word]) => `${cell} holds ${word}`).join(', ')}`
}

/** @param over nobody has taken up its stale locks: the killed run was through, or a refusal went by the journal alone */
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
