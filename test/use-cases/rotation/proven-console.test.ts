import { describe, expect, test } from '@jest/globals'
import type { HsmConsole, HsmSession } from '../../../src/domain/hsm-console.js'
import type { ClusterId, HsmId } from '../../../src/domain/ids.js'
import type { SerialObservation } from '../../../src/domain/serial-numbers.js'
import { provenConsole } from '../../../src/use-cases/rotation/sessions/proven-console.js'
import { operatorErrorOf } from '../../helpers/errors.js'
import { hsm } from '../../helpers/rotation.js'

const [A, B] = ['cluster-aaaaaaaaaaa', 'cluster-bbbbbbbbbbb'] as [ClusterId, ClusterId]
const [a, b, c] = [hsm('a'), hsm('b'), hsm('c')]
const seen = (hsmIds: readonly HsmId[], serials: readonly string[], clusterId = A): SerialObservation => ({
  clusterId,
  hsmIds,
  serials,
})

/** Opens one session that shows these numbers, where others were known before. */
const opening = async (shown: readonly SerialObservation[], before: readonly SerialObservation[] = []) => {
  const known = [...before]
  const learned: SerialObservation[] = []
  const sessions = { closed: 0 }
  const session = {
    serials: shown,
    close: async () => {
      sessions.closed += 1
    },
  } as Partial<HsmSession> as HsmSession
  const console: HsmConsole = {
    utility: 'cloudhsm-cli',
    checkCopying: async () => undefined,
    open: async () => session,
  }
  const proven = provenConsole(console, {
    known: () => known,
    learn: async (one) => {
      known.push(one)
      learned.push(one)
    },
  })
  return { open: () => proven.open([]), learned, sessions, session }
}

describe('the serial numbers of a session', () => {
  test('are remembered when they are seen first', async () => {
    const first = seen([a, b], ['S1', 'S2'])
    const { open, learned, session } = await opening([first])
    expect([await open(), learned]).toEqual([session, [first]])
  })

  test('are not remembered twice, in whatever order they are shown', async () => {
    const { open, learned } = await opening([seen([b, a], ['S2', 'S1'])], [seen([a, b], ['S1', 'S2'])])
    await open()
    expect(learned).toEqual([])
  })

  test('of an HSM that answers alone are proved by what it showed with the others', async () => {
    const { open, learned } = await opening([seen([a], ['S2'])], [seen([a, b], ['S1', 'S2'])])
    await open()
    expect(learned).toEqual([seen([a], ['S2'])])
  })

  test('of an HSM that was away are proved by how many the others share', async () => {
    const before = [seen([a], ['S1'])]
    const { open, learned } = await opening([seen([a, b, c], ['S1', 'S2', 'S3'])], before)
    await open()
    expect(learned).toHaveLength(1)
  })

  test.each<[string, SerialObservation, SerialObservation]>([
    ['another HSM answers in the place of one', seen([a, b], ['S1', 'S9']), seen([a, b], ['S1', 'S2'])],
    ['another HSM answers in the place of a single one', seen([a], ['S9']), seen([a], ['S1'])],
    ['one of three was replaced', seen([a, b, c], ['S1', 'S2', 'S9']), seen([a, b, c], ['S1', 'S2', 'S3'])],
    ['two HSMs show one number', seen([b], ['S1']), seen([a], ['S1'])],
    ['an HSM that was added shows what another one showed', seen([a, c], ['S1', 'S2']), seen([a, b], ['S1', 'S2'])],
  ])('stop it before any login where %s', async (_words, shown, before) => {
    const { open, learned, sessions } = await opening([shown], [before])
    const error = await operatorErrorOf(open)
    expect([error.code, error.exitCode, learned, sessions.closed]).toEqual(['OTHER_SERIALS', 3, [], 1])
    expect(error.message).toContain('nothing was sent to them')
    expect(error.suggestions.join()).toContain(`--accept-new-serials ${A}`)
  })

  test('are those of its cluster alone', async () => {
    const { open, learned } = await opening([seen([c], ['S1'], B)], [seen([a], ['S1'], A)])
    await open()
    expect(learned).toHaveLength(1)
  })

  test('of several clusters are looked at one by one, and the first contradiction stops it', async () => {
    const shown = [seen([a], ['S1']), seen([c], ['S9'], B)]
    const { open, learned } = await opening(shown, [seen([c], ['S3'], B)])
    expect((await operatorErrorOf(open)).message).toContain(B)
    expect(learned).toEqual([seen([a], ['S1'])])
  })

  test('are none where each HSM is proved by its ID', async () => {
    const { open, learned, session } = await opening([])
    expect([await open(), learned]).toEqual([session, []])
  })
})
