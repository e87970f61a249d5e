import { describe, expect, test } from '@jest/globals'
import { renderSteps } from '../../src/cli/views/users.js'
import { refusal } from '../../src/domain/errors.js'
import type { HsmId, RegionName } from '../../src/domain/ids.js'
import type { JournalShelf } from '../../src/domain/rotation/journal.js'
import { rotationOf } from '../../src/domain/rotation/rotation.js'
import type { UtilityName } from '../../src/domain/utility/utility.js'
import { NO_SUCH_USER, type PasswordProof } from '../../src/use-cases/prove-password.js'
import { proofAdvice } from '../../src/use-cases/rotation/prove-advice.js'
import { ledgerAfter, STORED } from '../helpers/journal-lines.js'
import { hsm, ROTATION, rosterOf } from '../helpers/rotation.js'

const roster = rosterOf(2, 1)
const [SOURCE, DESTINATION] = ['us-east-1/cluster-aaaaaaaaaaa', 'eu-west-1/cluster-bbbbbbbbbbb']
const PLACES = `--source ${SOURCE} --destination ${DESTINATION} --user CU:app`
const TO_CURRENT = `where the store has the right one: lockstep users repair ${PLACES} --to-current --store STORE --officer NAME --officer-password prompt --dry-run   shows who holds that`
const clusters = [roster[0], roster[2]].flatMap((entry) =>
  entry === undefined ? [] : [{ clusterId: entry.clusterId, region: entry.region, profile: null, role: entry.role }],
)
type Found = Pick<PasswordProof, 'match' | 'evidence' | 'reason'>
const HOLDS: Found = { match: true, evidence: 'hsm', reason: null }
const REFUSES: Found = { match: false, evidence: 'hsm', reason: 'wrong' }
const AWAY: Found = { match: null, evidence: null, reason: 'cannot be reached' }
const ABSENT: Found = { match: null, evidence: null, reason: NO_SUCH_USER }
const CLUSTER: Found = { match: null, evidence: 'cluster', reason: 'the cluster refused it' }

const advise = (
  found: readonly [Found, Found, Found],
  openRotations: JournalShelf['openRotations'] = async () => [],
  utility: UtilityName = 'cmu',
) =>
  proofAdvice(
    {
      proofs: roster.map(({ hsmId, clusterId, region }, index) => ({
        hsmId,
        clusterId,
        region: region as RegionName,
        ...(found[index] as Found),
      })),
      user: { type: 'CU', name: 'app' },
      config: { clusters, roster, utility, document: { servers: [] } } as never,
      path: 'merged.cfg',
    },
    { openRotations } as unknown as JournalShelf,
  )
const from = (origin: string, ...to: HsmId[]) =>
  `where this password is right: lockstep users repair ${PLACES} --from ${origin} --password prompt --officer NAME --officer-password prompt   gives it to ${to.join(', ')}`

describe('after users prove', () => {
  test('nothing is advised where every HSM holds it', async () => {
    expect(await advise([HOLDS, HOLDS, HOLDS])).toEqual([])
  })

  test('an HSM that holds it is copied from, and the HSMs that refused are named', async () => {
    expect(await advise([REFUSES, HOLDS, REFUSES])).toEqual([from(hsm('b'), hsm('a'), hsm('c')), TO_CURRENT])
  })

  test('by cloudhsm-cli it is a whole cluster that is copied from', async () => {
    expect(await advise([HOLDS, HOLDS, CLUSTER], undefined, 'cloudhsm-cli')).toEqual([
      from(SOURCE, hsm('c')),
      TO_CURRENT,
    ])
    expect((await advise([HOLDS, CLUSTER, REFUSES], undefined, 'cloudhsm-cli'))[0]).toBe(
      'no cluster was shown to hold it as a whole: check --password first',
    )
  })

  test('what lacks the user and what was not asked is told apart from it', async () => {
    expect(await advise([HOLDS, ABSENT, AWAY])).toEqual([
      `no such user on ${hsm('b')}: lockstep users drift --config merged.cfg   says what brings it there`,
      `nothing is known of ${hsm('c')}: the same command again once the reason shown is gone`,
    ])
  })

  test('a rotation that is not finished there comes first: a repair would be refused', async () => {
    const open = rotationOf(ledgerAfter([STORED], {}, rosterOf(1, 1)))
    expect(await advise([HOLDS, REFUSES, REFUSES], async () => [open])).toEqual([
      `${ROTATION} is not finished there: lockstep rotate status --rotation ${ROTATION}   tells what was seen there last, and rotate resume asks again`,
    ])
  })

  test('so does one that owes it to an HSM, and a journal that cannot be read', async () => {
    const paused = rotationOf(ledgerAfter([STORED], {}, rosterOf(1, 1)))
    const owing = {
      ...paused,
      outcome: 'completed-with-debt' as const,
      debts: [{ hsmId: hsm('c'), reason: 'it was away' }],
    }
    expect((await advise([HOLDS, HOLDS, REFUSES], async () => [owing]))[0]).toBe(
      `${hsm('c')} stayed behind in ${ROTATION}: lockstep rotate resume --rotation ${ROTATION}   gives what it gave the others`,
    )
    const broken = async () => {
      throw refusal('JOURNAL_BROKEN', 'line 3 of a.jsonl does not follow', ['lockstep rotate list'])
    }
    expect(await advise([HOLDS, HOLDS, REFUSES], broken)).toEqual([
      'line 3 of a.jsonl does not follow: lockstep rotate list',
    ])
  })

  test('in words', () => {
    expect(renderSteps(['a', 'b'])).toBe('Try this:\n  * a\n  * b')
  })
})
