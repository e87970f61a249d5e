import type { UtilitySession } from './session.js'

/** One command of the utility. */
export interface Command {
  readonly name: string
  /** `server` commands exist only in server mode, `global` ones only outside it. */
  readonly mode: 'any' | 'global' | 'server'
  readonly syntax: string
  /** Fewest and most arguments. */
  readonly arguments: readonly [number, number]
  /** Absent: the real utility has it, this one does not; the name still counts when names are abbreviated. */
  readonly run?: (session: UtilitySession, args: readonly string[]) => Promise<void> | void
}
