import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { FaultReport, FaultRequest } from './faults/catalogue.js'
import { Problem } from './problem.js'
import type { ControlReply, ControlRequest } from './server/control-channel.js'
import type { PasswordCheck, Truth } from './server/truth.js'
import { readLines, sendLine } from './wire/lines.js'

/** What a running simulator leaves in its folder: where it is, and the token its channel asks for. */
export interface ControlFile {
  readonly pid: number
  readonly host: string
  readonly port: number
  readonly token: string
}

export const controlPath = (dir: string): string => join(dir, 'control.json')

/** The simulator that runs in `dir`. @throws {Problem} `NOT_RUNNING` */
export const readControlFile = (dir: string): ControlFile => {
  try {
    return JSON.parse(readFileSync(controlPath(dir), 'utf8')) as ControlFile
  } catch {
    throw notRunning(dir)
  }
}

const notRunning = (dir: string): Problem =>
  new Problem('NOT_RUNNING', `no simulator runs in ${dir}`, [`lockstep-sim start --fleet FILE --dir ${dir}`])

const ask = (dir: string, request: ControlRequest): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const { host, port, token } = readControlFile(dir)
    const socket = connect({ host, port }, () => sendLine(socket, { token, ...request }))
    // Also when the connection ends without an answer: then somebody else listens there now.
    socket.on('close', () => reject(notRunning(dir)))
    socket.on('error', () => undefined)
    readLines(socket, (line) => {
      socket.end()
      const reply = JSON.parse(line) as ControlReply
      if (reply.ok) return resolve(reply.result)
      const { code, exitCode, message, suggestions } = reply.problem
      reject(new Problem(code, message, suggestions, exitCode))
    })
  })

/** Whether a simulator runs in `dir`. */
export const isRunning = async (dir: string): Promise<boolean> => {
  try {
    await ask(dir, { command: 'hello' })
    return true
  } catch {
    return false
  }
}

/** What the HSMs hold now. @throws {Problem} `NOT_RUNNING` */
export const askState = async (dir: string, counters = false): Promise<Truth> =>
  (await ask(dir, { command: 'state', counters })) as Truth

/** Which HSMs hold the password. @throws {Problem} `NOT_RUNNING` */
export const askCheck = async (
  dir: string,
  user: { readonly type: string; readonly name: string },
  password: string,
): Promise<PasswordCheck> => (await ask(dir, { command: 'check', ...user, password })) as PasswordCheck

/** Switches a fault; resolves once it is in force. @throws {Problem} `NOT_RUNNING`, or the fault cannot be */
export const askFault = async (dir: string, request: FaultRequest): Promise<FaultReport> =>
  (await ask(dir, { command: 'fault', request })) as FaultReport
