import type { Answer, HsmConsole, HsmSession } from '../../src/domain/hsm-console.js'
import type { HsmId } from '../../src/domain/ids.js'
import type { Roster } from '../../src/domain/roster.js'
import type { UtilityName } from '../../src/domain/utility/utility.js'
import { listed } from './rotation.js'

const REFUSED: Answer = { kind: 'refused', reason: 'login-refused', text: 'Account error' }
const DONE: Answer = { kind: 'done' }

/**
 * HSMs of which one (or none) does not hold the password of `CU:app`, while every officer is let in. cloudhsm-cli reaches all of a
 * cluster and shows no failure count.
 */
export const consoleWithOneOdd = (
  roster: Roster,
  utility: UtilityName,
  odd: HsmId | null,
): HsmConsole & { readonly logins: (readonly HsmId[])[] } => ({
  utility,
  logins: [],
  checkCopying: async () => undefined,
  async open([first]) {
    const hsmIds = roster
      .filter((one) => (utility === 'cmu' ? one.hsmId === first?.hsmId : one.clusterId === first?.clusterId))
      .map(({ hsmId }) => hsmId)
    const user = listed('CU', 'app', utility === 'cmu' ? {} : { userId: null, loginFailureCount: null })
    return {
      hsmIds,
      serials: [],
      process: { pid: 1, startedAt: '2026-03-01T03:15:00.000Z' },
      listUsers: async () => new Map(hsmIds.map((hsmId) => [hsmId, [user]])),
      login: async ({ type }, _password, on) => {
        if (type === 'CU') this.logins.push(on)
        return new Map(on.map((hsmId) => [hsmId, type === 'CU' && odd !== null && on.includes(odd) ? REFUSED : DONE]))
      },
      quorum: async () => new Map(),
      logout: async () => undefined,
      close: async () => undefined,
    } as Partial<HsmSession> as HsmSession
  },
})
