import { expect, test } from '@jest/globals'
import { UTILITIES } from './replay.js'
import { runProgram } from './run-program.js'

// A part of npm run small-scope: one fault on two HSMs, where copies overwrite and where they refuse.
const READINGS = ['overwrite, current unknown', 'refuse, current given']

test.each(UTILITIES.flatMap((utility) => READINGS.map((reading) => [utility, reading] as const)))(
  'whatever goes wrong once by %s, %s: it ends closed and true',
  async (utility, reading) => {
    const only = ['--utility', utility, '--only', `1+1, ${reading}`]

    const { exitCode, stdout } = await runProgram('small-scope-runner', [...only, '--share', '0/60'])

    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^\d{3,} cases, \d+ ends, 0 wrong$/m)])
  },
  60_000,
)
