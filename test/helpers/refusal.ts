import { expect } from '@jest/globals'
import type { Ended } from './lockstep.js'
import type { Workplace } from './workplace.js'

/** How a command is expected to be refused. */
export interface ExpectedRefusal {
  readonly exitCode: 2 | 3 | 5
  readonly code: string
  /** What the message has to name. */
  readonly naming?: string
}

/**
 * Runs something that must be refused: one error document and nothing else on stdout, no stack, no HSM changed, no
 * login counted as failed, no rotation begun and no store written.
 */
export const expectRefused = async (
  place: Workplace,
  act: () => Promise<Ended>,
  { exitCode, code, naming }: ExpectedRefusal,
): Promise<Ended> => {
  const before = await place.truth()
  const ended = await act()
  const { error, ...others } = ended.json
  // The message helps where another refusal came first.
  expect({ code: error?.code, exitCode: ended.exitCode, message: error?.message }).toEqual({
    code,
    exitCode,
    message: naming === undefined ? expect.any(String) : expect.stringContaining(naming),
  })
  expect(others).toEqual({})
  expect(Object.keys(error)).toEqual(['code', 'message', 'suggestions'])
  expect(error.suggestions).toEqual(expect.any(Array))
  expect(ended.stderr).not.toMatch(/^\s+at /m)
  expect(await place.truth()).toEqual(before)
  expect(await place.kept()).toEqual({ rotations: [], store: false, locks: [] })
  return ended
}
