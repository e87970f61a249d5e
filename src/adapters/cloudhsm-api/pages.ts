import { BadAnswer } from './bad-answer.js'

/** One page and what leads to the next. */
export interface Page<T> {
  readonly items: readonly T[]
  /** Absent, null or empty on the last page. */
  readonly nextToken: string | null | undefined
}

/** 25 clusters a page: far beyond any account. */
const MOST_PAGES = 400

/**
 * Reads pages until the last one.
 * @throws {BadAnswer} a token that came before, which would never end, or far too many pages
 */
export const allPages = async <T>(read: (token: string | undefined) => Promise<Page<T>>): Promise<T[]> => {
  const items: T[] = []
  const seen = new Set<string>()
  let token: string | undefined
  for (let count = 0; count < MOST_PAGES; count++) {
    const page = await read(token)
    items.push(...page.items)
    if (!page.nextToken) return items
    if (seen.has(page.nextToken)) throw new BadAnswer('the list does not end: the same page token came twice')
    seen.add(page.nextToken)
    token = page.nextToken
  }
  throw new BadAnswer(`the list does not end: ${MOST_PAGES} pages were read`)
}
