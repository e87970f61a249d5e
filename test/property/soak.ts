import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import type { UtilityName } from '../../src/domain/utility/utility.js'
import { MAX_SEED, UTILITIES, utilityFrom } from './replay.js'
import { survey } from './survey.js'
import { tryStories } from './try-stories.js'

// `npm run soak [-- options]`: stories nobody has seen yet, of both utilities in turn, for ten minutes.
//
//   --utility NAME      one of the two
//   --minutes N         for so long
//   --cases N           so many
//   --seed N            those of this seed; the first 500, unless it is said how many
//   --path PATH         the one at that place of the seed alone
//   --survey            goes on behind one that went wrong, and counts in how many ways they do
//   --as-it-is          makes none of them smaller

/** So many stories to a seed: a report comes early, and a seed alone is worth telling again. */
const ROUND = 500

const number = (text: string | undefined, flag: string): number | null => {
  if (text === undefined) return null
  const value = Number(text)
  if (Number.isFinite(value) && value > 0) return value
  throw new Error(`${flag} ${text} is not a number above 0`)
}

const soak = async (): Promise<number> => {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const { values } = parseArgs({
    options: { minutes: text, cases: text, utility: text, seed: text, path: text, survey: flag, 'as-it-is': flag },
  })
  const utilities = values.utility === undefined ? UTILITIES : [utilityFrom(values.utility)]
  const most = number(values.cases, '--cases')
  const minutes = number(values.minutes, '--minutes') ?? (most === null ? 10 : null)
  const end = minutes === null ? Number.POSITIVE_INFINITY : Date.now() + minutes * 60_000
  const { path } = values
  const given = number(values.seed, '--seed')
  if (values.survey === true) return surveyAll(utilities, given ?? randomInt(MAX_SEED), most ?? ROUND)
  const asItIs = values['as-it-is'] === true
  const began = Date.now()
  const told = new Map(utilities.map((utility) => [utility, 0]))
  let all = 0
  for (let round = 0; all < (most ?? Number.POSITIVE_INFINITY) && Date.now() < end; round += 1) {
    const utility = utilities[round % utilities.length] ?? 'cmu'
    const seed = given ?? randomInt(MAX_SEED)
    const left = (most ?? Number.POSITIVE_INFINITY) - all
    const cases = path !== undefined ? 1 : given !== null && most !== null ? most : Math.min(ROUND, left)
    const withinMs = Math.min(end - Date.now(), 2 ** 31 - 1)
    const tried = await tryStories({ utility, seed, cases, path, asItIs, withinMs })
    all += tried.cases
    told.set(utility, (told.get(utility) ?? 0) + tried.cases)
    if (tried.failure !== null) {
      process.stdout.write(`${tried.failure}\n`)
      return 1
    }
    const seconds = Math.round((Date.now() - began) / 1000)
    process.stderr.write(`${all} stories after ${seconds} s (${utility}, seed ${seed})\n`)
    if (given !== null) break
  }
  const each = [...told].map(([utility, count]) => `${count} of ${utility}`).join(', ')
  process.stdout.write(`${all} stories (${each}), none went wrong\n`)
  return 0
}

const surveyAll = async (utilities: readonly UtilityName[], seed: number, cases: number): Promise<number> => {
  let wrong = 0
  for (const utility of utilities) {
    for (const { words, count, path } of await survey(utility, seed, cases)) {
      wrong += count
      const again = `npm run soak -- --utility ${utility} --seed ${seed} --path ${path}`
      process.stdout.write(`${count} of ${cases} by ${utility}: ${words}\n    ${again}\n`)
    }
  }
  return wrong === 0 ? 0 : 1
}

process.exitCode = await soak()
