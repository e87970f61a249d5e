import { expect, test } from '@jest/globals'
import { UTILITIES } from './replay.js'
import { singles, tellCases } from './small-scope.js'
import { settingsOf } from './small-settings.js'

// A part of npm run small-scope: one fault on two HSMs, where copies overwrite and where they refuse.
const READINGS = ['overwrite, current unknown', 'refuse, current given']

const SETTINGS = UTILITIES.flatMap((utility) =>
  settingsOf(utility, [1, 1], false).filter(({ name }) => READINGS.some((reading) => name.endsWith(reading))),
)

test.each(SETTINGS)('whatever goes wrong once, $name ends closed and true', async (setting) => {
  const { cases, kinds } = await tellCases(singles(setting, { part: 0, of: 25 }))
  expect(cases).toBeGreaterThan(100)
  expect([...kinds.values()].map(({ first }) => first)).toEqual([])
}, 60_000)
