import type { CloudHSMV2Client } from '@aws-sdk/client-cloudhsm-v2'
import { BadAnswer } from './bad-answer.js'

/** No page of AWS comes near it; an endpoint that sends without end must not fill the memory. */
const LARGEST_BODY_BYTES = 32 * 1024 * 1024

/** Reads the raw record behind a parsed one. */
export type RawAnswers = (output: object) => Record<string, unknown>

/**
 * Keeps the JSON behind each answer of `client`. The installed client is older than some fields of the API (`Mode`,
 * `BackupArn`) and drops them while parsing; they are taken from here.
 */
export const keepRawAnswers = (client: CloudHSMV2Client): RawAnswers => {
  const bodies = new WeakMap<object, Uint8Array>()
  const raw = new WeakMap<object, Record<string, unknown>>()
  // innermost: sees the HTTP answer before it is parsed
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      const response = result.response as { body?: AsyncIterable<Uint8Array> | Uint8Array }
      const body = await drain(response.body)
      response.body = body
      bodies.set(response, body)
      return result
    },
    { step: 'deserialize', priority: 'low', name: 'keepBody' },
  )
  // outermost: sees what became of it
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      const body = bodies.get(result.response as object)
      if (body !== undefined) raw.set(result.output as object, asRecord(parse(body)))
      return result
    },
    { step: 'initialize', priority: 'high', name: 'keepRawAnswer' },
  )
  return (output) => raw.get(output) ?? {}
}

/** `value` as an object with unknown members; empty when it is none. */
export const asRecord = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}

/** Raw records of the list `key`, by ID. */
export const rawById = (
  answer: Record<string, unknown>,
  key: string,
  id: string,
): Map<unknown, Record<string, unknown>> => {
  const list = answer[key]
  return new Map((Array.isArray(list) ? list : []).map(asRecord).map((record) => [record[id], record]))
}

const drain = async (body: AsyncIterable<Uint8Array> | Uint8Array | undefined): Promise<Uint8Array> => {
  if (body === undefined) return new Uint8Array()
  if (body instanceof Uint8Array) return body
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > LARGEST_BODY_BYTES) throw new BadAnswer(`the answer is larger than ${LARGEST_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const parse = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    return null
  }
}
