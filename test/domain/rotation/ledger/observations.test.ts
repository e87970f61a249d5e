import { describe, expect, test } from '@jest/globals'
import type { HsmId } from '../../../../src/domain/ids.js'
import type { JournalEvent } from '../../../../src/domain/rotation/journal-entry.js'
import {
  AWS_AGREES,
  back,
  cellAfter,
  change,
  copy,
  DONE,
  type Line,
  ledgerAfter,
  listing,
  loggedIn,
  login,
  REFUSED,
  RESUMED,
} from '../../../helpers/journal-lines.js'
import { APP, hsm, rosterOf } from '../../../helpers/rotation.js'

const [a, b] = [hsm('a'), hsm('b')]
const gone = (hsmId: HsmId): JournalEvent => ({ type: 'unreachable', hsmId, reason: 'no route' })
const LOCKED = listing(a, { locked: [APP], failures: [[APP, 5]] })
const NEW: readonly Line[] = [
  [change(a), DONE],
  [login(a), DONE],
]

test('of a cluster some HSM of which does not answer, none is called unreachable, and none is in sight', () => {
  const perhaps: JournalEvent = { type: 'unreachable', hsmId: b, reason: 'not seen which', perhaps: true }
  expect(cellAfter(b, [perhaps])).toBe('unknown none')
  expect(cellAfter(a, [...NEW, { ...perhaps, hsmId: a }])).toContain('new')
  expect(ledgerAfter([perhaps]).isInSight(b)).toBe(false)
  expect(cellAfter(b, [perhaps, gone(b)])).toBe('unreachable none')
  expect(cellAfter(b, [perhaps, listing(b)])).toBe('old untouched')
})

describe('a user that is missing', () => {
  const missing = listing(b, { absent: [APP] })

  test('is absent as long as no newer listing shows it', () => {
    expect(cellAfter(b, [missing])).toBe('absent untouched')
    expect(cellAfter(b, [missing, listing(a)])).toBe('absent untouched')
  })

  test('and is there again has a password that nobody knows', () => {
    expect(cellAfter(b, [missing, listing(b)])).toBe('unknown none')
  })

  test('and is asked to log in was listed just before, and is there whatever it answers', () => {
    const asked = login(b, 'current')
    expect(cellAfter(b, [missing, [asked, REFUSED]])).toBe('unknown none')
    expect(cellAfter(b, [missing, [asked]])).toBe('unknown none')
    expect(cellAfter(b, [missing, [asked, DONE]])).toBe('old login-current')
  })

  test('and was gone again after it was proved is absent, and what it held is no proof any more', () => {
    const goneAgain = [...NEW, listing(a, { absent: [APP] })]
    expect(cellAfter(a, goneAgain)).toBe('absent none')
    expect(cellAfter(a, [...goneAgain, listing(a)])).toBe('unknown none')
  })

  test('is there once a copy is done, though somebody listed the HSM while it was under way', () => {
    const answered: JournalEvent = { type: 'answer', to: 3, answer: { kind: 'done' } }
    expect(cellAfter(b, [missing, [copy(a, b)], missing, answered])).toBe('unknown copy')
  })

  test('and refuses the password in the first login has been made meanwhile', () => {
    const refused = { kind: 'refused', reason: 'login-refused', text: 'no' } as const
    const seen = (
      reason: typeof refused | { readonly kind: 'refused'; readonly reason: 'no-such-user'; readonly text: string },
    ) => cellAfter(b, [], { observed: [missing, loggedIn(b, 'new', reason)] })
    expect(seen(refused)).toBe('unknown none')
    expect(seen({ ...refused, reason: 'no-such-user' })).toBe('absent untouched')
  })

  test('is remembered as missing when the HSM was met first, and not when it was missed later', () => {
    const first = (...lines: Line[]) => ledgerAfter(lines).missedFirst(APP, b)
    expect(first(missing)).toBe(true)
    expect(first(missing, [copy(a, b), DONE], listing(b))).toBe(true)
    expect(first(listing(b), missing)).toBe(false)
    expect(ledgerAfter([], { observed: [missing] }).missedFirst(APP, b)).toBe(true)
  })

  test('may be missing where it was once, also after a copy that was never answered', () => {
    const may = (...lines: Line[]) => ledgerAfter(lines).mayBeAbsent(APP, b)
    expect(may()).toBe(false)
    expect(may(missing, [copy(a, b)])).toBe(true)
    expect(may(listing(b), missing)).toBe(true)
    expect(may(listing(b), missing, listing(b))).toBe(false)
  })
})

