import { mkdtempSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Folders of sessions that are open. */
const folders = new Set<string>()
let listening = false

const removeAll = (): void => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}

/** A folder for the files of one session. */
export interface SessionFolder {
  readonly path: string
  remove(): Promise<void>
}

/**
 * Makes a folder that is gone when the session is, also where the program leaves in the middle of it.
 * @param below where it is made
 */
export const sessionFolder = (below: string = tmpdir()): SessionFolder => {
  if (!listening) process.once('exit', removeAll)
  listening = true
  // Made and remembered in one step: an exit between the two would leave it behind.
  const path = mkdtempSync(join(below, 'lockstep-session-'))
  folders.add(path)
  return {
    path,
    remove: async () => {
      await rm(path, { recursive: true, force: true })
      folders.delete(path)
    },
  }
}
