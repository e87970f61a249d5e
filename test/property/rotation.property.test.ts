import { expect, test } from '@jest/globals'
import { replayFrom, UTILITIES } from './replay.js'
import { tryStories } from './try-stories.js'

const replay = replayFrom(process.env)

// The same stories every time, so that a change is judged by what it changes. npm run soak tells new ones.
const TRIALS = UTILITIES.map((utility) => ({
  utility,
  name: 'the same stories every time',
  seed: 20_260_301,
  cases: 1_000,
}))

test.each(
  replay === null ? TRIALS : [{ name: 'the story that was asked for', cases: 1, ...replay }],
)('whatever goes wrong, a rotation by $utility keeps its promises: $name', async (trial) => {
  const { failure } = await tryStories(trial)
  expect(failure).toBeNull()
}, 300_000)
