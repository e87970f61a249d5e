import type { Discovery } from '../../src/domain/clone-family.js'
import { type ClusterRef, readClusterRef } from '../../src/domain/cluster.js'
import { OperatorError } from '../../src/domain/errors.js'
import type { DiscoveryScope } from '../../src/domain/ports.js'
import { discoverClusters } from '../../src/use-cases/discover-clusters.js'
import { FixtureApi, fixture, MemoryCache, type RegionAnswers } from './fixture-api.js'

/** Every Region, default credentials. */
export const everywhere: DiscoveryScope = { regions: [], profiles: [], targets: [] }

/** What discovery makes of a case of `fixtures/aws`, after `change` has edited its answers. */
export const discovered = (
  name: string,
  change: (answers: Record<string, RegionAnswers>) => void = () => undefined,
): Promise<Discovery> => {
  const answers = fixture(name)
  change(answers)
  return discoverClusters({ api: new FixtureApi(answers), cache: new MemoryCache() }, everywhere)
}

/** A reference that is known to be well formed. */
export const ref = (text: string): ClusterRef => {
  const read = readClusterRef(text)
  if (read === null) throw new Error(`not a cluster reference: ${text}`)
  return read
}

/** The refusal `act` ends with: code, exit code and message. */
export const refusalOf = async (
  act: () => unknown,
): Promise<{ code: string; exitCode: number; message: string; suggestions: readonly string[] }> => {
  try {
    await act()
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    const { code, exitCode, message, suggestions } = error
    return { code, exitCode, message, suggestions }
  }
  throw new Error('nothing was refused')
}
