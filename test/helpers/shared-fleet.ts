import { afterAll, beforeAll } from '@jest/globals'
import { fleetOf, type SingleFamily, type TestFamily } from './payments.js'
import { type RunningFleet, startSimulator } from './simulator.js'
import { type Workplace, workplace } from './workplace.js'

/** One simulator for all tests of a file; each test works on a family of its own. */
export interface SharedFleet<Name extends string> {
  /** A new workplace for a family; gone after the last test of the file. */
  at(name: Name): Promise<Workplace>
  fault: RunningFleet['fault']
  /** Only inside of tests and hooks. */
  readonly running: RunningFleet
}

/**
 * Starts the simulator before the tests of this file and stops it after them.
 * @param settings of the fleet file, beside the families
 * @param acceptsNoWayBack as in `workplace`
 */
export const sharedFleet = <Name extends string>(
  families: Readonly<Record<Name, TestFamily | SingleFamily>>,
  settings: object = {},
  { acceptsNoWayBack = false }: { readonly acceptsNoWayBack?: boolean } = {},
): SharedFleet<Name> => {
  let fleet: RunningFleet | null = null
  const places: Workplace[] = []
  const running = (): RunningFleet => {
    if (fleet === null) throw new Error('the simulator has not been started yet')
    return fleet
  }
  beforeAll(async () => {
    fleet = await startSimulator(fleetOf(Object.values<TestFamily | SingleFamily>(families), settings))
  })
  afterAll(async () => {
    await fleet?.stop()
    const removed = await Promise.allSettled(places.map((place) => place.remove()))
    for (const result of removed) if (result.status === 'rejected') throw result.reason
  })
  return {
    at: async (name) => {
      const place = await workplace(running(), families[name], acceptsNoWayBack)
      places.push(place)
      return place
    },
    fault: (...words) => running().fault(...words),
    get running() {
      return running()
    },
  }
}
