import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RotationId } from '../domain/ids.js'
import type { JournalShelf } from '../domain/rotation/journal.js'
import { rotationIdAt } from '../domain/rotation/rotation-id.js'
import type { StartPorts } from '../use-cases/rotation/start-rotation.js'
import { journals } from './journals.js'
import { localLocks } from './lock/local-locks.js'
import { officerRefusalsFile } from './officer-refusals-file.js'
import { stateDirectory } from './state-directory.js'

const now = () => new Date()

/** Everything a rotation keeps below the state directory: journals, locks, refused officers. */
export const rotationState = (): Pick<
  StartPorts,
  'locks' | 'shelf' | 'officerRefusals' | 'newRotationId' | 'clock'
> => {
  const root = stateDirectory()
  const shelf = journals()
  return {
    clock: { now, wait: (ms) => sleep(ms) },
    shelf,
    locks: localLocks(join(root, 'locks'), now, (rotationId) => lastAction(shelf, rotationId)),
    officerRefusals: officerRefusalsFile(join(root, 'officer-refusals.json'), now),
    newRotationId: () =>
      rotationIdAt(now(), randomBytes(8).toString('base64url').toLowerCase().replace(/[-_]/g, 'x').slice(0, 4)),
  }
}

/** The newest line of a journal in a few words; null where it cannot be read. */
const lastAction = async (shelf: JournalShelf, rotationId: RotationId): Promise<string | null> => {
  const found = await shelf.read(rotationId).catch(() => null)
  const last = found?.entries.at(-1)
  if (last === undefined) return null
  const { event, at } = last
  if (event.type === 'intent') return `${event.intent.act} of ${event.intent.user} on ${event.intent.hsmId} at ${at}`
  return `${event.type}${'stage' in event ? ` ${event.stage}` : ''} at ${at}`
}
