import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { MAX_SEED, replayFrom } from './replay.js'
import { tryStories } from './try-stories.js'

// `npm run soak [-- --minutes N | --cases N]`: stories nobody has seen yet, for ten minutes unless told otherwise. With
// LOCKSTEP_SEED (and LOCKSTEP_PATH) in the environment the stories of that seed (or the one at that place) instead.

/** So many stories to a seed: a report comes early, and a seed alone is worth telling again. */
const ROUND = 1_000

const number = (text: string | undefined, flag: string): number | null => {
  if (text === undefined) return null
  const value = Number(text)
  if (Number.isFinite(value) && value > 0) return value
  throw new Error(`${flag} ${text} is not a number above 0`)
}

const soak = async (): Promise<number> => {
  const { values } = parseArgs({ options: { minutes: { type: 'string' }, cases: { type: 'string' } } })
  const most = number(values.cases, '--cases')
  const minutes = number(values.minutes, '--minutes') ?? (most === null ? 10 : null)
  const end = minutes === null ? Number.POSITIVE_INFINITY : Date.now() + minutes * 60_000
  const replay = replayFrom(process.env)
  const began = Date.now()
  let told = 0
  while (told < (most ?? Number.POSITIVE_INFINITY) && Date.now() < end) {
    const seed = replay?.seed ?? randomInt(MAX_SEED)
    const cases = replay?.path === undefined ? Math.min(ROUND, (most ?? told + ROUND) - told) : 1
    const withinMs = Math.min(end - Date.now(), 2 ** 31 - 1)
    const tried = await tryStories({ seed, cases, path: replay?.path, withinMs })
    told += tried.cases
    if (tried.failure !== null) {
      process.stdout.write(`${tried.failure}\n`)
      return 1
    }
    process.stderr.write(`${told} stories after ${Math.round((Date.now() - began) / 1000)} s (seed ${seed})\n`)
    if (replay !== null) break
  }
  process.stdout.write(`${told} stories, none went wrong\n`)
  return 0
}

process.exitCode = await soak()
