import type { z } from 'zod'

/** How many faults of a file are named at once. */
const SHOWN = 5
/** The longest wrong value shown, in characters. */
const VALUE_LENGTH = 60

/**
 * A JSON text checked against a schema.
 * @returns the value, or what is wrong: the place in the file, what is expected there and what stands there
 */
export const parseDocument = <T extends z.ZodType>(
  text: string,
  schema: T,
): { readonly value: z.infer<T> } | { readonly fault: string } => {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (error) {
    return { fault: `is no JSON${placeOf(error as Error, text)}` }
  }
  const result = schema.safeParse(document)
  // The document itself: a parsed copy would have its keys in another order.
  if (result.success) return { value: document as z.infer<T> }
  const { issues } = result.error
  const more = issues.length > SHOWN ? `; and ${issues.length - SHOWN} more` : ''
  const faults = issues.slice(0, SHOWN).map(({ path, message, code }) => {
    const words = code === 'too_small' || code === 'too_big' ? message.replace(/^Too (small|big): /, '') : message
    return `${showPath(path)}: ${words}, found ${showValue(valueAt(document, path))}`
  })
  return { fault: `is malformed: ${faults.join('; ')}${more}` }
}

const showPath = (path: readonly PropertyKey[]): string =>
  path.length === 0
    ? 'the file as a whole'
    : path
        .map((step, at) => (typeof step === 'number' ? `[${step}]` : `${at === 0 ? '' : '.'}${String(step)}`))
        .join('')

const valueAt = (document: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((value, step) => (value as Record<PropertyKey, unknown> | undefined)?.[step], document)

const showValue = (value: unknown): string => {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > VALUE_LENGTH ? `${text.slice(0, VALUE_LENGTH)}…` : text
}

/** Node 20 counts characters, later ones name line and column as well; people want the line. */
const placeOf = ({ message }: Error, text: string): string => {
  const position = /at position (\d+)/.exec(message)?.[1]
  return position === undefined ? '' : ` (line ${text.slice(0, Number(position)).split('\n').length})`
}
