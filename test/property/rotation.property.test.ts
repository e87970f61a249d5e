import { randomInt } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { MAX_SEED, replayFrom, UTILITIES } from './replay.js'
import { tryStories } from './try-stories.js'

const replay = replayFrom(process.env)
const fresh = randomInt(MAX_SEED)

// The same stories every time, and some that nobody has seen yet. npm run soak tells many more.
const TRIALS = UTILITIES.flatMap((utility) => [
  { utility, name: 'the same stories every time', seed: 20_260_301, cases: 1_000 },
  { utility, name: `new stories, LOCKSTEP_SEED=${fresh}`, seed: fresh, cases: 250, withinMs: 10_000 },
])

test.each(
  replay === null ? TRIALS : [{ name: 'the story that was asked for', cases: 1, ...replay }],
)('whatever goes wrong, a rotation by $utility keeps its promises: $name', async (trial) => {
  const { failure } = await tryStories(trial)
  expect(failure).toBeNull()
}, 300_000)
