import { describe, expect, test } from '@jest/globals'
import { change, copies, copy, DONE, FIRST_PROVED, type Line, listing, login } from '../../helpers/journal-lines.js'
import { APP, hsm } from '../../helpers/rotation.js'
import { keepPending, placeOf } from '../../helpers/run-bench.js'
import { takeUp } from '../../helpers/taken-up.js'

// A user that somebody deletes on an HSM in the middle of a rotation. HSM a is the first one, d the restore point.

const [a, b, c, d] = [hsm('a'), hsm('b'), hsm('c'), hsm('d')]
const MET = { observed: [a, b, c, d].map((hsmId) => listing(hsmId)) }
const COPIED: readonly Line[] = [
  [copy(a, c), DONE],
  [login(c), DONE],
  copies('overwrites'),
  { type: 'propagation', method: 'sync', evidence: 'seen' },
]

describe('on the restore point', () => {
  const deleted = async () => {
    const place = placeOf({ lines: FIRST_PROVED, facts: MET, fleet: (its) => its.give(a, 'new') })
    await keepPending(place)
    expect((await takeUp(place, 'resume', { options: { pauseBefore: 'verify' } })).ended).toBe('PAUSED_AS_ASKED 4')
    place.fleet.remove(d)
    return place
  }

  test('pauses and names what copies it there, which it does', async () => {
    const place = await deleted()
    for (const _time of [1, 2]) {
      const { ended, suggestions } = await takeUp(place, 'resume')
      expect([ended, suggestions[0]]).toEqual(['USER_MISSING 4', 'add --create-missing to copy the user there'])
    }
    expect((await takeUp(place, 'resume', { options: { createMissing: true } })).ended).toBe('completed 0')
    expect(place.fleet.holds()).toBe('a new, b new, c new, d new')
  })

  test('that got another ID, as its advice says', async () => {
    const place = await deleted()
    const was = place.fleet.user(b)
    place.fleet.at(d).hsm.put({ ...was, id: 9 })
    const { ended, suggestions } = await takeUp(place, 'resume')
    expect([ended, suggestions.join()]).toEqual(['ATTRIBUTES_DIFFER 4', expect.stringContaining('--create-missing')])
    place.fleet.remove(d)
    expect((await takeUp(place, 'resume', { options: { createMissing: true } })).ended).toBe('completed 0')
    expect(place.fleet.holds()).toBe('a new, b new, c new, d new')
  })
})

describe('on the first one', () => {
  test('is copied back from where the new credential is', async () => {
    const place = placeOf({
      lines: [...FIRST_PROVED, ...COPIED],
      facts: MET,
      fleet: (its) => {
        its.give(c, 'new')
        its.remove(a)
      },
    })
    await keepPending(place)
    expect((await takeUp(place, 'resume', { options: { createMissing: true } })).ended).toBe('completed 0')
    expect(place.fleet.holds()).toBe('a new, b new, c new, d new')
  })

  test('while nothing else holds the new credential pauses and says who makes it', async () => {
    const place = placeOf({ lines: FIRST_PROVED, facts: MET, fleet: (its) => its.give(a, 'new') })
    await keepPending(place)
    const was = place.fleet.user(a)
    place.fleet.remove(a)
    const { ended, suggestions } = await takeUp(place, 'resume')
    expect([ended, suggestions[0]]).toEqual(['USER_MISSING 4', expect.stringContaining('an officer makes it there')])
    place.fleet.at(a).hsm.put(was)
    place.fleet.give(a, 'other')
    expect((await takeUp(place, 'resume', { options: { overwriteOther: true } })).ended).toBe('completed 0')
    expect(place.fleet.holds()).toBe('a new, b new, c new, d new')
  })
})

describe('on one HSM of the first cluster, by cloudhsm-cli', () => {
  const AB = [a, b]
  const lines: readonly Line[] = [
    { type: 'store', act: 'put-pending', phase: 'read-back' },
    [change(AB), DONE],
    [login(AB), DONE],
  ]
  const deleted = async (more: readonly Line[] = []) => {
    const place = placeOf({
      utility: 'cloudhsm-cli',
      hsms: [2, 1],
      lines: [...lines, ...more],
      facts: { observed: [a, b, c].map((hsmId) => listing(hsmId)), acceptedNoWayBack: true },
      fleet: (its) => {
        for (const hsmId of AB) its.give(hsmId, 'new')
      },
    })
    await keepPending(place)
    place.fleet.remove(b)
    return place
  }

  test('is said, and no password is called refused', async () => {
    const place = await deleted()
    const { ended, message, rotation } = await takeUp(place, 'resume')
    expect([ended, message]).toEqual(['USER_MISSING 4', expect.stringContaining('does not exist on every HSM of')])
    expect(rotation?.cells.map(({ state }) => state)).toEqual(['unknown', 'unknown', 'old'])
    expect(place.fleet.user(a).failures).toBe(0)
  })

  test('is copied back from where the new credential is', async () => {
    const place = await deleted([
      [change(c), DONE],
      [login(c), DONE],
    ])
    place.fleet.give(c, 'new')
    expect((await takeUp(place, 'resume')).ended).toBe('completed 0')
    expect(place.fleet.holds()).toBe('a new, b new, c new')
  })
})

test('is not called as it was before by a rollback after a lost journal', async () => {
  const place = placeOf({
    facts: { recovered: true, observed: [listing(a, { absent: [APP] }), ...[b, c, d].map((hsmId) => listing(hsmId))] },
    lines: [b, c, d].flatMap((hsmId): readonly Line[] => [[login(hsmId, 'current'), DONE]]),
    fleet: (its) => its.remove(a),
  })
  await keepPending(place, true)
  const { ended, rotation } = await takeUp(place, 'rollback')
  expect([ended, rotation?.withoutProof.map(({ hsmId }) => hsmId)]).toEqual(['rolled-back 6', [a]])
  expect(rotation?.cells[0]).toMatchObject({ state: 'absent', proof: 'none' })
})
