import fc from 'fast-check'
import type { UtilityName } from '../../src/domain/utility/utility.js'
import { inWords } from './report.js'
import { type Story, story } from './story-arbitrary.js'
import { tellStory } from './tell-story.js'

/** How many stories to tell, and from where. */
export interface Trial {
  readonly utility: UtilityName
  readonly seed: number
  readonly cases: number
  /** Where in the tree of stories of that seed; from a report of a failure. */
  readonly path?: string | undefined
  /** The first one that goes wrong is not made smaller. */
  readonly asItIs?: boolean
  /** When to begin no further story, in milliseconds from now. */
  readonly withinMs?: number
}

export interface Tried {
  readonly cases: number
  /** Everything there is to say about the first story that went wrong, made as small as it gets; null if none did. */
  readonly failure: string | null
}

/** Tells so many stories, and makes the first one that goes wrong small. */
export const tryStories = async ({ utility, seed, cases, path, asItIs = false, withinMs }: Trial): Promise<Tried> => {
  const result = await fc.check(
    fc.asyncProperty(story(utility), async (drawn: Story) => {
      const told = await tellStory(drawn)
      if (told.violations.length > 0) throw new Error(inWords(told))
    }),
    {
      seed,
      numRuns: cases,
      endOnFailure: asItIs,
      ...(path === undefined ? {} : { path }),
      ...(withinMs === undefined ? {} : { interruptAfterTimeLimit: withinMs, markInterruptAsFailure: false }),
    },
  )
  if (!result.failed) return { cases: result.numRuns, failure: null }
  const words = result.errorInstance instanceof Error ? result.errorInstance.message : String(result.errorInstance)
  const failure = [
    `${utility}, seed ${seed}, story ${result.numRuns}, made smaller ${result.numShrinks} times:`,
    `  ${words}`,
    `the story: ${JSON.stringify(result.counterexample?.[0])}`,
    'again, exactly this one:',
    `  npm run soak -- --utility ${utility} --seed ${seed} --path ${result.counterexamplePath}`,
  ].join('\n')
  return { cases: result.numRuns, failure }
}
