import { setTimeout as sleep } from 'node:timers/promises'
import { isPassing, isThrottled, TimedOut } from './failure.js'
import type { CallLimits } from './limits.js'

/**
 * Sends until an attempt succeeds, fails for good, or time or attempts run out. The SDK's own retries are switched
 * off: the installed client sends one request more than it is told, does not retry an error page, and goes through
 * its pauses even when aborted.
 * @param send one request; the signal aborts it
 * @param deadlineAt `performance.now()` at which the place has had its time
 * @throws the last attempt's error, or {TimedOut}
 */
export const callWithRetry = async <T>(
  send: (signal: AbortSignal) => Promise<T>,
  limits: CallLimits,
  deadlineAt: number,
): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    const left = deadlineAt - performance.now()
    if (left <= 0) throw new TimedOut(`no complete answer within ${seconds(limits.placeMs)}`)
    try {
      return await within(Math.min(limits.callMs, left), send)
    } catch (error) {
      const pauseMs = limits.pauseMs * 2 ** (attempt - 1) * (isThrottled(error) ? 3 : 1) * (0.75 + Math.random() / 2)
      if (attempt >= limits.attempts || !isPassing(error) || performance.now() + pauseMs >= deadlineAt) throw error
      await sleep(pauseMs)
    }
  }
}

/** Aborts `send` after `ms` and does not wait for the abortion to be carried out. */
export const within = async <T>(ms: number, send: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new TimedOut(`no answer within ${seconds(ms)}`))
      controller.abort()
    }, ms)
  })
  const sent = send(controller.signal)
  // lost the race: its rejection is nobody's any more
  sent.catch(() => undefined)
  try {
    return await Promise.race([sent, tooLate])
  } finally {
    clearTimeout(timer)
  }
}

const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`
