import type { Answer } from '../../src/domain/hsm-console.js'
import type { Intent, JournalEvent, ListedHsm } from '../../src/domain/rotation/journal-entry.js'
import { letterOf } from './memory-fleet.js'
import { APP } from './rotation.js'

const who = (user: string): string => (user === APP ? '' : ` ${user}`)
const where = (hsmIds: readonly string[]): string => hsmIds.map(letterOf).join(' ')

const intentInWords = (intent: Intent): string => {
  const { act, user, hsmIds, credential } = intent
  if (intent.act !== 'copy') return `${act}${who(user)} ${where(hsmIds)} ${credential}`
  const word = intent.rehearsal ? 'rehearse' : 'copy'
  return `${word}${who(user)} ${letterOf(intent.from)}>${where(hsmIds)}${intent.rehearsal ? '' : ` ${credential}`}`
}

const answerInWords = (answer: Answer): string =>
  answer.kind === 'refused' ? answer.reason : answer.kind === 'done' ? 'done' : answer.partly ? 'partly' : 'unclear'

const listedInWords = ({ hsmId, absent = [], locked = [], failures = [], different = [] }: ListedHsm): string =>
  [
    letterOf(hsmId),
    ...(absent.length > 0 ? ['without the user'] : []),
    ...(locked.length > 0 ? ['locked'] : []),
    ...failures.map(([, count]) => `failed ${count}`),
    ...(different.length > 0 ? ['different'] : []),
  ].join(' ')

/** A line of a journal in a few words; HSMs and clusters by the letter they are named after. */
export const inWords = (event: JournalEvent): string => {
  switch (event.type) {
    case 'intent':
      return intentInWords(event.intent)
    case 'answer':
      return answerInWords(event.answer)
    case 'listed':
      return `listed ${event.hsms.map(listedInWords).join(', ')}`
    case 'login':
      return `${event.remembered ? 'remembered' : 'seen'} login ${where(event.hsmIds)} ${event.credential} ${answerInWords(event.answer)}`
    case 'not-asked':
      return `not-asked ${where(event.hsmIds)}`
    case 'aws':
      return event.differences.length === 0 ? 'aws agrees' : `aws: ${event.differences.length} differences`
    case 'store':
      return `store ${event.act} ${event.phase}${event.withCurrent ? ' with current' : ''}`
    case 'copies':
      return `copies ${event.verdict}`
    case 'propagation':
      return `propagation ${event.method}`
    case 'accepted':
      return `accepted ${event.what}`
    case 'serials':
      return `serials ${event.seen.serials.join(' ')}`
    case 'unreachable':
    case 'debt-settled':
    case 'other-overwritten':
      return `${event.type} ${letterOf(event.hsmId)}`
    case 'debt':
      return `debt ${letterOf(event.debt.hsmId)}`
    case 'hsm-gone':
      return `hsm-gone ${letterOf(event.gone.hsmId)}`
    case 'targets-added':
      return `targets-added ${event.roster.map(({ hsmId }) => letterOf(hsmId)).join(' ')}`
    case 'rollback-started':
      return `back by ${event.method}`
    case 'paused':
      return `paused at ${event.stage}: ${event.code}`
    case 'stage-completed':
      return `completed ${event.stage}`
    case 'finished':
      return `finished ${event.outcome}`
    default:
      return event.type
  }
}
