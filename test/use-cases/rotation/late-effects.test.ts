import { expect, test } from '@jest/globals'
import type { RotationLedger } from '../../../src/domain/rotation/ledger.js'
import { capabilitiesOf } from '../../../src/domain/utility/capabilities.js'
import type { UtilityName } from '../../../src/domain/utility/utility.js'
import { outwaitLateEffects } from '../../../src/use-cases/rotation/survey/late-effects.js'
import { change, login, PROCESS } from '../../helpers/journal-lines.js'
import { hsm } from '../../helpers/rotation.js'

const COMMAND_MS = 30_000
const NOW = Date.parse('2026-03-01T12:00:00Z')

type Left = Pick<RotationLedger, 'unanswered' | 'capabilities'>

/** A rotation whose last command was sent `agoMs` before now and never answered. */
const unanswered = (utility: UtilityName, agoMs: number, intent = change(hsm('a'))): Left => ({
  capabilities: capabilitiesOf(utility),
  unanswered: [{ at: new Date(NOW - agoMs).toISOString(), intent, process: PROCESS }],
})

/** How long it waited in all, with a utility that would be gone by itself after `livesMs`. */
const waitedFor = async (ledger: Left, livesMs: number): Promise<{ readonly ms: number; readonly left: number }> => {
  let now = NOW
  const patience: number[] = []
  const leftovers = {
    end: async (_process: unknown, patienceMs: number) => {
      patience.push(patienceMs)
      now += Math.min(livesMs, patienceMs)
    },
  }
  const clock = {
    now: () => new Date(now),
    wait: async (ms: number) => {
      now += ms
    },
  }
  await outwaitLateEffects(ledger, leftovers, COMMAND_MS, clock, () => undefined)
  return { ms: now - NOW, left: patience[0] ?? 0 }
}

test('nothing is sent before the time of a command has passed since the last one that was never answered', async () => {
  expect((await waitedFor(unanswered('cmu', 10_000), 0)).ms).toBe(20_000)
  expect((await waitedFor(unanswered('cmu', 40_000), 0)).ms).toBe(0)
  expect((await waitedFor(unanswered('cmu', 10_000, login(hsm('a'))), 0)).ms).toBe(0)
})

test('cloudhsm_mgmt_util is ended at once, cloudhsm-cli is given the time of a command', async () => {
  expect((await waitedFor(unanswered('cmu', 40_000), 60_000)).left).toBe(0)
  expect((await waitedFor(unanswered('cloudhsm-cli', 40_000), 60_000)).left).toBe(COMMAND_MS)
})

test('a cloudhsm-cli that ended by itself is not waited for again; one that had to be ended is, from its end', async () => {
  expect((await waitedFor(unanswered('cloudhsm-cli', 40_000), 5_000)).ms).toBe(5_000)
  expect((await waitedFor(unanswered('cloudhsm-cli', 40_000), 60_000)).ms).toBe(2 * COMMAND_MS)
})
