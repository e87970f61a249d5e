import { describe, expect, test } from '@jest/globals'
import { ConsoleFailure, type HsmConsole, type HsmSession } from '../../../src/domain/hsm-console.js'
import { inTwoConversations } from '../../../src/use-cases/rotation/sessions/in-session.js'
import { limitSessions } from '../../../src/use-cases/rotation/sessions/session-limit.js'

/** Counts open sessions; nothing else of them is used here. */
const countingConsole = (): HsmConsole & { openNow: number; most: number } => ({
  utility: 'cmu' as const,
  checkCopying: async () => undefined,
  openNow: 0,
  most: 0,
  async open() {
    this.openNow += 1
    this.most = Math.max(this.most, this.openNow)
    return {
      close: async () => {
        this.openNow -= 1
      },
    } as HsmSession
  },
})

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('sessions at once', () => {
  test('no more are open than allowed, and everybody gets a turn', async () => {
    const console = countingConsole()
    const limited = limitSessions(console, 2)
    let done = 0
    await Promise.all(
      Array.from({ length: 7 }, async () => {
        const session = await limited.open([])
        await nextTurn()
        await session.close()
        done += 1
      }),
    )
    expect([console.most, console.openNow, done]).toEqual([2, 0, 7])
  })

  test('a session that cannot be opened takes no place', async () => {
    const working = countingConsole()
    let fails = true
    const limited = limitSessions(
      {
        utility: 'cmu',
        checkCopying: async () => undefined,
        open: async (servers) => {
          if (fails) throw new ConsoleFailure('unreachable', 'nobody there', [])
          return working.open(servers)
        },
      },
      1,
    )
    await expect(limited.open([])).rejects.toThrow('nobody there')
    fails = false
    await expect(limited.open([])).resolves.toBeDefined()
  })
})

describe('two conversations', () => {
  test.each([
    [1, [1]],
    [7, [7]],
    [8, [4, 4]],
    [9, [5, 4]],
  ])('%d users are shared out as %j', async (count, expected) => {
    const users = Array.from({ length: count }, (_, index) => index)
    const shares = await inTwoConversations(users, async (share) => share)
    expect(shares.map((share) => share.length)).toEqual(expected)
    expect(shares.flat()).toEqual(users)
  })

  test('a failure is reported once the other conversation has ended', async () => {
    let otherEnded = false
    const work = async ([first]: readonly number[]): Promise<void> => {
      if (first === 0) throw new Error('refused')
      await nextTurn()
      otherEnded = true
    }
    await expect(inTwoConversations([0, 1, 2, 3, 4, 5, 6, 7], work)).rejects.toThrow('refused')
    expect(otherEnded).toBe(true)
  })
})
