import type { PendingCredentials } from '../../../domain/credential-store.js'
import { refusal } from '../../../domain/errors.js'
import type { UserKey } from '../../../domain/hsm-user.js'
import type { Secret } from '../../../domain/secret.js'
import type { RotationRun } from '../run/rotation-run.js'

/** Writes the new credential to the store as PENDING and reads it back, before any HSM can hold it. */
export const storePending = async (run: RotationRun): Promise<void> => {
  const { store, credentials, ledger } = run.parts
  const withCurrent = await putPending(run)
  const found = await store.read('pending')
  for (const [user, secret] of credentials.new) {
    if (found?.rotationId !== ledger.facts.rotationId || found.users.get(user)?.equals(secret) !== true) {
      throw refusal(
        'STORE_NOT_READ_BACK',
        `${store.description} did not return the new credential of ${user} on a read`,
        ['check the store; no HSM holds the new credential'],
      )
    }
  }
  await noteKept(run, withCurrent)
}

/** Keeps a current credential that was proved late beside the new one. */
export const storeCurrent = async (run: RotationRun): Promise<void> => {
  await noteKept(run, await putPending(run))
}

/** Writes down that the store returned what it keeps, and with which version of CURRENT: somebody may move that. */
export const noteKept = async (run: RotationRun, withCurrent: boolean): Promise<void> => {
  const found = withCurrent ? await run.parts.store.read('current') : null
  const current = found === null ? {} : { current: { rotationId: found.rotationId, startedAt: found.startedAt } }
  await run.record({ type: 'store', act: 'put-pending', phase: 'read-back', withCurrent, ...current })
}

/**
 * Keeps the new credential, and the proved current one beside it, while the lock is ours: others may share the store.
 * Repeating it is harmless.
 * @returns whether there was a current one
 */
const putPending = async (run: RotationRun): Promise<boolean> => {
  const { store, credentials, lock } = run.parts
  const withCurrent = credentials.current.size > 0 && run.users.every(({ key }) => run.knows(key, 'current'))
  await lock.assertHeld()
  await run.record({ type: 'store', act: 'put-pending', phase: 'intent' })
  await store.putPending(version(run, credentials.new), withCurrent ? version(run, credentials.current) : undefined)
  return withCurrent
}

const version = (run: RotationRun, users: ReadonlyMap<UserKey, Secret>): PendingCredentials => ({
  rotationId: run.ledger.facts.rotationId,
  clusters: [run.plan.source, ...run.plan.destinations].map((cluster) => cluster.clusterId),
  restorePoint: run.plan.parts.restorePoint,
  startedAt: run.ledger.startedAt,
  users,
})
