import { mkdir, open, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { writeAtomically } from '../files/write-atomically.js'
import { proofFolder } from '../utilities/cloudhsm-cli/proof-configs.js'
import { mapPath } from './render.js'

const MODE = 0o600

/**
 * Keeps what is about to be replaced under a name of its own, with its map and its configurations of single HSMs
 * beside it, so that the copy is a configuration that can be used. Never overwrites an earlier copy.
 * @param old what stands in the files; null where there is none
 * @returns where the copy stands
 */
export const keepCopy = async (path: string, old: ReadonlyMap<string, Buffer | null>, now: Date): Promise<string> => {
  const stamp = now
    .toISOString()
    .replace(/[-:]/g, '')
    .replace(/\.\d+Z$/, 'Z')
  for (let count = 1; ; count += 1) {
    const copy = `${path}.${stamp}${count === 1 ? '' : `-${count}`}.bak`
    try {
      await writeNew(copy, old.get(path) ?? Buffer.alloc(0))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue
      throw error
    }
    try {
      const map = old.get(mapPath(path)) ?? null
      for (const [file, content] of old) {
        if (content === null || file === path || file === mapPath(path)) continue
        await mkdir(proofFolder(copy), { recursive: true, mode: 0o700 })
        await writeAtomically(join(proofFolder(copy), basename(file)), content, { mode: MODE })
      }
      if (map !== null) await writeAtomically(mapPath(copy), map, { mode: MODE })
      return copy
    } catch (error) {
      await removeCopy(copy)
      throw error
    }
  }
}

/** Takes a copy away again; what fails here is less than what is about to be reported. */
export const removeCopy = async (copy: string): Promise<void> => {
  for (const file of [copy, mapPath(copy), proofFolder(copy)]) {
    await rm(file, { force: true, recursive: true }).catch(() => undefined)
  }
}

const writeNew = async (path: string, bytes: Buffer): Promise<void> => {
  const file = await open(path, 'wx', MODE)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}
