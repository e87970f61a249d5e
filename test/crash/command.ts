import { clusterRefs, unitsOf, type Variant } from './variant.js'

/** A command that is killed, or that the operator gives about one that was. */
export type Command = 'start' | 'resume' | 'rollback' | 'repair'

/** Whether it begins a journal of its own. */
export const begins = (command: Command): boolean => command === 'start' || command === 'repair'

/** Its words for a variant, but for officer and store. */
export const wordsOf = (variant: Variant, command: Command): readonly string[] => {
  if (command === 'resume' || command === 'rollback') {
    return ['rotate', command, '--most-recent', '--silence-timeout', '1']
  }
  const { users, currentKnown, oneByOne } = variant
  const [source = '', ...destinations] = clusterRefs(variant)
  const about = [
    ...['--source', source, '--yes'],
    ...destinations.flatMap((cluster) => ['--destination', cluster]),
    ...users.flatMap((user) => ['--user', `CU:${user}`]),
    // Nothing is awaited here, so a busy machine may take its time.
    ...['--silence-timeout', '30'],
  ]
  if (command === 'repair') {
    return ['users', 'repair', ...about, '--to-current', ...(oneByOne ? ['--concurrency', '1'] : [])]
  }
  return [
    ...['rotate', 'start', ...about, '--new-password', 'env:NEW'],
    ...(currentKnown ? ['--current-password', 'env:OLD'] : []),
    // `--yes` does not answer the question about no way back.
    ...(currentKnown || unitsOf(variant) > 2 ? [] : ['--accept-no-way-back']),
  ]
}
