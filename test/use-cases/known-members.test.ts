import { describe, expect, test } from '@jest/globals'
import { journalShelf } from '../../src/adapters/journal-file/shelf.js'
import type { DiscoveryProblem } from '../../src/domain/clone-family.js'
import { groupDiscovery } from '../../src/domain/group-discovery.js'
import type { ClusterId, RegionName, RotationId } from '../../src/domain/ids.js'
import type { JournalEvent } from '../../src/domain/rotation/journal-entry.js'
import { type ClusterChoiceRequest, chooseClusters } from '../../src/use-cases/choose-clusters.js'
import { knownFamilies } from '../../src/use-cases/known-members.js'
import { clusterOf, hsmOf, twoClones } from '../helpers/clusters.js'
import { ref, refusalOf } from '../helpers/discovery.js'
import { type FactsGiven, factsOf, hsm, planOver, rosterOf } from '../helpers/rotation.js'
import { tempFolders } from '../helpers/temp-folder.js'

const newFolder = tempFolders()
const EARLIER = 'r-20260201-031500-aaaa' as RotationId
const [A, B, C] = ['a', 'b', 'c'].map((letter) => `cluster-${letter.repeat(11)}` as ClusterId) as [
  ClusterId,
  ClusterId,
  ClusterId,
]
const LOST = { clusterId: C, region: 'ap-south-1' as RegionName, profile: null, reason: 'the Region is gone' }
const third = { ...LOST, hsmType: 'hsm1.medium' }

/** A machine on which these rotations were made, oldest first. */
const machineWith = async (
  ...rotations: { readonly facts?: FactsGiven; readonly later?: readonly JournalEvent[] }[]
) => {
  const shelf = journalShelf(await newFolder(), () => new Date('2026-03-01T03:15:00Z'))
  for (const [index, { facts = {}, later = [] }] of rotations.entries()) {
    const rotationId = EARLIER.replace('aaaa', `aaa${'abcd'.charAt(index)}`) as RotationId
    const { journal } = await shelf.create(factsOf(rosterOf(1, 1), { rotationId, ...facts }))
    for (const event of later) await journal.append(event)
    await journal.close()
  }
  return knownFamilies(shelf)
}
/** One that took C along as well, with an HSM of it. */
const overThree: FactsGiven = (() => {
  const roster = rosterOf(1, 2).map((entry, index) =>
    index < 2 ? entry : { ...entry, clusterId: C, region: LOST.region },
  )
  const plan = planOver(roster)
  return { plan: { ...plan, destinations: [...plan.destinations, third] } }
})()
const silent = (region: string, more: Partial<DiscoveryProblem> = {}): DiscoveryProblem => ({
  region,
  profile: null,
  error: 'no answer for 10 s',
  kind: 'unreachable',
  operation: 'DescribeClusters',
  named: false,
  ...more,
})
const seen = (
  problems: readonly DiscoveryProblem[],
  asked = ['us-east-1', 'eu-west-1', 'ap-south-1'],
  more = false,
) => {
  const { a, b } = twoClones()
  const c = clusterOf('c', 'ap-south-1', [hsmOf('c', 2)], { certificateFingerprint: null })
  return groupDiscovery({
    clusters: more ? [a, b, c] : [a, b],
    backups: [],
    problems,
    asked: asked.map((region) => ({ region: region as RegionName, profile: null })),
  })
}
const asking = (more: Partial<ClusterChoiceRequest>): ClusterChoiceRequest => ({
  source: ref(A),
  destinations: [ref(B)],
  leaveOut: [],
  waiveCloneProof: false,
  requireFamilyNamed: true,
  lostIsDebt: true,
  ...more,
})

