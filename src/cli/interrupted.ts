import { EXIT, type ExitCode } from '../domain/errors.js'
import { exitCodeFor, type RotationDocument, rotationDocument } from '../domain/rotation/outcome.js'
import type { Rotation } from '../domain/rotation/rotation.js'
import type { ErrorDocument } from './base-command.js'
import { NOTHING_CHANGED } from './leave-early.js'

/** How a run that is left at once has to be told of. */
export interface Interruption {
  readonly document: RotationDocument | ErrorDocument
  readonly exitCode: ExitCode
}

const IN_THE_MIDDLE = 'interrupted in the middle of its work, which was not waited for'
/** An earlier invocation has changed something. */
const NOTHING_NEW = 'interrupted before this command did anything; how it stood before is how it stands'

/**
 * How things stand when a run is left at once.
 * @param rotation as its journal tells it at this moment; null where there is none yet
 * @param begun whether this invocation has begun to work on it
 */
export const interruption = (rotation: Rotation | null, begun: boolean): Interruption => {
  const exitCode = begun || rotation?.hasChanged === true ? EXIT.paused : EXIT.interrupted
  const message = begun ? IN_THE_MIDDLE : exitCode === EXIT.paused ? NOTHING_NEW : NOTHING_CHANGED
  const error = (suggestions: readonly string[]) => ({ code: 'INTERRUPTED', message, suggestions })
  if (rotation === null) return { document: { error: error(begun ? ['lockstep rotate list'] : []) }, exitCode }
  const document = rotationDocument(rotation)
  if (rotation.outcome !== 'paused') return { document, exitCode: exitCodeFor(document) }
  return {
    document: { ...document, error: error([`lockstep rotate resume --rotation ${document.rotationId}`]) },
    exitCode,
  }
}
