import { OperatorError } from '../../src/domain/errors.js'
import type { UserKey } from '../../src/domain/hsm-user.js'
import { exitCodeFor, rotationDocument } from '../../src/domain/rotation/outcome.js'
import type { Rotation } from '../../src/domain/rotation/rotation.js'
import type { Secret } from '../../src/domain/secret.js'
import { resumeRotation } from '../../src/use-cases/rotation/open/resume.js'
import { rollbackRotation } from '../../src/use-cases/rotation/open/rollback.js'
import { PASSWORDS } from './memory-fleet.js'
import { ROTATION } from './rotation.js'
import { type BenchGiven, OPTIONS, type Place } from './run-bench.js'

/** How an invocation that took a rotation up ended. */
export interface TakenUp {
  /** Outcome, or the code of the pause or the refusal, with the exit code: `completed 0`, `NO_WAY_BACK 3`. */
  readonly ended: string
  readonly rotation: Rotation | null
  /** Why it stopped, where it did. */
  readonly message: string
  readonly suggestions: readonly string[]
}

export interface TakenUpWith extends Pick<BenchGiven, 'options'> {
  /** Passwords that the operator gives once more. */
  readonly gives?: readonly ('new' | 'current')[]
}

/** Resumes or rolls back what an earlier run has left. */
export const takeUp = async (
  place: Place,
  action: 'resume' | 'rollback',
  { options = {}, gives = [] }: TakenUpWith = {},
): Promise<TakenUp> => {
  const passwords = (wanted: 'new' | 'current', secret: Secret): ReadonlyMap<UserKey, Secret> =>
    new Map(gives.includes(wanted) ? place.users.map(({ key }) => [key, secret]) : [])
  const work = action === 'resume' ? resumeRotation : rollbackRotation
  try {
    const rotation = await work(
      {
        rotationId: ROTATION,
        options: { ...OPTIONS, ...options },
        retryOfficer: false,
        commandMs: 60_000,
        newPasswords: passwords('new', PASSWORDS.new),
        currentPasswords: passwords('current', PASSWORDS.old),
      },
      place.ports,
    )
    const { pause, outcome } = rotation
    return {
      ended: `${pause?.code ?? outcome} ${exitCodeFor(rotationDocument(rotation))}`,
      rotation,
      message: pause?.message ?? '',
      suggestions: pause?.suggestions ?? [],
    }
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    const { code, exitCode, message, suggestions } = error
    return { ended: `${code} ${exitCode}`, rotation: null, message, suggestions }
  }
}
