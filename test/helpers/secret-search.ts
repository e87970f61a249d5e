import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { canaryWatch } from './canary.js'
import { descendantsOf } from './descendants.js'
import type { LockstepOptions } from './lockstep.js'

/** How often it is looked, in milliseconds: a child lives for some hundred. */
const EVERY_MS = 40

/** Looks for secrets wherever other users and programs of the machine could see them. */
export interface SecretSearch {
  /** Command lines of the children that were seen, their parts separated by blanks. */
  readonly programs: ReadonlySet<string>
  readonly files: ReadonlySet<string>
  /** What was found, and where. */
  readonly leaks: ReadonlySet<string>
  /** The forms of secrets in a text. */
  inText(text: string): string[]
  /** Looks again and again at the children of a run and at every file, until the run is over. */
  during<T>(run: (watch: Required<Pick<LockstepOptions, 'onStderr'>>) => Promise<T>): Promise<T>
  /** Looks at every file now. */
  inFiles(): void
}

/**
 * @param folders whose files are looked at
 * @param isGiven files that may hold secrets: an operator wrote them there
 */
export const secretSearch = (
  secrets: readonly string[],
  folders: readonly string[],
  isGiven: (path: string) => boolean = () => false,
): SecretSearch => {
  const inText = canaryWatch(secrets)
  const [programs, files, leaks] = [new Set<string>(), new Set<string>(), new Set<string>()]
  const inFiles = (): void => {
    for (const path of folders.flatMap(filesBelow)) {
      if (isGiven(path)) continue
      files.add(path)
      const text = unlessGone(() => readFileSync(path, 'latin1'), '')
      for (const leak of inText(text)) leaks.add(`${leak} in ${path}`)
    }
  }
  const inChildrenOf = (pid: number): void => {
    for (const { cmdline, environ } of descendantsOf(pid)) {
      programs.add(cmdline.replaceAll('\0', ' '))
      for (const leak of inText(cmdline + environ)) leaks.add(`${leak} in ${cmdline}`)
    }
  }
  return {
    programs,
    files,
    leaks,
    inText,
    inFiles,
    during: async (run) => {
      let pid = 0
      const look = () => {
        if (pid === 0) return
        inChildrenOf(pid)
        inFiles()
      }
      const timer = setInterval(look, EVERY_MS)
      try {
        return await run({
          onStderr: (_text, of) => {
            pid = of
          },
        })
      } finally {
        clearInterval(timer)
        inFiles()
      }
    },
  }
}

const filesBelow = (folder: string): string[] =>
  unlessGone(() => readdirSync(folder, { withFileTypes: true }), []).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesBelow(path) : entry.isFile() ? [path] : []
  })

/** Files come and go while this looks. */
const unlessGone = <T>(look: () => T, otherwise: T): T => {
  try {
    return look()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return otherwise
    throw error
  }
}
