import { createReadStream } from 'node:fs'

const LINE_FEED = 0x0a
const CHUNK_BYTES = 1024 * 1024

/**
 * Hands over each line of a file as bytes, without its line end. A piece of the file is held at a time, never all of it.
 * @returns what stands behind the last line end, and the length of all before it
 * @throws {NodeJS.ErrnoException} the system's own, or what `line` throws
 */
export const readLines = async (
  path: string,
  line: (bytes: Buffer) => void,
): Promise<{ readonly wholeBytes: number; readonly tail: Buffer }> => {
  let wholeBytes = 0
  let tail: Buffer = Buffer.alloc(0)
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
    const bytes: Buffer = tail.length === 0 ? chunk : Buffer.concat([tail, chunk])
    let start = 0
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      line(bytes.subarray(start, end))
      start = end + 1
    }
    wholeBytes += start
    tail = bytes.subarray(start)
  }
  return { wholeBytes, tail }
}
