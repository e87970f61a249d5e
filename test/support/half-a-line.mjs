// Preloaded with `node --import`: the disk is full at one moment of a journal. HALF_A_LINE is the ID of an HSM: of the
// first write after the one that announces something there, half reaches the disk. Later ones succeed again, as when
// somebody frees some space; with DISK_STAYS_FULL none does.
import fsPromises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

const hsmId = process.env.HALF_A_LINE ?? ''
let state = 'waiting'

const full = () => Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', errno: -28 })

const announces = (text) => text.split('\n').some((line) => line.includes('"intent"') && line.includes(hsmId))

const open = fsPromises.open
fsPromises.open = async (path, ...rest) => {
  const file = await open(path, ...rest)
  if (!String(path).endsWith('.jsonl')) return file
  for (const name of ['appendFile', 'writeFile', 'write']) {
    const write = file[name].bind(file)
    file[name] = async (data, ...options) => {
      const text = String(data)
      if (state === 'full') throw full()
      if (state === 'next') {
        state = process.env.DISK_STAYS_FULL === undefined ? 'over' : 'full'
        await write(text.slice(0, Math.ceil(text.length / 2)))
        throw full()
      }
      if (state === 'waiting' && announces(text)) state = 'next'
      return write(data, ...options)
    }
  }
  return file
}
syncBuiltinESMExports()
