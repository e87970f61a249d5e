import type { HsmUser, HsmUserType, UserKey } from '../../src/domain/hsm-user.js'
import type { ClusterId, EniIp, HsmId, RegionName, RotationId, ServerId } from '../../src/domain/ids.js'
import type { ClusterRole, Roster } from '../../src/domain/roster.js'
import type { RotationFacts } from '../../src/domain/rotation/journal-entry.js'
import { assignParts, type RotationPlan } from '../../src/domain/rotation/plan.js'
import type { UtilityName } from '../../src/domain/utility/utility.js'

/** An HSM ID that ends in the letters given, e.g. `hsm('a')`. */
export const hsm = (letter: string): HsmId => `hsm-${letter.repeat(11)}` as HsmId

/** A roster with so many source and destination HSMs: `a`, `b`, … in the source, then on in the destination. */
export const rosterOf = (sources: number, destinations: number): Roster =>
  Array.from({ length: sources + destinations }, (_, index) => {
    const role: ClusterRole = index < sources ? 'source' : 'destination'
    return {
      serverId: index as ServerId,
      hsmId: hsm('abcdefghijkl'.charAt(index)),
      eniIp: `127.0.9.${index + 1}` as EniIp,
      clusterId: `cluster-${(role === 'source' ? 'a' : 'b').repeat(11)}` as ClusterId,
      region: (role === 'source' ? 'us-east-1' : 'eu-west-1') as RegionName,
      role,
    }
  })

/** A plan over that roster for `CU:app`. */
export const planOver = (roster: Roster, utility: UtilityName = 'cmu'): RotationPlan => ({
  utility,
  source: {
    clusterId: `cluster-${'a'.repeat(11)}` as ClusterId,
    region: 'us-east-1' as RegionName,
    profile: null,
    hsmType: 'hsm1.medium',
  },
  destinations: [
    {
      clusterId: `cluster-${'b'.repeat(11)}` as ClusterId,
      region: 'eu-west-1' as RegionName,
      profile: null,
      hsmType: 'hsm1.medium',
    },
  ],
  leftOut: [],
  family: 'family-test',
  users: [{ type: 'CU', name: 'app', key: APP, userId: 4, idsAgree: true }],
  roster,
  parts: assignParts(roster, utility),
})

export const APP = 'CU:app' as UserKey
export const ROTATION = 'r-20260301-031500-test' as RotationId

/** What of the facts a test wants otherwise. */
export type FactsGiven = Partial<RotationFacts>

/** Facts of a rotation of `CU:app`. */
export const factsOf = (roster: Roster, more: FactsGiven = {}): RotationFacts => ({
  rotationId: ROTATION,
  procedure: 'rotate',
  plan: planOver(roster),
  observed: [],
  debts: [],
  lostClusters: [],
  acceptedNoWayBack: false,
  createMissing: false,
  recovered: false,
  store: 'file:test',
  newCredential: 'given',
  from: null,
  config: { sha256: null, utility: 'cmu', document: { servers: [] } },
  operator: { user: 'tester', host: 'here', pid: 1 },
  version: '0.0.0',
  ...more,
})

/** A row of a listing. */
export const listed = (type: HsmUserType, name: string, more: Partial<HsmUser> = {}): HsmUser => ({
  userId: 4,
  type,
  name,
  mofnPubKey: false,
  loginFailureCount: 0,
  twoFactor: false,
  locked: null,
  inconsistent: [],
  ...more,
})
