/** One line of the bench. */
export interface Measure {
  readonly name: string
  /** Null where it could not be taken; `how` then says why. */
  readonly value: number | null
  readonly unit: 'x' | 's' | 'MB'
  /** What `design` asks for; null where the line is for orientation alone. */
  readonly bar: number | null
  /** Whether the bar is a ceiling (`most`) or a floor (`least`). */
  readonly kind: 'most' | 'least'
  /** What was compared, with the figures behind it. */
  readonly how: string
}

/** Whether the bar is met; null without a bar or a value. */
export const isMet = ({ value, bar, kind }: Measure): boolean | null =>
  value === null || bar === null ? null : kind === 'most' ? value <= bar : value >= bar

/** The middle of an odd number of values, the mean of the two middle ones of an even number. */
export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  const [low, high] = [sorted[sorted.length % 2 === 0 ? half - 1 : half], sorted[half]]
  if (low === undefined || high === undefined) throw new Error('there is no median of nothing')
  return (low + high) / 2
}

/** Median and range in milliseconds, so that a reader sees how much the machine disturbed. */
export const spreadOf = (values: readonly number[]): string =>
  `${Math.round(median(values))} ms (${Math.round(Math.min(...values))}-${Math.round(Math.max(...values))}, ${values.length} runs)`

/**
 * Runs every subject once per round, in turn, so that a slow moment of the machine hits all of them alike.
 * @returns what each subject returned, round by round
 */
export const interleaved = async <T, Name extends string>(
  rounds: number,
  subjects: Readonly<Record<Name, () => Promise<T>>>,
): Promise<Record<Name, T[]>> => {
  const names = Object.keys(subjects) as Name[]
  const taken = Object.fromEntries(names.map((name) => [name, [] as T[]])) as Record<Name, T[]>
  for (let round = 0; round < rounds; round++) {
    for (const name of names) taken[name].push(await subjects[name]())
  }
  return taken
}