describe('a member of the family that only journals know, in a Region that does not answer', () => {
  test('is refused, with the Region, the reason and what to type', async () => {
    const families = await machineWith({ facts: overThree })
    const refused = await refusalOf(() =>
      chooseClusters(seen([silent('ap-south-1')]), asking({ knownFamilies: families })),
    )
    expect(refused).toMatchObject({ code: 'FAMILY_MEMBER_UNSEEN', exitCode: 3 })
    expect(refused.message).toMatch(
      new RegExp(
        `^ap-south-1/${C} belongs to family-\\S+ as well, says ${EARLIER}, and was not seen: ap-south-1 did not answer: no answer for 10 s; it would keep the old credential$`,
      ),
    )
    expect(refused.suggestions).toEqual([
      `--destination ap-south-1/${C}   to take it along, once AWS answers there`,
      `--leave-out ap-south-1/${C} --reason TEXT   to leave it out knowingly: a debt until rotate resume finds it back`,
    ])
  })

  test('is taken when it is left out as advised, also where the Region is not enabled any more', async () => {
    const families = await machineWith({ facts: overThree })
    for (const problem of [silent('ap-south-1'), silent('ap-south-1', { kind: 'not-enabled' })]) {
      const left = asking({ knownFamilies: families, leaveOut: [ref(`ap-south-1/${C}`)] })
      expect(chooseClusters(seen([problem]), left).leftOutUnseen).toEqual([ref(`ap-south-1/${C}`)])
      expect(await refusalOf(() => chooseClusters(seen([problem]), asking({ knownFamilies: families })))).toMatchObject(
        { code: 'FAMILY_MEMBER_UNSEEN' },
      )
    }
  })

  test('and that is owed a debt is named with it, until another rotation paid', async () => {
    const owes = { facts: { lostClusters: [LOST] } }
    const knowing = { facts: overThree }
    const refused = await refusalOf(async () =>
      chooseClusters(
        seen([silent('ap-south-1')]),
        asking({ knownFamilies: await machineWith(owes, { facts: { plan: planOver(rosterOf(1, 1)) } }) }),
      ),
    )
    expect(refused.message).toContain(`says ${EARLIER}, which owes it the credential (the Region is gone)`)
    const paid = { ...owes, later: [{ type: 'cluster-settled', clusterId: C, by: EARLIER } as const] }
    const known = await machineWith(paid, knowing)
    const again = await refusalOf(() => chooseClusters(seen([silent('ap-south-1')]), asking({ knownFamilies: known })))
    expect(again.message).not.toContain('owes')
  })

  test('does not stop a repair, which says that it takes no part', async () => {
    const families = await machineWith({ facts: overThree })
    const { warnings, family } = chooseClusters(
      seen([silent('ap-south-1')]),
      asking({ knownFamilies: families, requireFamilyNamed: false }),
    )
    expect(warnings).toContain(
      `ap-south-1/${C} belongs to ${family} as well, says ${EARLIER}, and takes no part; ap-south-1 did not answer: no answer for 10 s`,
    )
  })

  test('on a plan file is advised on a new plan, because no flag can name it beside one', async () => {
    const families = await machineWith({ facts: overThree })
    const { suggestions } = await refusalOf(() =>
      chooseClusters(seen([silent('ap-south-1')]), asking({ knownFamilies: families, isPlanned: true })),
    )
    expect(suggestions[1]).toContain(`on a new plan (rotate plan): --leave-out ap-south-1/${C} --reason TEXT`)
  })
})

