import type { JournalEntry } from './journal-entry.js'

/** A line of a journal in a few words: what a rotation did last. */
export const describeAction = ({ event, at }: JournalEntry): string => {
  if (event.type === 'intent') {
    return `${event.intent.act} of ${event.intent.user} on ${event.intent.hsmIds.join(', ')} at ${at}`
  }
  return `${event.type}${'stage' in event ? ` ${event.stage}` : ''} at ${at}`
}
