import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

/** Names one process for good: its number alone may be given to another process later. */
export interface ProcessIdentity {
  readonly host: string
  /** Changes with each start of the machine; null where the system does not tell. */
  readonly bootId: string | null
  readonly pid: number
  /** Clock ticks between the machine's start and the process's; null where the system does not tell. */
  readonly startTicks: string | null
}

/** The identity of this process. */
export const ownIdentity = (): ProcessIdentity => ({
  host: hostname(),
  bootId: bootId(),
  pid: process.pid,
  startTicks: startTicks(process.pid),
})

/**
 * Whether a process certainly does not run any more. A process of another machine is never certainly gone.
 */
export const isGone = (identity: ProcessIdentity): boolean => {
  if (identity.host !== hostname()) return false
  if (identity.bootId !== null && bootId() !== null && identity.bootId !== bootId()) return true
  if (!isRunning(identity.pid)) return true
  const ticks = startTicks(identity.pid)
  return identity.startTicks !== null && ticks !== null && ticks !== identity.startTicks
}

/** Clock ticks of `/proc` per second, on every Linux there is. */
const TICKS_PER_SECOND = 100

/**
 * Whether a running process was started at about that time. Where the system does not tell, the answer is no: a
 * process that may be somebody else's is not touched.
 */
export const startedAround = (pid: number, atMs: number, toleranceMs: number): boolean => {
  const ticks = Number(startTicks(pid) ?? Number.NaN)
  const uptime = Number(readOrNull('/proc/uptime')?.split(' ')[0] ?? Number.NaN)
  const startedMs = Date.now() - (uptime - ticks / TICKS_PER_SECOND) * 1000
  return Math.abs(startedMs - atMs) <= toleranceMs
}

/** Whether there is a process with this number. */
export const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

const bootId = (): string | null => readOrNull('/proc/sys/kernel/random/boot_id')

/** Field 22 of `stat`; the name in field 2 may hold blanks and brackets, so count from its end. */
const startTicks = (pid: number): string | null => {
  const stat = readOrNull(`/proc/${pid}/stat`)
  if (stat === null) return null
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // A zombie has ended; only its parent has not looked yet.
  return fields[0] === 'Z' ? 'ended' : (fields[19] ?? null)
}

const readOrNull = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return null
  }
}
