import { readdirSync, readFileSync } from 'node:fs'

/** What other processes of this machine can see of a process. */
export interface VisibleProcess {
  readonly pid: number
  readonly cmdline: string
  readonly environ: string
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    // It ended in this very moment.
    return ''
  }
}

/**
 * The processes below `pid`, without itself and without a copy of it that has not become another program yet: between
 * fork and exec a process shows the arguments and the environment of the one it came from.
 */
export const descendantsOf = (pid: number): VisibleProcess[] => {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const parent = /\) \S (\d+) /.exec(read(`/proc/${name}/stat`))?.[1]
    if (/^\d+$/.test(name) && parent !== undefined) parents.set(Number(name), Number(parent))
  }
  const isBelow = (child: number): boolean => {
    const parent = parents.get(child)
    return parent !== undefined && (parent === pid || isBelow(parent))
  }
  const own = read(`/proc/${pid}/cmdline`)
  return [...parents.keys()].filter(isBelow).flatMap((child) => {
    // In this order: arguments that are new prove that the environment is new too.
    const cmdline = read(`/proc/${child}/cmdline`)
    const environ = read(`/proc/${child}/environ`)
    return cmdline === own ? [] : [{ pid: child, cmdline, environ }]
  })
}
