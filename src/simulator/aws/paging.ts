import { createHmac, randomBytes } from 'node:crypto'
import { invalidRequest } from './aws-error.js'

const KEY = randomBytes(32)

/** One page, and the token for the next where there is one. */
export interface Page<T> {
  readonly items: readonly T[]
  readonly nextToken: string | null
}

/**
 * Cuts one page. Tokens name the query they were made for, and no other query takes them.
 * @param query everything that selects items: operation, account, Region, filters
 * @throws {AwsError} a page size outside the limits, or a token of another query
 */
export const pageOf = <T>(
  items: readonly T[],
  query: unknown,
  request: { readonly NextToken?: unknown; readonly MaxResults?: unknown },
  limit: number,
): Page<T> => {
  const { NextToken, MaxResults = limit } = request
  if (!Number.isInteger(MaxResults) || (MaxResults as number) < 1 || (MaxResults as number) > limit) {
    throw invalidRequest(`MaxResults must be between 1 and ${limit}`)
  }
  const from = NextToken === undefined || NextToken === null || NextToken === '' ? 0 : offsetIn(NextToken, query)
  const to = from + (MaxResults as number)
  return { items: items.slice(from, to), nextToken: to < items.length ? tokenFor(to, query) : null }
}

const seal = (offset: number, query: unknown): string =>
  createHmac('sha256', KEY)
    .update(JSON.stringify([offset, query]))
    .digest('base64url')

const tokenFor = (offset: number, query: unknown): string =>
  Buffer.from(`${offset}.${seal(offset, query)}`).toString('base64url')

const offsetIn = (token: unknown, query: unknown): number => {
  const [offset, sealed] = Buffer.from(String(token), 'base64url').toString().split('.')
  if (offset === undefined || sealed !== seal(Number(offset), query)) throw invalidRequest('Invalid NextToken')
  return Number(offset)
}
