import type { HsmId } from '../../../domain/ids.js'
import type { RotationLedger } from '../../../domain/rotation/ledger.js'
import { Pause } from '../run/pause.js'

/** The pause for HSMs that a newer run has left behind as well, and that only that one may write; null where there are none. */
export const leftToNewer = (ledger: RotationLedger): Pause | null => {
  const { plan, facts } = ledger
  const owed = plan.roster.filter(({ hsmId }) => plan.users.some(({ key }) => ledger.isOwedElsewhere(key, hsmId)))
  const isIts = (hsmId: HsmId) =>
    ledger.rollback === null ? ledger.debts.has(hsmId) || !ledger.applicationsTold : ledger.owedBack.has(hsmId)
  const left = owed.filter(({ hsmId }) => isIts(hsmId))
  const lost =
    ledger.rollback === null ? [...ledger.lostClusters.keys()].filter((one) => ledger.lostLeftTo(one).length > 0) : []
  const names = [...left.map(({ hsmId }) => hsmId), ...lost]
  if (names.length === 0) return null
  const by = new Set([
    ...left.flatMap(({ hsmId }) => plan.users.flatMap(({ key }) => ledger.supersededBy(key, hsmId) ?? [])),
    ...lost.flatMap((clusterId) => ledger.lostLeftTo(clusterId)),
  ])
  return new Pause(
    'DEBT_SUPERSEDED',
    `${[...by].join(', ')} is newer than ${facts.rotationId}, and ${names.join(', ')} stayed behind there as well: what it needs the newer one gives`,
    [...by].map((one) => `lockstep rotate resume --rotation ${one}   gives it that, and settles both`),
  )
}
