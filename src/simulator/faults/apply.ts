import type { AwsFault } from '../aws/aws-faults.js'
import { Problem } from '../problem.js'
import type { Appliance } from '../server/appliance.js'
import type { Simulator } from '../server/simulator.js'
import { FAULTS, type FaultOptions, type FaultReport, type FaultRequest } from './catalogue.js'
import { switchClusterFault } from './cluster-faults.js'
import { switchHsmFault } from './hsm-faults.js'
import { numberOf } from './options.js'

/** Switches a fault on or off; resolves once it is in force. @throws {Problem} bad options, unknown HSM or cluster */
export const applyFault = async (simulator: Simulator, request: FaultRequest): Promise<FaultReport> => {
  const { kind, off, options } = request
  const report = (struck: readonly Appliance[]): FaultReport => ({ kind, off, hsms: struck.map(({ hsmId }) => hsmId) })
  switch (FAULTS[kind].target) {
    case 'aws':
      switchAwsFault(simulator, kind as AwsFault['kind'], options, !off)
      return report([])
    case 'cluster':
      return report(await switchClusterFault(simulator, kind, options, !off))
    case 'hsm': {
      const struck = chosen(simulator, request.hsms)
      await switchHsmFault(kind, struck, options, !off)
      return report(struck)
    }
  }
}

/** HSMs by the ID they had at start or have now; all of them when none is named. */
const chosen = ({ appliances }: Simulator, ids: readonly string[]): readonly Appliance[] =>
  ids.length === 0
    ? appliances
    : ids.map((id) => {
        const found = appliances.find(({ hsmId, slot }) => hsmId === id || slot === id)
        if (found) return found
        throw new Problem('HSM_NOT_FOUND', `no HSM ${id} in this fleet`, [
          `HSMs: ${appliances.map(({ hsmId }) => hsmId).join(', ')}`,
        ])
      })

const switchAwsFault = (simulator: Simulator, kind: AwsFault['kind'], options: FaultOptions, on: boolean): void => {
  const region = options.region ?? null
  if (!on) simulator.awsFaults.remove(kind, region)
  else simulator.awsFaults.add({ kind, region, times: numberOf(options, 'times'), ms: numberOf(options, 'ms', 0) ?? 0 })
}
