import { parseArgs } from 'node:util'
import type { UtilityName } from '../../src/domain/utility/utility.js'
import { UTILITIES, utilityFrom } from './replay.js'
import { inWords } from './report.js'
import { pairs, type Share, singles, tellCases } from './small-scope.js'
import { type Setting, settingsOf } from './small-settings.js'
import type { Story } from './story-arbitrary.js'
import { tellStory } from './tell-story.js'

// `npm run small-scope [-- options]`: every single fault at every call of a start in the smallest fleets, under every
// reading, with each thing that an operator can do then.
//
//   --pairs             every two faults instead, for two HSMs under the usual reading
//   --whole             every reading with every other one, not each by itself: takes days
//   --utility NAME      one of the two
//   --only WORDS        settings whose name contains these words
//   --share K/N         every N-th (first) fault from the K-th on: for N processes side by side, or for a quick look
//   --examples          the first case of everything that is wrong, not of one thing alone
//   --story JSON        one case alone, as it was printed

/** HSMs of each cluster. */
const SIZES = [[1], [1, 1], [1, 2]] as const

const shareIn = (text: string): Share => {
  const [, part, of] = /^(\d+)\/(\d+)$/.exec(text) ?? []
  if (part === undefined || of === undefined || Number(of) === 0) throw new Error(`--share ${text} is not like 1/2`)
  return { part: Number(part), of: Number(of) }
}

const tellOne = async (story: string): Promise<number> => {
  const told = await tellStory(JSON.parse(story) as Story)
  process.stdout.write(`${inWords(told)}\n`)
  return told.violations.length === 0 ? 0 : 1
}

const settings = (utilities: readonly UtilityName[], isPairs: boolean, whole: boolean): readonly Setting[] =>
  utilities.flatMap((utility) =>
    isPairs
      ? settingsOf(utility, [1, 1], false).slice(0, 1)
      : SIZES.flatMap((clusters) => settingsOf(utility, clusters, whole)),
  )

const run = async (): Promise<number> => {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({
    options: { pairs: flag, whole: flag, examples: flag, utility: text, only: text, share: text, story: text },
  })
  if (values.story !== undefined) return tellOne(values.story)
  const utilities = values.utility === undefined ? UTILITIES : [utilityFrom(values.utility)]
  const share = shareIn(values.share ?? '1/1')
  const began = Date.now()
  let [cases, ends, wrong] = [0, 0, 0]
  for (const setting of settings(utilities, values.pairs, values.whole)) {
    if (values.only !== undefined && !setting.name.includes(values.only)) continue
    const counted = await tellCases(values.pairs ? pairs(setting, share) : singles(setting, share))
    cases += counted.cases
    ends += counted.ends
    const rate = Math.round(cases / Math.max(1, (Date.now() - began) / 1000))
    process.stdout.write(
      `${setting.name}: ${counted.cases} cases, ${counted.ends} ends, ${counted.wrong} wrong (${rate} cases a second)\n`,
    )
    const kinds = [...counted.kinds].sort(([, a], [, b]) => b.count - a.count)
    for (const [kind, { count }] of kinds) process.stdout.write(`    ${count} × ${kind}\n`)
    const shown = values.examples ? kinds : kinds.slice(0, wrong === 0 ? 1 : 0)
    for (const [, { first }] of shown) process.stdout.write(`${first}\n`)
    wrong += counted.wrong
  }
  process.stdout.write(`${cases} cases, ${ends} ends, ${wrong} wrong\n`)
  return wrong === 0 ? 0 : 1
}

process.exitCode = await run()