describe('a user that some HSM of a cluster lacks', () => {
  test('may be missing on each of them, as long as no newer listing shows otherwise', () => {
    const may = (...lines: Line[]) => ledgerAfter(lines).mayBeAbsent(APP, b)
    const inPart = listing(b, { inPart: [APP] })
    expect([may(inPart), may(inPart, listing(b))]).toEqual([true, false])
    expect(cellAfter(b, [inPart])).toBe('unknown untouched')
    // What a login on the whole cluster proved is not so any more, until the next one.
    const proved = [[login(b), DONE]] as const
    expect(cellAfter(b, [...proved, inPart])).toBe('unknown none')
    expect(cellAfter(b, [inPart, ...proved])).toBe('new login-new')
  })

  test('and that is listed by all again was made meanwhile, with whatever password', () => {
    const inPart = listing(b, { inPart: [APP] })
    expect(cellAfter(b, [listing(b), inPart, listing(b)])).toBe('unknown none')
    expect(ledgerAfter([listing(b), inPart, listing(b)]).isOther(APP, b)).toBe(true)
    // Those that were told to make it are not asked whether it may be written.
    expect(ledgerAfter([inPart, listing(b)]).isOther(APP, b)).toBe(false)
    // A copy of ours has made it.
    expect(cellAfter(b, [inPart, [copy(a, b), DONE], [login(b), DONE], listing(b)])).toBe('new login-new')
  })

  test('and that has another ID than planned was made anew', () => {
    const anew = listing(b, { otherId: [APP] })
    expect(cellAfter(b, [listing(b), anew])).toBe('unknown none')
    expect(ledgerAfter([listing(b), anew]).isOther(APP, b)).toBe(true)
    expect(cellAfter(b, [listing(b), anew, [change(b), DONE], [login(b), DONE], anew])).toBe('new login-new')
    // Of one that was never met nobody knows which it had.
    expect(ledgerAfter([anew]).isOther(APP, b)).toBe(false)
  })
})

describe('a locked user', () => {
  test('is locked as long as no newer listing shows it otherwise', () => {
    expect(cellAfter(a, [LOCKED])).toBe('locked none')
    expect(cellAfter(a, [LOCKED, listing(b)])).toBe('locked none')
    expect(cellAfter(a, [LOCKED, RESUMED])).toBe('locked none')
  })

  test('that somebody unlocked has another password than the old one: only a change unlocks', () => {
    expect(cellAfter(a, [LOCKED, listing(a)])).toBe('unknown none')
    expect(cellAfter(a, [LOCKED, listing(a)], { observed: [loggedIn(a)] })).toBe('unknown none')
    const copiedBack: Line[] = [[change(a), DONE], back(), [copy(b, a, 'current'), DONE]]
    expect(cellAfter(a, [...copiedBack, LOCKED, listing(a)])).toBe('unknown none')
  })

  test('that we unlocked by a change holds what we gave it; whether a copy unlocks nobody knows', () => {
    const changedBack: Line[] = [[change(a), DONE], LOCKED, back('change'), [change(a, 'current'), DONE]]
    const proved: Line[] = [[login(a, 'current'), DONE], listing(a)]
    expect(cellAfter(a, [...changedBack, ...proved])).toBe('old login-current')
    const copiedBack: Line[] = [[change(a), DONE], LOCKED, back(), [copy(b, a, 'current'), DONE]]
    expect(cellAfter(a, [...copiedBack, listing(a)])).toBe('unknown none')
  })

  test('that was proved new and that somebody unlocked since may hold anything', () => {
    expect(cellAfter(a, [...NEW, LOCKED])).toBe('locked none')
    expect(cellAfter(a, [...NEW, LOCKED, listing(a)])).toBe('unknown none')
  })

  test('that somebody unlocked after a write of ours was refused may hold anything', () => {
    const inUse = { kind: 'refused', reason: 'user-logged-in', text: 'in use' } as const
    expect(cellAfter(a, [LOCKED, [change(a), inUse], listing(a)])).toBe('unknown none')
  })

  test('that somebody else has written stays so behind the lock', () => {
    const other: Line[] = [[login(a), REFUSED], [login(a, 'current'), REFUSED], LOCKED]
    expect(ledgerAfter(other).isOther(APP, a)).toBe(true)
    expect(cellAfter(a, [...other, listing(a)])).toBe('other none')
  })
})

