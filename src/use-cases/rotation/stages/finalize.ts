import { refuseRosterChanges } from '../aws-comparison.js'
import { deliver, onEach } from '../cell-work.js'
import { Pause } from '../pause.js'
import type { RotationRun } from '../rotation-run.js'

/** PENDING becomes CURRENT, CURRENT becomes PREVIOUS, and the evidence is closed. */
export const finalize = async (run: RotationRun): Promise<void> => {
  refuseRosterChanges(run, await run.parts.discover())
  await completeCells(run)
  const { store, credentials, ledger } = run.parts
  const { rotationId } = ledger.facts
  await run.record({ type: 'store', act: 'promote', phase: 'intent' })
  await store.promote(rotationId)
  const current = await store.read('current')
  for (const [user, secret] of credentials.new) {
    if (current?.users.get(user)?.equals(secret) === true) continue
    throw new Pause(
      'STORE_NOT_READ_BACK',
      `${store.description} did not return the new credential of ${user} as CURRENT`,
    )
  }
  await run.record({ type: 'store', act: 'promote', phase: 'read-back' })
  await tellApplications(run)
}

/** What was found locked, or written by somebody else, since its stage was completed. */
const completeCells = async (run: RotationRun): Promise<void> => {
  const late = run.units.filter((unitId) => run.notNew(unitId).length > 0)
  await onEach(run, late, (unitId) => deliver(run, unitId, 'change'))
}

/** The rotation is done whatever the operator's command says; that it failed must be seen all the same. */
const tellApplications = async (run: RotationRun): Promise<void> => {
  try {
    await run.parts.hooks.run('after-finalize', { rotationId: run.ledger.facts.rotationId, plan: run.plan })
  } catch (error) {
    run.notice(`every HSM holds the new credential, but ${(error as Error).message}`)
  }
}
