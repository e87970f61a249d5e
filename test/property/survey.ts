import fc from 'fast-check'
import type { UtilityName } from '../../src/domain/utility/utility.js'
import { kindOf } from './report.js'
import { story } from './story-arbitrary.js'
import { tellStory } from './tell-story.js'

/** Stories that went wrong in the same way. */
export interface Kind {
  readonly words: string
  readonly count: number
  /** The place of the first one among the stories of its seed. */
  readonly path: number
}

/** Tells stories without stopping at one that goes wrong, and counts in how many ways they do. */
export const survey = async (utility: UtilityName, seed: number, cases: number): Promise<readonly Kind[]> => {
  const kinds = new Map<string, Kind>()
  for (const [path, drawn] of fc.sample(story(utility), { seed, numRuns: cases }).entries()) {
    const told = await tellStory(drawn)
    if (told.violations.length === 0) continue
    const words = kindOf(told)
    const known = kinds.get(words) ?? { words, count: 0, path }
    kinds.set(words, { ...known, count: known.count + 1 })
  }
  return [...kinds.values()].sort((a, b) => b.count - a.count)
}
