import { beforeAll } from '@jest/globals'

/**
 * Something that happens once, before the tests of its block; each of them looks at one fact it left behind.
 * @returns what `live` returned; only inside of tests
 */
export const story = <T>(live: () => Promise<T>): (() => T) => {
  const told: T[] = []
  beforeAll(async () => {
    told.push(await live())
  })
  return () => {
    const [left] = told
    if (left === undefined) throw new Error('the story of this block did not come to its end')
    return left
  }
}
