import type { JournalEntry } from '../../src/domain/rotation/journal-entry.js'
import type { KilledRun } from './crash-case.js'
import { Site } from './site.js'
import { SMALLEST_CMU, unitsOf, type Variant } from './variant.js'

/** The runs of a variant that are killed at each of their boundaries. */
export const killedRunsOf = (variant: Variant): readonly KilledRun[] =>
  variant.killed.map((command) => ({ start, rollback, resume, repair })[command](variant))

/** A rotation from its first line to its last. */
export const start = (variant: Variant): KilledRun => ({
  variant,
  command: 'start',
  boundaries: variant === SMALLEST_CMU ? 'all-and-torn' : variant.boundaries,
  prepare: async () => {},
})

/** A rollback from as far as one may go. */
const rollback = (variant: Variant): KilledRun => {
  // Of two units the second is the only way back, of more the restore point, unless the old password is known.
  const farthest = variant.currentKnown ? 'finalize' : unitsOf(variant) > 2 ? 'restore-point' : 'canary'
  return {
    variant,
    command: 'rollback',
    row: 'rollback',
    boundaries: variant.boundaries,
    prepare: async (site) => {
      const call = await site.call('start', { more: ['--pause-before', farthest] })
      if (call.exitCode !== 4) throw new Error(`start did not pause before ${farthest}: ${call.stderr}`)
    },
  }
}

/** A resume of a rotation whose first change took effect without an answer on the disk. */
const resume = (variant: Variant): KilledRun => ({
  variant,
  command: 'resume',
  row: 'resume',
  boundaries: variant.boundaries,
  prepare: async (site) => {
    const line = await firstChange(variant)
    const call = await site.call('start', { crashAt: { kind: 'before-line', line: line + 1 } })
    if (call.exitCode !== null) throw new Error(`start was not killed: ${call.stderr}`)
  },
})

/** A repair of HSMs that fell out of step after a rotation was through, which left CURRENT in the store. */
const repair = (variant: Variant): KilledRun => ({
  variant,
  command: 'repair',
  boundaries: variant.boundaries,
  prepare: async (site) => {
    const call = await site.call('start')
    if (call.exitCode !== 0) throw new Error(`start did not end well: ${call.stderr}`)
    await site.fallOutOfStep()
  },
})

const found = new Map<Variant, Promise<number>>()

/** Line of the first change: killed before the next line, it was carried out and nobody wrote it down. */
const firstChange = (variant: Variant): Promise<number> => {
  const known = found.get(variant) ?? findFirstChange(variant)
  found.set(variant, known)
  return known
}

const findFirstChange = async (variant: Variant): Promise<number> => {
  const site = await Site.open(variant)
  try {
    await site.call('start', { more: ['--pause-before', 'prove'] })
    const isChange = ({ event }: JournalEntry) => event.type === 'intent' && event.intent.act === 'change'
    return (await site.journal()).findIndex(isChange) + 1
  } finally {
    await site.close()
  }
}
