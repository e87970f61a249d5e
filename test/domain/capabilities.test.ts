import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import type { HsmId, UnitId } from '../../src/domain/ids.js'
import type { PlannedUser, RotationPlan } from '../../src/domain/rotation/plan.js'
import { nameUnit, serversOf, unitsOf } from '../../src/domain/rotation/plan.js'
import {
  copiesImpossible,
  pointOfNoReturn,
  rehearsalOrigin,
  rehearsalWrites,
  wayBackInDoubt,
} from '../../src/domain/rotation/way-back.js'
import type { UtilityName } from '../../src/domain/utility/utility.js'
import { hsm, planOver, rosterOf } from '../helpers/rotation.js'

const SRC = join(fileURLToPath(import.meta.url), '../../../../src')
const [CLUSTER_A, CLUSTER_B] = ['cluster-aaaaaaaaaaa', 'cluster-bbbbbbbbbbb'] as [UnitId, UnitId]

describe('how far a write reaches', () => {
  test.each<[UtilityName, UnitId[]]>([
    ['cmu', [hsm('a'), hsm('b'), hsm('c')]],
    ['cloudhsm-cli', [CLUSTER_A, CLUSTER_B]],
  ])('by %s the units are %j', (utility, expected) => {
    expect(unitsOf(rosterOf(2, 1), utility).map(({ unitId }) => unitId)).toEqual(expected)
  })

  test('a unit is named with its Region, and an HSM with its cluster too', () => {
    const roster = rosterOf(2, 1)
    expect([nameUnit(roster, CLUSTER_A), nameUnit(roster, hsm('c'))]).toEqual([
      `${CLUSTER_A} (us-east-1)`,
      `${hsm('c')} (eu-west-1, ${CLUSTER_B})`,
    ])
    expect(serversOf(roster, CLUSTER_A).map(({ hsmId }): HsmId => hsmId)).toEqual([hsm('a'), hsm('b')])
  })
})

describe('what copies', () => {
  const plan = (utility: UtilityName, sources: number, destinations: number, more: Partial<RotationPlan> = {}) => ({
    ...planOver(rosterOf(sources, destinations), utility),
    ...more,
  })
  const twoIds = (utility: UtilityName) => {
    const base = plan(utility, 1, 1)
    return { ...base, users: base.users.map((user): PlannedUser => ({ ...user, userId: null, idsAgree: false })) }
  }

  test.each<[string, RotationPlan, string | null]>([
    ['syncUser between HSMs', plan('cmu', 1, 1), null],
    ['syncUser inside one cluster', plan('cmu', 2, 0), null],
    ['syncUser with one HSM', plan('cmu', 1, 0), 'there is only one HSM'],
    [
      'syncUser where a user has two IDs',
      twoIds('cmu'),
      'CU:app has different IDs on the HSMs, and a copy may match by ID',
    ],
    ['user replicate between clusters', plan('cloudhsm-cli', 2, 2), null],
    ['user replicate inside one cluster', plan('cloudhsm-cli', 3, 0), 'there is no copy inside one cluster'],
    ['user replicate where a user has two IDs', twoIds('cloudhsm-cli'), null],
  ])('%s', (_words, of, expected) => {
    expect(copiesImpossible(of)).toBe(expected)
    expect(rehearsalWrites(of) === null).toBe(expected !== null)
  })

  test('not between HSM types', () => {
    const base = plan('cloudhsm-cli', 1, 1)
    const [destination] = base.destinations
    const mixed = {
      ...base,
      destinations: destination === undefined ? [] : [{ ...destination, hsmType: 'hsm2m.medium' }],
    }
    expect(copiesImpossible(mixed)).toContain('different HSM types')
  })

  test('a rehearsal copies from a sibling of the canary where there is one that can be used', () => {
    const { parts } = plan('cmu', 2, 2)
    expect([rehearsalOrigin(plan('cmu', 2, 2)), parts.canary]).toEqual([hsm('d'), hsm('c')])
    expect(rehearsalOrigin(plan('cmu', 2, 2), (unitId) => unitId !== hsm('d'))).toBe(hsm('a'))
    expect(rehearsalOrigin(plan('cmu', 2, 1))).toBe(hsm('a'))
    expect(rehearsalOrigin(plan('cloudhsm-cli', 2, 2))).toBe(CLUSTER_A)
  })

  test('what nobody has documented is said before the question', () => {
    expect(wayBackInDoubt(plan('cloudhsm-cli', 2, 2), false)).toContain('AWS does not say whether user replicate')
    expect(wayBackInDoubt(plan('cloudhsm-cli', 2, 2), true)).toBeNull()
    expect(wayBackInDoubt(plan('cmu', 2, 2), false)).toBeNull()
  })
})

describe('the point of no return', () => {
  const of = (utility: UtilityName, sources: number, destinations: number, byCurrent = false) =>
    pointOfNoReturn(planOver(rosterOf(sources, destinations), utility), byCurrent)

  test('is none where a unit is left that holds the old credential, or the current one is proved', () => {
    expect([of('cmu', 2, 1), of('cmu', 3, 0), of('cmu', 1, 1, true), of('cloudhsm-cli', 2, 0, true)]).toEqual([
      null,
      null,
      null,
      null,
    ])
  })

  test('is the canary where there are only two units', () => {
    expect(of('cmu', 1, 1)).toContain('there are only two HSMs')
    expect(of('cmu', 2, 0)).toContain('there are only two HSMs')
    expect(of('cloudhsm-cli', 3, 3)).toContain('there are only two clusters')
  })

  test('is the first change where nothing can be copied', () => {
    expect(of('cmu', 1, 0)).toContain('there is only one HSM')
    expect(of('cloudhsm-cli', 3, 0)).toContain('there is no copy inside one cluster')
  })
})

test('the engine asks for no name of a utility', () => {
  const files = ['domain/rotation', 'use-cases/rotation'].flatMap((folder) =>
    readdirSync(join(SRC, folder), { withFileTypes: true, recursive: true }).flatMap((entry) =>
      entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
    ),
  )
  // A plan that was written to a file has to name one that there is.
  const naming = files.filter(
    (file) => !file.endsWith('plan-file.ts') && /'(cmu|cloudhsm-cli)'/.test(readFileSync(file, 'utf8')),
  )
  expect(files.length).toBeGreaterThan(40)
  expect(naming).toEqual([])
})