describe('an HSM out of reach', () => {
  test('is unreachable until it is listed again, and holds then what it held', () => {
    expect(cellAfter(b, [gone(b)])).toBe('unreachable none')
    expect(cellAfter(b, [gone(b), listing(a)])).toBe('unreachable none')
    expect(cellAfter(b, [gone(b), listing(b)])).toBe('old untouched')
    expect(cellAfter(b, [gone(b)], { observed: [loggedIn(b)] })).toBe('unreachable none')
    expect(cellAfter(b, [gone(b), listing(b)], { observed: [loggedIn(b)] })).toBe('old login-current')
  })

  test('that was proved to hold the new credential still does', () => {
    expect(cellAfter(a, [...NEW, gone(a)])).toBe('new login-new')
  })

  test('that somebody else has written is still written by somebody else', () => {
    expect(cellAfter(a, [[login(a), REFUSED], [login(a, 'current'), REFUSED], gone(a)])).toBe('other none')
  })

  test('keeps being old in sight of a rollback', () => {
    expect(cellAfter(b, [back(), [copy(a, b, 'current'), DONE], gone(b)])).toBe('old copy')
    expect(cellAfter(b, [gone(b), back('none')])).toBe('old untouched')
    expect(cellAfter(a, [[change(a)], gone(a), back()])).toBe('unreachable none')
  })

  test('that no roster names is no cell, and nothing to stumble over', () => {
    const ledger = ledgerAfter([gone(hsm('z')), listing(hsm('z'), { absent: [APP] })])
    expect(ledger.cells().map(({ hsmId, state }) => [hsmId, state])).toEqual([
      [a, 'old'],
      [b, 'old'],
    ])
  })
})

describe('failed logins in a row', () => {
  const counted = { observed: [listing(a, { failures: [[APP, 1]] })] }
  const count = (...lines: Line[]) => ledgerAfter(lines, counted).failureCount(APP, a)

  test('are those of the last listing, and none where none was seen', () => {
    expect(count()).toBe(1)
    expect(count(listing(a, { failures: [[APP, 3]] }))).toBe(3)
    expect(count(listing(a))).toBe(0)
    expect(ledgerAfter([], counted).failureCount(APP, b)).toBeUndefined()
  })

  test('are unknown again once a listing shows no counts', () => {
    expect(count({ type: 'listed', hsms: [{ hsmId: a, counted: false }] })).toBeUndefined()
  })

  test('and those we made since, or may have made', () => {
    expect(count([login(a), REFUSED])).toBe(2)
    expect(count([login(a)])).toBe(2)
    expect(count([login(a), DONE])).toBe(1)
    expect(count([login(b), REFUSED])).toBe(1)
    expect(count([change(a), { kind: 'refused', reason: 'user-logged-in', text: 'in use' }])).toBe(1)
  })

  test('are what is listed once those of an earlier invocation can take effect no more', () => {
    expect(count([login(a)], RESUMED)).toBe(2)
    expect(count([login(a)], RESUMED, listing(a, { failures: [[APP, 2]] }))).toBe(2)
    expect(count([login(a)], RESUMED, listing(a, { failures: [[APP, 2]] }), [login(a)])).toBe(3)
  })
})

