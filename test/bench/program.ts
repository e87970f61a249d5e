import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

/** The package: where `bin/` and `fixtures/` are. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
/** The product. */
export const LOCKSTEP = fileURLToPath(new URL('../../../bin/run.js', import.meta.url))
const REPORT_PEAK = new URL('./report-peak.js', import.meta.url).href

/** How a program ran. */
export interface Ran {
  /** From before the start of the process until it is gone, in milliseconds. */
  readonly ms: number
  readonly stdout: string
  /** Largest resident memory of the process itself, in MB; 0 where it was not asked for. */
  readonly peakMb: number
}

/**
 * Runs a program to its end.
 * @param env the whole environment but for PATH and HOME; NODE_EXTRA_CA_CERTS, which triples the start of Node 20, is
 * therefore never set
 * @throws {Error} with what it said, when it ends with another code than 0
 */
export const run = async (
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> => {
  const inherited = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/' }
  const begun = performance.now()
  const child = spawn(file, args, { env: { ...inherited, ...env }, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
  const [, out, err, extra] = child.stdio
  const texts = [out, err, extra].map((stream) => collected(stream as Readable))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const ms = performance.now() - begun
  const [stdout = '', stderr = '', peak = ''] = await Promise.all(texts)
  if (code !== 0) throw new Error(`${file} ${args.slice(0, 4).join(' ')} … ended with ${code}:\n${stderr}${stdout}`)
  return { ms, stdout, peakMb: Number(peak) / 1024 }
}

/** Runs the product. */
export const lockstep = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> =>
  run(process.execPath, [LOCKSTEP, ...args], env)

/** The same, and asks for its memory as well, which costs a few milliseconds at the start. */
export const weighedLockstep = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> =>
  run(process.execPath, ['--import', REPORT_PEAK, LOCKSTEP, ...args], env)

const collected = async (stream: Readable): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
