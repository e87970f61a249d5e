import { timingSafeEqual } from 'node:crypto'
import { createServer, type Server } from 'node:net'
import { applyFault } from '../faults/apply.js'
import type { FaultReport, FaultRequest } from '../faults/catalogue.js'
import { Problem } from '../problem.js'
import { readLines, sendLine } from '../wire/lines.js'
import type { Simulator } from './simulator.js'
import { checkPassword, type PasswordCheck, type Truth, truthOf } from './truth.js'

/** What `state`, `check` and `fault` send to the running simulator. */
export type ControlRequest =
  | { readonly command: 'hello' }
  | { readonly command: 'state'; readonly counters: boolean }
  | { readonly command: 'check'; readonly type: string; readonly name: string; readonly password: string }
  | { readonly command: 'fault'; readonly request: FaultRequest }

/** What comes back. */
export type ControlReply =
  | { readonly ok: true; readonly result: Truth | PasswordCheck | FaultReport | null }
  | {
      readonly ok: false
      readonly problem: { code: string; message: string; suggestions: readonly string[]; exitCode: 1 | 2 | 3 }
    }

/**
 * Listener for the commands of one simulator. Only who knows the token is answered.
 * @param running the simulator, once it runs
 */
export const controlChannel = (token: string, running: () => Simulator | null): Server =>
  createServer((socket) => {
    socket.on('error', () => undefined)
    readLines(socket, (line) => {
      const { token: shown, ...request } = JSON.parse(line) as ControlRequest & { token: string }
      if (!sameToken(shown, token)) return void socket.destroy()
      const simulator = running()
      if (!simulator) return void socket.destroy()
      execute(simulator, request as ControlRequest).then(
        (result) => sendLine(socket, { ok: true, result } satisfies ControlReply),
        (error: unknown) => sendLine(socket, { ok: false, problem: described(error) } satisfies ControlReply),
      )
    })
  })

const execute = async (
  simulator: Simulator,
  request: ControlRequest,
): Promise<Truth | PasswordCheck | FaultReport | null> => {
  switch (request.command) {
    case 'hello':
      return null
    case 'state':
      return truthOf(simulator, request.counters)
    case 'check':
      return checkPassword(simulator, request, request.password)
    case 'fault':
      return applyFault(simulator, request.request)
  }
}

const described = (error: unknown): (ControlReply & { ok: false })['problem'] => {
  if (error instanceof Problem) {
    const { code, exitCode, message, suggestions } = error
    return { code, message, suggestions, exitCode }
  }
  return { code: 'UNEXPECTED', message: (error as Error).message, suggestions: [], exitCode: 1 }
}

const sameToken = (shown: unknown, token: string): boolean => {
  const given = Buffer.from(String(shown))
  const wanted = Buffer.from(token)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
