// Preloaded with `node --import`: kills the program with SIGKILL at one boundary of the journal it writes.
// CRASH_AT is `before-line N`, `torn-line N` or `after-line N`; N counts the lines this process appends, from 1.
// Several lines may share one write, so the write is cut where the boundary lies.
import fsPromises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

const [kind, number] = (process.env.CRASH_AT ?? '').split(' ')
const target = Number(number)
let written = 0

/** What is on the disk when the process dies in this write, or null where it survives it. */
const cut = (text) => {
  const lines = text.split(/(?<=\n)/)
  const index = target - written - 1
  if (index >= lines.length) return null
  const whole = lines.slice(0, index).join('')
  const line = lines[index]
  if (kind === 'before-line') return whole
  return whole + (kind === 'torn-line' ? line.slice(0, line.length / 2) : line)
}

const open = fsPromises.open
fsPromises.open = async (path, ...rest) => {
  const file = await open(path, ...rest)
  if (!String(path).endsWith('.jsonl')) return file
  const append = file.appendFile.bind(file)
  file.appendFile = async (text) => {
    const last = cut(text)
    if (last !== null) {
      if (last !== '') await append(last)
      await file.datasync()
      process.kill(process.pid, 'SIGKILL')
    }
    written += text.split('\n').length - 1
    await append(text)
  }
  return file
}
syncBuiltinESMExports()
