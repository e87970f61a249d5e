import { expect, test } from '@jest/globals'
import { UTILITIES } from './replay.js'
import { runProgram } from './run-program.js'

// The same stories every time, so that a change is judged by what it changes. npm run soak tells new ones.
const SEED = 20_260_301
const CASES = 1_000

test.each(UTILITIES)('whatever goes wrong, a rotation by %s keeps its promises', async (utility) => {
  const ended = await runProgram('soak', ['--utility', utility, '--seed', `${SEED}`, '--cases', `${CASES}`])

  expect(ended).toEqual({ exitCode: 0, stdout: expect.stringContaining(`${CASES} stories (${CASES} of ${utility})`) })
}, 300_000)
