import { expect, test } from '@jest/globals'
import { callWithRetry } from '../../../src/adapters/cloudhsm-api/call.js'

const limits = { attempts: 2, pauseMs: 1, callMs: 30_000, placeMs: 30_000, credentialsMs: 30_000 }
const deadline = () => performance.now() + limits.placeMs

/** As the SDK hands it on. */
const reset = () => Object.assign(new Error('socket hang up'), { name: 'TimeoutError', code: 'ECONNRESET' })

test('a connection that is reset is tried again, as often as is allowed', async () => {
  let sent = 0
  const once = async () => {
    sent += 1
    if (sent === 1) throw reset()
    return 'answer'
  }
  expect(await callWithRetry(once, limits, deadline())).toBe('answer')
  await expect(callWithRetry(() => Promise.reject(reset()), limits, deadline())).rejects.toThrow('socket hang up')
})
