import { z } from 'zod'
import { NotUnderstood } from '../process/not-understood.js'

/** What one command came to. */
export type CliAnswer =
  /** One JSON document, `{"error_code": …, "data": …}`; only the codes 0 and 1 are known. */
  | { readonly kind: 'answered'; readonly errorCode: number; readonly data: unknown }
  /** No JSON: `Error: "…"`, a usage text, or nothing. `text` is the line that says most. */
  | { readonly kind: 'plain'; readonly text: string }

const ANSWER = z.looseObject({ error_code: z.int(), data: z.unknown() })
/** What may not follow a document: another one, or a failure that it knows nothing of. */
const MORE = /^\s*[{[]|\berror\b|\bfailed\b/im
/** The deepest answer that is known has four levels. */
const MAX_DEPTH = 64
/** Texts, the brackets between them, and a quote that nothing closes. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|"|[{}[\]]/gs

/**
 * Reads what a command printed: the document begins at the first `{` that begins a line.
 * @param printed without control characters
 * @param verbatim with them: inside of the document they would make a name another one
 * @throws {NotUnderstood} it ends too early, is none of the known form, says something twice, or more follows
 */
export const parseAnswer = (printed: string, verbatim = printed): CliAnswer => {
  const start = printed.search(/^\{/m)
  if (start < 0) return { kind: 'plain', text: plainText(printed) }
  const length = documentLength(printed.slice(start))
  if (length === null) throw new NotUnderstood('the JSON of the answer ends too early')
  if (MORE.test(printed.slice(start + length))) throw new NotUnderstood('more follows after the JSON of the answer')
  const text = printed.slice(start, start + length)
  if (!verbatim.includes(text)) throw new NotUnderstood('control characters stand in the JSON of the answer')
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    throw new NotUnderstood('the answer is no JSON')
  }
  // Of two values for one key, the parser would silently take the second.
  if (keysWritten(text) !== keysIn(document)) throw new NotUnderstood('a key stands twice in the answer')
  const answer = ANSWER.safeParse(document)
  if (!answer.success) throw new NotUnderstood('the answer has no "error_code", or no "data"')
  return { kind: 'answered', errorCode: answer.data.error_code, data: answer.data.data }
}

/** What a failed answer says, on one line. */
export const failureText = (answer: CliAnswer): string => {
  const text = answer.kind === 'plain' || typeof answer.data !== 'string' ? null : answer.data
  if (text !== null) return oneLine(text)
  return answer.kind === 'plain' ? answer.text : oneLine(JSON.stringify(answer.data) ?? 'no words')
}

/** The line of an uncaught error, without its quotes; everything where there is none. */
export const plainText = (printed: string): string => {
  const line = /^\s*error: *(.*)$/im.exec(printed)?.[1]?.trim()
  return oneLine(line === undefined || line === '' ? printed : line.replace(/^"(.*)"$/, '$1'))
}

const oneLine = (text: string): string => {
  const lines = text.split(/[\p{Cc}\u2028\u2029]+/u).map((line) => line.trim())
  return lines.filter((line) => line !== '').join(' | ')
}

/** Length of the JSON object `text` begins with, or null where it does not end, or is nested beyond reason. */
const documentLength = (text: string): number | null => {
  let depth = 0
  for (const { 0: token, index } of text.matchAll(TOKENS)) {
    if (token === '"') return null
    if (token === '{' || token === '[') depth += 1
    if (token === '}' || token === ']') depth -= 1
    if (depth === 0) return index + 1
    if (depth > MAX_DEPTH) return null
  }
  return null
}

const keysWritten = (text: string): number =>
  [...text.matchAll(TOKENS)].filter(([, colon]) => colon !== undefined).length

const keysIn = (value: unknown): number => {
  if (typeof value !== 'object' || value === null) return 0
  const inside = Object.values(value).reduce((sum: number, one) => sum + keysIn(one), 0)
  return inside + (Array.isArray(value) ? 0 : Object.keys(value).length)
}
