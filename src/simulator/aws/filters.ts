import { invalidRequest } from './aws-error.js'

const MOST_FILTERS = 30

/** Filters of a Describe call: name to accepted values. */
export type Filters = ReadonlyMap<string, readonly string[]>

/**
 * @param known filter names of the operation, each with the pattern its values must match
 * @throws {AwsError} an unknown name, values that are no list of texts, or a malformed ID
 */
export const readFilters = (given: unknown, known: Readonly<Record<string, RegExp>>): Filters => {
  if (given === undefined || given === null) return new Map()
  if (typeof given !== 'object' || Array.isArray(given)) throw invalidRequest('Filters must be a map')
  const entries = Object.entries(given)
  if (entries.length > MOST_FILTERS) throw invalidRequest(`Filters must have at most ${MOST_FILTERS} members`)
  return new Map(
    entries.map(([name, values]) => {
      const pattern = known[name]
      if (!pattern) throw invalidRequest(`Invalid filter name: ${name}`)
      if (!Array.isArray(values) || !values.every((value) => typeof value === 'string')) {
        throw invalidRequest(`Filter ${name} must be a list of strings`)
      }
      const bad = values.find((value) => !pattern.test(value))
      if (bad !== undefined) throw invalidRequest(`Invalid value for filter ${name}: ${bad}`)
      return [name, values] as const
    }),
  )
}

/** Whether `value` passes the filter of that name, which an absent filter lets everything do. */
export const passes = (filters: Filters, name: string, value: string | null | undefined): boolean => {
  const accepted = filters.get(name)
  return accepted === undefined || (typeof value === 'string' && accepted.includes(value))
}

export const CLUSTER_ID = /^cluster-[2-7a-zA-Z]{11,16}$/
export const BACKUP_ID = /^backup-[2-7a-zA-Z]{11,16}$/
