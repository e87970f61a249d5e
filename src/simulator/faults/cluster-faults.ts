import { usage } from '../problem.js'
import type { Appliance } from '../server/appliance.js'
import type { Simulator } from '../server/simulator.js'
import type { FaultName, FaultOptions } from './catalogue.js'
import { lineFault } from './hsm-faults.js'
import { numberOf, usersFrom } from './options.js'

/** Switches one kind of fault on or off at one cluster. @returns the HSMs concerned */
type ClusterSwitch = (
  simulator: Simulator,
  clusterId: string,
  options: FaultOptions,
  on: boolean,
) => readonly Appliance[] | Promise<readonly Appliance[]>

/** HSMs that a fault added, so that `--off` removes them again. */
const added = new WeakSet<Appliance>()
/** HSMs that are joining, so that `--off` lets them begin. */
const joining = new WeakSet<Appliance>()

const hsmsOf = ({ appliances }: Simulator, clusterId: string): readonly Appliance[] =>
  appliances.filter((appliance) => appliance.clusterId === clusterId)

const reportState = ({ clusterStates }: Simulator, clusterId: string, state: string | null): void => {
  if (state === null) clusterStates.delete(clusterId)
  else clusterStates.set(clusterId, state)
}

const SWITCHES: Partial<Record<FaultName, ClusterSwitch>> = {
  'cluster-state': (simulator, clusterId, { state = 'ACTIVE' }, on) => {
    reportState(simulator, clusterId, on ? state : null)
    return []
  },
  'limited-write': (simulator, clusterId, _options, on) => {
    reportState(simulator, clusterId, on ? 'MODIFY_IN_PROGRESS' : null)
    const struck = hsmsOf(simulator, clusterId)
    for (const { hsm } of struck) hsm.conditions.limitedWrite = on
    return struck
  },
  partial: async (simulator, clusterId, options, on) => {
    const all = hsmsOf(simulator, clusterId)
    const struck = on ? all.slice(0, numberOf(options, 'count') ?? 0) : all
    await Promise.all(struck.map((appliance) => lineFault('refuse')(appliance, options, on)))
    return struck
  },
  added: async (simulator, clusterId, options, on) => {
    if (on) {
      const appliance = await simulator.addHsm(clusterId, usersFrom(options) ?? simulator.fleet.behaviour.addedHsmUsers)
      added.add(appliance)
      return [appliance]
    }
    const leaving = hsmsOf(simulator, clusterId).filter((appliance) => added.has(appliance))
    for (const appliance of leaving) simulator.appliances.splice(simulator.appliances.indexOf(appliance), 1)
    await Promise.all(leaving.map((appliance) => appliance.detach()))
    return leaving
  },
  joining: async (simulator, clusterId, _options, on) => {
    if (on) {
      // It has the users of this moment and no connections: what others do to users now does not reach it.
      const appliance = await simulator.addHsm(clusterId, 'sibling', 'CREATE_IN_PROGRESS')
      joining.add(appliance)
      return [appliance]
    }
    const complete = hsmsOf(simulator, clusterId).filter((appliance) => joining.delete(appliance))
    for (const appliance of complete) appliance.state = 'ACTIVE'
    await Promise.all(complete.map((appliance) => appliance.attach()))
    return complete
  },
}

/**
 * Switches a fault of a cluster.
 * @throws {Problem} a bad option, or no such cluster
 */
export const switchClusterFault = async (
  simulator: Simulator,
  kind: FaultName,
  options: FaultOptions,
  on: boolean,
): Promise<readonly Appliance[]> => {
  const clusterId = options.cluster
  if (clusterId === undefined) throw usage(`fault ${kind} needs --cluster`)
  simulator.cluster(clusterId)
  return (await SWITCHES[kind]?.(simulator, clusterId, options, on)) ?? []
}
