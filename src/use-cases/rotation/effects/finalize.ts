import { giveMissing } from '../cells/give.js'
import { Pause } from '../run/pause.js'
import type { RotationRun } from '../run/rotation-run.js'
import { askAws } from '../survey/aws-comparison.js'

/** PENDING becomes CURRENT, CURRENT becomes PREVIOUS, and the evidence is closed. */
export const finalize = async (run: RotationRun): Promise<void> => {
  await askAws(run)
  // What was found locked, or written by somebody else, since its stage was completed.
  await giveMissing(run, run.units, 'change')
  if (run.ledger.promote !== 'read-back') await promote(run)
  await tellApplications(run)
}

const promote = async (run: RotationRun): Promise<void> => {
  const { store, credentials, ledger, lock } = run.parts
  await lock.assertHeld()
  await run.record({ type: 'store', act: 'promote', phase: 'intent' })
  await store.promote(ledger.facts.rotationId)
  const current = await store.read('current')
  for (const [user, secret] of credentials.new) {
    if (current?.users.get(user)?.equals(secret) === true) continue
    throw new Pause(
      'STORE_NOT_READ_BACK',
      `${store.description} did not return the new credential of ${user} as CURRENT`,
    )
  }
  await run.record({ type: 'store', act: 'promote', phase: 'read-back' })
}

/** The rotation is done whatever the operator's command says; that it failed must be seen all the same. */
export const tellApplications = async (run: RotationRun): Promise<void> => {
  let failure: string | null = null
  try {
    await run.parts.hooks.run('after-finalize', { rotationId: run.ledger.facts.rotationId, plan: run.plan })
  } catch (error) {
    failure = (error as Error).message
    run.notice(`every HSM holds the credential, but ${failure}`)
  }
  await run.record({ type: 'applications-told', failure })
}
