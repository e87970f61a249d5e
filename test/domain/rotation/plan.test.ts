import { describe, expect, test } from '@jest/globals'
import type { UnitId } from '../../../src/domain/ids.js'
import { assignParts } from '../../../src/domain/rotation/plan.js'
import { parsePlanFile } from '../../../src/domain/rotation/plan-file.js'
import { hsm, planOver, rosterOf } from '../../helpers/rotation.js'

describe('the parts of the HSMs', () => {
  test('three and two: first, canary, siblings in a wave, the last destination as restore point', () => {
    expect(assignParts(rosterOf(3, 2), 'cmu')).toEqual({
      first: hsm('a'),
      canary: hsm('d'),
      restorePoint: hsm('e'),
      waves: [{ name: 'siblings in cluster-aaaaaaaaaaa', units: [hsm('b'), hsm('c')] }],
    })
  })

  test('with one destination HSM the last sibling is the restore point', () => {
    expect(assignParts(rosterOf(2, 1), 'cmu')).toMatchObject({ canary: hsm('c'), restorePoint: hsm('b'), waves: [] })
  })

  test('with two HSMs the canary is the restore point', () => {
    expect(assignParts(rosterOf(1, 1), 'cmu')).toMatchObject({
      first: hsm('a'),
      canary: hsm('b'),
      restorePoint: hsm('b'),
    })
  })

  test('every HSM has exactly one part', () => {
    for (const [sources, destinations] of [
      [1, 4],
      [4, 1],
      [5, 6],
    ] as const) {
      const roster = rosterOf(sources, destinations)
      const { first, canary, restorePoint, waves } = assignParts(roster, 'cmu')
      const parts = [first, canary, restorePoint, ...waves.flatMap((wave) => wave.units)].sort()
      expect(parts).toEqual(roster.map((entry) => entry.hsmId).sort())
    }
  })

  test('in a single cluster a sibling is the canary, and the last one the restore point', () => {
    const [a, b, c] = [hsm('a'), hsm('b'), hsm('c')]
    expect(assignParts(rosterOf(3, 0), 'cmu')).toEqual({ first: a, canary: b, restorePoint: c, waves: [] })
    expect(assignParts(rosterOf(2, 0), 'cmu')).toEqual({ first: a, canary: b, restorePoint: b, waves: [] })
  })

  test('a single HSM has every part, and so has a single cluster that is written as a whole', () => {
    const whole = (unitId: UnitId) => ({ first: unitId, canary: unitId, restorePoint: unitId, waves: [] })
    expect(assignParts(rosterOf(1, 0), 'cmu')).toEqual(whole(hsm('a')))
    expect(assignParts(rosterOf(3, 0), 'cloudhsm-cli')).toEqual(whole('cluster-aaaaaaaaaaa' as UnitId))
  })

  test('a source without an HSM is refused', () => {
    expect(() => assignParts(rosterOf(0, 2), 'cmu')).toThrow('a rotation needs one ACTIVE HSM in the source cluster')
  })
})

describe('a plan file', () => {
  const file = { version: 1, createdAt: '2026-03-01T03:15:00.000Z', plan: planOver(rosterOf(2, 2)) }

  test('is read back as it was written', () => {
    expect(parsePlanFile(JSON.stringify(file), 'plan.json')).toEqual(file)
  })

  test('over a single cluster is read back too, down to one HSM', () => {
    const alone = { ...file, plan: { ...planOver(rosterOf(1, 0)), destinations: [] } }
    expect(parsePlanFile(JSON.stringify(alone), 'plan.json')).toEqual(alone)
  })

  test.each([
    ['no JSON', '{', 'the plan plan.json is not JSON'],
    ['another version', JSON.stringify({ ...file, version: 2 }), 'the plan plan.json is malformed at version'],
    [
      'a wrong HSM ID',
      JSON.stringify({ ...file, plan: { ...file.plan, parts: { ...file.plan.parts, canary: 'x' } } }),
      'the plan plan.json is malformed at plan.parts.canary: is neither an HSM ID nor a cluster ID',
    ],
    ['no users', JSON.stringify({ ...file, plan: { ...file.plan, users: [] } }), 'malformed at plan.users'],
  ])('with %s is refused, naming the place', (_, text, message) => {
    expect(() => parsePlanFile(text, 'plan.json')).toThrow(message)
  })
})
