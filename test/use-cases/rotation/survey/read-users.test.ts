import { describe, expect, test } from '@jest/globals'
import { ConsoleFailure, type HsmConsole, type HsmSession } from '../../../../src/domain/hsm-console.js'
import type { HsmId } from '../../../../src/domain/ids.js'
import { readUsers } from '../../../../src/use-cases/rotation/survey/read-users.js'
import { hsm, rosterOf } from '../../../helpers/rotation.js'

const [silent, ...others] = [hsm('a'), hsm('b'), hsm('c')]

/** A utility that reaches no HSM of a cluster while one of those it is to reach is silent, and does not say which. */
const consoleOf = (failed: (hsmIds: readonly HsmId[]) => ConsoleFailure): HsmConsole => ({
  utility: 'cloudhsm-cli',
  checkCopying: async () => {},
  open: async (servers) => {
    const hsmIds = servers.map(({ hsmId }) => hsmId)
    if (hsmIds.includes(silent)) throw failed(hsmIds)
    const listUsers = async () => new Map(hsmIds.map((hsmId) => [hsmId, []]))
    return { hsmIds, listUsers, close: async () => {} } as Partial<HsmSession> as HsmSession
  },
})

describe.each([
  ['with none of which it speaks', (ids: readonly HsmId[]) => new ConsoleFailure('unreachable', 'x', ids)],
  ['some of which it speaks with', (ids: readonly HsmId[]) => new ConsoleFailure('silent', 'x', ids, '', true)],
])('a cluster that does not answer as a whole, %s', (_, failed) => {
  const read = async (mayStayBehind: readonly HsmId[]) => {
    const reading = { expected: [], mayStayBehind }
    const { matrix, failures } = await readUsers(consoleOf(failed), rosterOf(3, 0), 1, reading)
    return { listed: [...matrix.keys()], away: failures.flatMap(({ hsmIds }) => hsmIds) }
  }

  test('is read without the HSM that may stay behind, and that one alone is away', async () =>
    expect(await read([silent])).toEqual({ listed: others, away: [silent] }))

  test('is away as a whole where none may', async () =>
    expect(await read([])).toEqual({ listed: [], away: [silent, ...others] }))
})
