import type { Socket } from 'node:net'
import type { Session } from '../hsm/hsm.js'
import { type HsmRequest, perform } from '../hsm/requests.js'
import { refused, STATUS } from '../hsm/status.js'
import { keyOf } from '../hsm/user.js'
import { readLines, sendLine } from '../wire/lines.js'
import { CLIENT_PORT, type Hello } from '../wire/messages.js'
import type { Appliance } from './appliance.js'
import type { LineFault } from './line-faults.js'

/** Serves one client of an HSM until it goes, faults of the line included. */
export const serveConnection = (appliance: Appliance, socket: Socket): void => {
  const { hsm, queue } = appliance
  const session = hsm.open(socket.localPort === CLIENT_PORT)
  const onClose: (() => unknown)[] = []
  let dead = false
  socket.on('close', () => {
    hsm.close(session)
    for (const action of onClose) action()
  })
  const reply = (document: unknown): void => {
    if (!dead && !appliance.faults.has('silent')) sendLine(socket, document)
  }
  const time = (op: keyof Appliance['latencyMs']): number => appliance.latencyMs[op] + appliance.faults.slowMs

  queue.run(time('connect'), () => {
    const hello: Hello = {
      hsmId: appliance.hsmId,
      limited: appliance.faults.has('limited'),
      hsmType: hsm.hsmType,
      mode: appliance.mode,
      peers: appliance.peers(),
    }
    const fault = appliance.faults.strike('connect', null)
    if (fault?.kind === 'drop' || fault?.kind === 'refuse') socket.destroy()
    else if (fault) dead = true
    reply(hello)
  })

  readLines(socket, (line) => {
    const request = JSON.parse(line) as HsmRequest
    queue.run(time(request.op), () => {
      // An HSM that does not answer does not act either.
      if (appliance.faults.has('silent')) return
      const execute = (): object => execution(appliance, session, request)
      const fault = appliance.faults.strike(request.op, subjectOf(request))
      if (!fault) return reply(execute())
      strike(fault, {
        execute,
        reply,
        cut: () => socket.destroy(),
        fallSilent: () => {
          dead = true
        },
        onceGone: (action) => (socket.destroyed ? action() : onClose.push(action)),
        countRefusal: () => {
          const user = request.op === 'login' ? hsm.find(request.type, request.name) : undefined
          if (user) hsm.refuseLogin(user)
        },
      })
    })
  })
}

/** What a fault can do to a request. */
interface Struck {
  readonly execute: () => object
  readonly reply: (document: unknown) => void
  readonly cut: () => void
  readonly fallSilent: () => void
  readonly onceGone: (action: () => unknown) => void
  readonly countRefusal: () => void
}

const strike = (fault: LineFault, call: Struck): void => {
  if (fault.kind === 'refuse') call.reply(refused(STATUS.refusedByFault))
  else if (fault.kind === 'refuse-login') {
    if (fault.counted) call.countRefusal()
    call.reply(refused(STATUS.loginFailure))
  } else if (fault.kind === 'drop') {
    if (fault.executes) call.execute()
    call.cut()
  } else if (fault.kind === 'die-after') {
    call.execute()
    call.fallSilent()
  } else if (fault.kind === 'late') {
    call.fallSilent()
    call.onceGone(() => setTimeout(call.execute, fault.ms).unref())
  }
}

const execution = (appliance: Appliance, session: Session, request: HsmRequest): object => {
  const limited = appliance.faults.has('limited')
  if (request.op === 'e2e') return { ok: true, limited }
  if (limited && request.op !== 'list') return refused(STATUS.limited)
  return perform(appliance.hsm, session, request)
}

const subjectOf = (request: HsmRequest): string | null => ('name' in request ? keyOf(request.type, request.name) : null)
