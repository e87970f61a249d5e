import { describe, expect, test } from '@jest/globals'
import { refusal } from '../../../src/domain/errors.js'
import type { ClusterId } from '../../../src/domain/ids.js'
import { OfficerLogins } from '../../../src/use-cases/rotation/sessions/officer-logins.js'
import { hsm } from '../../helpers/rotation.js'

const OFFICER = {}
const on = (cluster: string, ...hsms: string[]) =>
  hsms.map((name) => ({ hsmId: hsm(name), clusterId: `cluster-${cluster.repeat(11)}` as ClusterId }))
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
  await logins.login(OFFICER, on('a', 'a'), fine, accepted)
  return logins
}

describe('logins of the officer', () => {
  test('before the first success, one HSM alone is asked', async () => {
    const logins = new OfficerLogins()
    const [one, two] = [pending(), pending()]
    const both = [
      logins.login(OFFICER, on('a', 'a'), fine, one.attempt),
      logins.login(OFFICER, on('a', 'b'), fine, two.attempt),
    ]
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
      logins.login(OFFICER, on('a', 'a', 'b'), fine, one.attempt),
      logins.login(OFFICER, on('a', 'c', 'b'), fine, same.attempt),
      logins.login(OFFICER, on('a', 'd'), fine, other.attempt),
    ]
    expect([await one.isBegun(), await same.isBegun(), await other.isBegun()]).toEqual([true, false, true])
    one.resolve(null)
    expect(await same.isBegun()).toBe(true)
    same.resolve(null)
    other.resolve(null)
    await Promise.all(all)
  })

  test('before the first success on another cluster, one HSM of it alone is asked', async () => {
    const logins = await acceptedOnce()
    const [one, two] = [pending(), pending()]
    const first = logins.login(OFFICER, on('b', 'c'), fine, one.attempt)
    const second = logins.login(OFFICER, on('b', 'd'), fine, two.attempt)
    expect([await one.isBegun(), await two.isBegun()]).toEqual([true, false])
    one.resolve(REFUSED)
    await expect(first).rejects.toBe(REFUSED)
    await expect(second).rejects.toBe(REFUSED)
    expect(await two.isBegun()).toBe(false)
  })

  test('another officer has a first login of its own, and goes on after a refusal that is not its own', async () => {
    const logins = await acceptedOnce()
    const other = {}
    const [one, two] = [pending(), pending()]
    const first = logins.login(other, on('b', 'c'), fine, one.attempt)
    const second = logins.login(other, on('b', 'd'), fine, two.attempt)
    expect([await one.isBegun(), await two.isBegun()]).toEqual([true, false])
    one.resolve(REFUSED)
    await expect(first).rejects.toBe(REFUSED)
    await expect(second).rejects.toBe(REFUSED)
    await logins.login(OFFICER, on('a', 'b'), fine, accepted)
  })

  test('a refusal on one HSM is told to everybody who waits or comes later', async () => {
    const logins = await acceptedOnce()
    const [one, waiting, later] = [pending(), pending(), pending()]
    const first = logins.login(OFFICER, on('a', 'a'), fine, one.attempt)
    const second = logins.login(OFFICER, on('a', 'a', 'b'), fine, waiting.attempt)
    one.resolve(REFUSED)
    await expect(first).rejects.toBe(REFUSED)
    await expect(second).rejects.toBe(REFUSED)
    await expect(logins.login(OFFICER, on('a', 'c'), fine, later.attempt)).rejects.toBe(REFUSED)
    expect([await waiting.isBegun(), await later.isBegun()]).toEqual([false, false])
  })

  test('one that broke leaves other HSMs alone, and its own are named to whoever comes next', async () => {
    const logins = await acceptedOnce()
    const one = pending()
    const broken = logins.login(OFFICER, on('a', 'a', 'b'), fine, one.attempt)
    one.reject(new Error('silent'))
    await expect(broken).rejects.toThrow('silent')
    const named: string[][] = []
    const look = async (unanswered: readonly string[]) => {
      named.push([...unanswered])
    }
    await logins.login(OFFICER, on('a', 'c'), look, accepted)
    await logins.login(OFFICER, on('a', 'b'), look, accepted)
    await logins.login(OFFICER, on('a', 'b'), look, accepted)
    expect(named).toEqual([[], [hsm('b')], []])
  })

  test('a check that forbids the login is no login', async () => {
    const logins = await acceptedOnce()
    const forbid = async () => {
      throw new Error('near its lock-out')
    }
    await expect(logins.login(OFFICER, on('a', 'a'), forbid, accepted)).rejects.toThrow('near its lock-out')
    await logins.login(OFFICER, on('a', 'a'), async (unanswered) => expect(unanswered).toEqual([]), accepted)
  })
})
