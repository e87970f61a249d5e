import type { Rotation } from '../../../domain/rotation/rotation.js'
import type { ReopenPorts } from '../ports.js'
import type { RotationRun } from '../run/rotation-run.js'
import { runProcedure } from '../run/run-procedure.js'
import { type ReopenRequest, reopenRotation } from './reopen.js'
import { abandonHopeless, leaveBehindGoingBack } from './rollback.js'

/**
 * Goes on with a rotation in the direction it had. What is proved is not done again; what is not certain is repeated,
 * which is harmless, and proved by a login that should succeed. A rotation that is completed with debt pays what it can.
 * @throws {OperatorError} as `reopenRotation`
 */
export const resumeRotation = (request: ReopenRequest, ports: ReopenPorts): Promise<Rotation> =>
  reopenRotation(request, ports, {
    direction: 'forward',
    refuse: () => {},
    work: async (run) => {
      await abandonHopeless(run)
      await leaveBehindGoingBack(run)
      noticeSettled(run)
      return runProcedure(run)
    },
  })

/** What the canary settled is kept: cells were proved that way. */
const noticeSettled = (run: RotationRun): void => {
  const { ledger, parts, words } = run
  const { propagate } = parts.options
  if (ledger.rollback !== null) {
    run.notice('a rollback was begun; it goes on going back')
    return
  }
  if (propagate === 'auto' || ledger.propagation === null || ledger.propagation === propagate) return
  const settled = ledger.propagation === 'sync' ? words.copy : words.change
  run.notice(`--propagate ${propagate} is not used: this rotation has settled on ${settled}`)
}