describe('a member of the family that only journals know', () => {
  test('whose Region was not asked has to be named as well', async () => {
    const families = await machineWith({ facts: overThree })
    const refused = await refusalOf(() =>
      chooseClusters(seen([], ['us-east-1', 'eu-west-1']), asking({ knownFamilies: families })),
    )
    expect(refused.code).toBe('FAMILY_MEMBER_UNSEEN')
    expect(refused.message).toContain('and was not seen: ap-south-1 was not asked')
    expect(refused.suggestions).toEqual([
      `--destination ap-south-1/${C}   to take it along`,
      '--region ap-south-1   to ask whether it can be left out',
    ])
  })

  test('whose profile was not asked has to be named by it, to be taken along, left out, or found to be gone', async () => {
    const byProfile = {
      ...overThree.plan,
      destinations: (overThree.plan?.destinations ?? []).map((one) => ({ ...one })),
    }
    const plan = { ...planOver(rosterOf(1, 2)), ...byProfile } as ReturnType<typeof planOver>
    const known = await machineWith({
      facts: {
        plan: {
          ...plan,
          destinations: plan.destinations.map((one) => (one.clusterId === C ? { ...one, profile: 'dr' } : one)),
        },
      },
    })
    const refused = await refusalOf(() => chooseClusters(seen([]), asking({ knownFamilies: known })))
    expect([refused.code, refused.message]).toEqual([
      'FAMILY_MEMBER_UNSEEN',
      expect.stringContaining('and was not seen: ap-south-1 was not asked by the profile dr'),
    ])
    const leaveOut = `dr:ap-south-1/${C}`
    expect(refused.suggestions).toEqual([
      `--destination ${leaveOut}   to take it along`,
      `--leave-out ${leaveOut} --reason TEXT   to ask by its profile, and to leave it out knowingly`,
    ])
    // As the advice has it asked, AWS does not list it there either.
    const discovery = seen([])
    const asked = [...discovery.asked, { region: LOST.region, profile: 'dr' }]
    const choice = chooseClusters({ ...discovery, asked }, asking({ knownFamilies: known, leaveOut: [ref(leaveOut)] }))
    expect([choice.leftOut, choice.leftOutUnseen]).toEqual([[], []])
  })

  test('counts where one rotation knows it beside a cluster, and another that beside one that is named', async () => {
    const other = { ...third, clusterId: 'cluster-ddddddddddd' as ClusterId }
    const over = (destination: typeof third, at: readonly ClusterId[], family: string): FactsGiven => {
      const roster = rosterOf(1, 1).map((entry, index) => ({ ...entry, clusterId: at[index] as ClusterId }))
      const plan = planOver(roster)
      return {
        plan: {
          ...plan,
          family,
          source: { ...plan.source, clusterId: at[0] as ClusterId },
          destinations: [destination],
        },
      }
    }
    const known = await machineWith(
      { facts: over(other, [A, other.clusterId], 'family-then') },
      { facts: over(third, [other.clusterId, C], 'family-since') },
    )
    const refused = await refusalOf(() =>
      chooseClusters(seen([silent('ap-south-1')]), asking({ knownFamilies: known })),
    )
    expect(refused.message).toContain(`ap-south-1/${C} belongs to`)
  })

  test('is gone where its Region answers without it, or where all of its HSMs were said to be gone', async () => {
    const families = await machineWith({ facts: overThree })
    expect(() => chooseClusters(seen([]), asking({ knownFamilies: families }))).not.toThrow()
    const gone = { type: 'hsm-gone', gone: { hsmId: hsm('c'), reason: 'deleted' } } as const
    const known = await machineWith({ facts: overThree }, { facts: overThree, later: [gone] })
    expect(() => chooseClusters(seen([silent('ap-south-1')]), asking({ knownFamilies: known }))).not.toThrow()
  })

  test('is one although AWS shows no lineage of it now', async () => {
    const known = await machineWith({ facts: overThree })
    const listed = seen([], undefined, true)
    expect(() => chooseClusters(listed, asking({}))).not.toThrow()
    expect(await refusalOf(() => chooseClusters(listed, asking({ knownFamilies: known })))).toMatchObject({
      code: 'FAMILY_MEMBER_NOT_NAMED',
      message: expect.stringContaining(`ap-south-1/${C} belongs to`),
    })
  })

  test('of another family stops nothing', async () => {
    const plan = planOver(rosterOf(1, 1))
    const strangers = ['x', 'y'].map((letter) => ({ ...third, clusterId: `cluster-${letter.repeat(11)}` as ClusterId }))
    const [source, destination] = strangers as [typeof third, typeof third]
    const known = await machineWith({
      facts: { plan: { ...plan, family: 'family-other', source, destinations: [destination] } },
    })
    expect(() => chooseClusters(seen([silent('ap-south-1')]), asking({ knownFamilies: known }))).not.toThrow()
  })
})

test('a Region that nobody knows a member in is in the answer, and stops nothing', () => {
  const choice = chooseClusters(seen([silent('sa-east-1'), silent('af-south-1', { kind: 'not-enabled' })]), asking({}))
  expect(choice.unseenRegions).toEqual([{ region: 'sa-east-1', profile: null, error: 'no answer for 10 s' }])
})