describe('attributes', () => {
  test('differ until a listing shows them as planned', () => {
    const words = (...lines: Line[]) => ledgerAfter(lines).different(APP, a)
    const differs = listing(a, { different: [[APP, 'ID 9, planned was 4']] })
    expect(words()).toBeNull()
    expect(words(differs)).toBe('ID 9, planned was 4')
    expect(words(differs, listing(b))).toBe('ID 9, planned was 4')
    expect(words(differs, listing(a))).toBeNull()
  })
})

describe('what was seen in this invocation', () => {
  test('is a listing, unless something was written there since', () => {
    const is = (...lines: Line[]) => ledgerAfter(lines).isListed(a)
    expect(is()).toBe(false)
    expect(is(listing(a))).toBe(true)
    expect(is(listing(a), RESUMED)).toBe(false)
    expect(is(listing(a), [change(a), DONE])).toBe(false)
    expect(is(listing(a), [login(a), DONE])).toBe(true)
    expect(is(listing(a), [change(b), DONE])).toBe(true)
  })

  test('is an answer of AWS, unless something was written since, or it differed', () => {
    const agrees = (...lines: Line[]) => ledgerAfter(lines).awsAgreesSince([a])
    expect(agrees()).toBe(false)
    expect(agrees(AWS_AGREES)).toBe(true)
    expect(agrees({ type: 'aws', differences: ['an HSM was added'] })).toBe(false)
    expect(agrees({ type: 'aws', differences: ['an HSM was added'] }, AWS_AGREES)).toBe(true)
    expect(agrees(AWS_AGREES, RESUMED)).toBe(false)
    expect(agrees(AWS_AGREES, [change(a), DONE])).toBe(false)
    expect(agrees(AWS_AGREES, [change(b), DONE])).toBe(true)
  })

  test('is a login, and not one of an earlier invocation', () => {
    const fresh = (...lines: Line[]) => ledgerAfter(lines).isFresh(APP, a)
    expect(fresh()).toBe(false)
    expect(fresh(...NEW)).toBe(true)
    expect(fresh(...NEW, RESUMED)).toBe(false)
    expect(fresh(...NEW, RESUMED, [login(a), DONE])).toBe(true)
  })
})

describe('serial numbers', () => {
  const seen = (clusterId: string, ...serials: string[]) => ({
    type: 'serials' as const,
    seen: { clusterId, hsmIds: [a], serials } as never,
  })
  const [ofA, ofB] = ['cluster-aaaaaaaaaaa', 'cluster-bbbbbbbbbbb']
  const known = (...lines: Line[]) =>
    ledgerAfter(lines, { observed: [seen(ofA, 'S1')] }).serials.map(({ clusterId, serials }) => [clusterId, ...serials])

  test('are all those that were ever seen, of earlier invocations too', () => {
    expect(known(seen(ofB, 'S2'), RESUMED, seen(ofA, 'S1', 'S3'))).toEqual([
      [ofA, 'S1'],
      [ofB, 'S2'],
      [ofA, 'S1', 'S3'],
    ])
  })

  test('are forgotten of a cluster whose new ones the operator accepts, and of no other', () => {
    const accepted = { type: 'accepted', what: 'new-serials', clusterId: ofA } as never
    expect(known(seen(ofB, 'S2'), accepted, seen(ofA, 'S9'))).toEqual([
      [ofB, 'S2'],
      [ofA, 'S9'],
    ])
  })
})

test('the newest verdict on copies counts', () => {
  const verdict = (...lines: Line[]) => ledgerAfter(lines, {}, rosterOf(2, 2)).copies?.verdict ?? null
  const says = (word: 'accepted' | 'overwrites'): Line => ({ type: 'copies', verdict: word, evidence: 'x' })
  expect([verdict(), verdict(says('accepted')), verdict(says('accepted'), says('overwrites'))]).toEqual([
    null,
    'accepted',
    'overwrites',
  ])
})
