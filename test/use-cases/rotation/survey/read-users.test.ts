import { describe, expect, test } from '@jest/globals'
import { ConsoleFailure, type HsmConsole, type HsmSession } from '../../../../src/domain/hsm-console.js'
import type { HsmId } from '../../../../src/domain/ids.js'
import { readUsers } from '../../../../src/use-cases/rotation/survey/read-users.js'
import { hsm, rosterOf } from '../../../helpers/rotation.js'

const [silent, ...others] = [hsm('a'), hsm('b'), hsm('c')]

/** A utility that reaches no HSM of a cluster while one of those it is to reach is silent, and does not say which. */
const console: HsmConsole = {
  utility: 'cloudhsm-cli',
  checkCopying: async () => {},
  open: async (servers) => {
    const hsmIds = servers.map(({ hsmId }) => hsmId)
    if (hsmIds.includes(silent)) throw new ConsoleFailure('unreachable', 'it did not reach all of them', hsmIds)
    const listUsers = async () => new Map(hsmIds.map((hsmId) => [hsmId, []]))
    return { hsmIds, listUsers, close: async () => {} } as Partial<HsmSession> as HsmSession
  },
}

const read = async (mayStayBehind: readonly HsmId[]) => {
  const { matrix, failures } = await readUsers(console, rosterOf(3, 0), 1, { expected: [], mayStayBehind })
  return { listed: [...matrix.keys()], away: failures.flatMap(({ hsmIds }) => hsmIds) }
}

describe('a cluster that does not answer as a whole', () => {
  test('is read without the HSM that may stay behind, and that one alone is away', async () =>
    expect(await read([silent])).toEqual({ listed: others, away: [silent] }))

  test('is away as a whole where none may', async () =>
    expect(await read([])).toEqual({ listed: [], away: [silent, ...others] }))
})
