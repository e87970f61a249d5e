import { randomBytes } from 'node:crypto'
import { link, open, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** How a file is written. */
export interface AtomicWrite {
  /** Permission bits of the new file, whatever those of the old one were. */
  readonly mode: number
  /** Fails with EEXIST where the file is there already. */
  readonly exclusive?: boolean
  /** Reads the finished file before it takes the place of the old one; throwing keeps the old one. */
  readonly verify?: (path: string) => Promise<void>
}

/**
 * Replaces a file as a whole: a reader sees the old content or the new one, and after a crash one of them is there.
 * A link is followed. On return both the content and the folder's entry are on the disk.
 * @throws {NodeJS.ErrnoException} the system's own; nothing is left behind
 */
export const writeAtomically = async (
  path: string,
  data: string | Uint8Array,
  { mode, verify, exclusive = false }: AtomicWrite,
): Promise<void> => {
  const target = await realpath(path).catch(() => path)
  const folder = dirname(target)
  const draft = join(folder, `.${basename(target)}.${process.pid}.${randomBytes(4).toString('hex')}`)
  try {
    const file = await open(draft, 'wx', mode)
    try {
      await file.writeFile(data)
      await file.sync()
    } finally {
      await file.close()
    }
    await verify?.(draft)
    if (exclusive) {
      await link(draft, target)
      await rm(draft)
    } else {
      await rename(draft, target)
    }
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined)
    throw error
  }
  await syncFolder(folder)
}

/**
 * Whether a file can be made beside `path`; asking for permission bits would not notice a read-only file system.
 * @throws {NodeJS.ErrnoException} the system's own
 */
export const probeFolderOf = async (path: string): Promise<void> => {
  const target = await realpath(path).catch(() => path)
  const probe = join(dirname(target), `.${basename(target)}.${process.pid}.${randomBytes(4).toString('hex')}`)
  await (await open(probe, 'wx', 0o600)).close()
  await rm(probe, { force: true })
}

const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
