import { describe, expect, test } from '@jest/globals'
import { refusal } from '../../../src/domain/errors.js'
import { OfficerLogins } from '../../../src/use-cases/rotation/officer-logins.js'
import { hsm } from '../../helpers/rotation.js'

const [a, b, c] = [hsm('a'), hsm('b'), hsm('c')]
const REFUSED = refusal('OFFICER_REFUSED', 'no')
const fine = async () => {}
const accepted = async () => null

/** A login whose end the test decides. */
const pending = () => {
  let begun = false
  let resolve: (refusal: typeof REFUSED | null) => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<typeof REFUSED | null>((settle, fail) => {
    resolve = settle
    reject = fail
  })
  return {
    attempt: () => {
      begun = true
      return promise
    },
    isBegun: async () => {
      await new Promise((next) => setImmediate(next))
      return begun
    },
    resolve,
    reject,
  }
}

const acceptedOnce = async (): Promise<OfficerLogins> => {
  const logins = new OfficerLogins()
  await logins.login([a], fine, accepted)
  return logins
}

describe('logins of the officer', () => {
  test('before the first success, one HSM alone is asked', async () => {
    const logins = new OfficerLogins()
    const [one, two] = [pending(), pending()]
    const both = [logins.login([a], fine, one.attempt), logins.login([b], fine, two.attempt)]
    expect([await one.isBegun(), await two.isBegun()]).toEqual([true, false])
    one.resolve(null)
    expect(await two.isBegun()).toBe(true)
    two.resolve(null)
    await Promise.all(both)
  })

  test('afterwards those on the same HSM wait for each other, and others do not', async () => {
    const logins = await acceptedOnce()
    const [one, same, other] = [pending(), pending(), pending()]
    const all = [
      logins.login([a, b], fine, one.attempt),
      logins.login([c, b], fine, same.attempt),
      logins.login([hsm('d')], fine, other.attempt),
    ]
    expect([await one.isBegun(), await same.isBegun(), await other.isBegun()]).toEqual([true, false, true])
    one.resolve(null)
    expect(await same.isBegun()).toBe(true)
    same.resolve(null)
    other.resolve(null)
    await Promise.all(all)
  })

  test('a refusal on one HSM is told to everybody who waits or comes later', async () => {
    const logins = await acceptedOnce()
    const [one, waiting, later] = [pending(), pending(), pending()]
    const first = logins.login([a], fine, one.attempt)
    const second = logins.login([a, b], fine, waiting.attempt)
    one.resolve(REFUSED)
    await expect(first).rejects.toBe(REFUSED)
    await expect(second).rejects.toBe(REFUSED)
    await expect(logins.login([c], fine, later.attempt)).rejects.toBe(REFUSED)
    expect([await waiting.isBegun(), await later.isBegun()]).toEqual([false, false])
  })

  test('one that broke leaves other HSMs alone, and its own are named to whoever comes next', async () => {
    const logins = await acceptedOnce()
    const one = pending()
    const broken = logins.login([a, b], fine, one.attempt)
    one.reject(new Error('silent'))
    await expect(broken).rejects.toThrow('silent')
    const named: string[][] = []
    const look = async (unanswered: readonly string[]) => {
      named.push([...unanswered])
    }
    await logins.login([c], look, accepted)
    await logins.login([b], look, accepted)
    await logins.login([b], look, accepted)
    expect(named).toEqual([[], [b], []])
  })

  test('a check that forbids the login is no login', async () => {
    const logins = await acceptedOnce()
    const forbid = async () => {
      throw new Error('near its lock-out')
    }
    await expect(logins.login([a], forbid, accepted)).rejects.toThrow('near its lock-out')
    await logins.login([a], async (unanswered) => expect(unanswered).toEqual([]), accepted)
  })
})
