import { OperatorError, refusal } from '../../src/domain/errors.js'
import type { RotationId } from '../../src/domain/ids.js'
import {
  type FoundJournal,
  isOpen,
  type Journal,
  type JournalEntry,
  type JournalEvent,
  type JournalShelf,
  ledgerOf,
  RotationLedger,
  rotationOf,
} from './engine.js'
import type { Invocation } from './invocation.js'

/** A journal on the disk, and the rotation as it tells it so far. */
export interface KeptJournal {
  readonly lines: string[]
  /** As they were written. */
  readonly entries: JournalEntry[]
  /** Who wrote the last line. */
  writer: Invocation
  readonly ledger: RotationLedger
  /** As they were read back, so far as anybody has: no line is read twice. */
  readonly read: JournalEntry[]
}

/** The entries of a journal as they are read back. */
export const entriesOf = ({ lines, read }: KeptJournal): readonly JournalEntry[] => {
  for (const line of lines.slice(read.length)) read.push(JSON.parse(line))
  return [...read]
}

/**
 * Journals as one invocation writes and reads them. A line is on the disk before the call takes its time, so lines stand
 * in the order of the calls.
 */
export const shelfOf = (invocation: Invocation): JournalShelf => {
  const { world } = invocation
  const kept = (rotationId: RotationId): KeptJournal => {
    const journal = world.journals.get(rotationId)
    if (journal === undefined) throw refusal('ROTATION_NOT_FOUND', `there is no rotation "${rotationId}"`)
    return journal
  }
  const found = (rotationId: RotationId): FoundJournal => ({
    rotationId,
    entries: entriesOf(kept(rotationId)),
    torn: false,
  })
  const rotations = () => [...world.journals.values()].map((journal) => rotationOf(ledgerOf(entriesOf(journal))))
  return {
    create: async (facts) => {
      const writing = writer(invocation, facts.rotationId)
      const first = await writing.append({ type: 'started', facts })
      return { journal: writing, first }
    },
    read: (rotationId) => invocation.call(() => found(rotationId)),
    follow: async (rotationId, take) => {
      for (const entry of (await invocation.call(() => found(rotationId))).entries) take(entry)
      return { torn: false }
    },
    reopen: async (rotationId) => {
      const journal = await invocation.call(() => found(rotationId))
      return { ...journal, journal: writer(invocation, rotationId) }
    },
    list: () => invocation.call(() => [...world.journals.keys()].sort()),
    rotationsOn: () => invocation.call(() => rotations()),
    openRotations: () => invocation.call(() => rotations().filter(isOpen)),
  }
}

const writer = (invocation: Invocation, rotationId: RotationId): Journal => {
  const { world } = invocation
  let failed = false
  const write = (event: JournalEvent): JournalEntry => {
    const known = world.journals.get(rotationId)
    const entry = { seq: (known?.lines.length ?? 0) + 1, at: world.time.now().toISOString(), event }
    const journal: KeptJournal = known ?? {
      lines: [],
      entries: [],
      writer: invocation,
      ledger: new RotationLedger(entry),
      read: [],
    }
    journal.writer = invocation
    journal.lines.push(JSON.stringify(entry))
    journal.entries.push(entry)
    if (known === undefined) world.journals.set(rotationId, journal)
    else journal.ledger.apply(entry)
    world.witness.sawLine(rotationId, journal, entry)
    return entry
  }
  return {
    append: async (event) => {
      const struck = failed ? null : invocation.struckBy('journal-fails', 'journal-fails-after')
      if (failed || struck !== null) {
        const reached = !failed && struck?.strike === 'journal-fails-after'
        failed = true
        await invocation.call(() => (reached ? write(event) : null))
        throw new OperatorError('JOURNAL_UNWRITABLE', 'the journal cannot be written, so the story wants it')
      }
      return invocation.call(() => write(event), { first: true, ms: 2 })
    },
    close: () => invocation.call(() => undefined),
  }
}
