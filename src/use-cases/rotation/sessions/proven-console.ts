import { refusal } from '../../../domain/errors.js'
import type { HsmConsole } from '../../../domain/hsm-console.js'
import { contradiction, isKnown, type SerialObservation } from '../../../domain/serial-numbers.js'

/** What was seen of serial numbers before, and where new sights go. */
export interface SerialRecord {
  readonly known: () => readonly SerialObservation[]
  readonly learn: (seen: SerialObservation) => Promise<void>
}

/**
 * The same console, whose sessions show the serial numbers that the HSMs of their clusters showed in all sessions before,
 * also of earlier invocations. Where HSMs are proved by their IDs there are none. Asked of every session, before its first
 * login: an HSM that could not be reached then is no reason not to ask the others.
 */
export const provenConsole = (console: HsmConsole, record: SerialRecord): HsmConsole => ({
  utility: console.utility,
  checkCopying: () => console.checkCopying(),
  open: async (servers) => {
    const session = await console.open(servers)
    try {
      for (const seen of session.serials) {
        const known = record.known()
        const why = contradiction(known, seen)
        if (why !== null) throw otherSerials(seen, why)
        if (!isKnown(known, seen)) await record.learn(seen)
      }
      return session
    } catch (error) {
      await session.close()
      throw error
    }
  },
})

const otherSerials = ({ clusterId }: SerialObservation, why: string) =>
  refusal('OTHER_SERIALS', `other HSMs than before may answer: ${why}; nothing was sent to them`, [
    `where AWS has replaced an HSM of ${clusterId} under its ID: resume or roll back with --accept-new-serials ${clusterId}, or start again where nothing was begun`,
    'lockstep clusters list   shows what AWS reports now',
    'if neither explains it, find out who answers there before any password is sent',
  ])
