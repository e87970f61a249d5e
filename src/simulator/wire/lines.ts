import type { Socket } from 'node:net'

const MAX_LINE_BYTES = 64 * 1024 * 1024

/** Calls `onLine` with each complete line the socket receives, whatever the chunks. */
export const readLines = (socket: Socket, onLine: (line: string) => void): void => {
  let pending: string[] = []
  let size = 0
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    const parts = chunk.split('\n')
    const rest = parts.pop() ?? ''
    for (const part of parts) {
      pending.push(part)
      const line = pending.join('')
      pending = []
      size = 0
      onLine(line)
    }
    pending.push(rest)
    size += rest.length
    if (size > MAX_LINE_BYTES) socket.destroy()
  })
}

/** Sends one JSON document as one line. A socket that is gone takes it silently. */
export const sendLine = (socket: Socket, document: unknown): void => {
  if (socket.writable) socket.write(`${JSON.stringify(document)}\n`)
}
