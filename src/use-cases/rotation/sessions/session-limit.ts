import pLimit from 'p-limit'
import type { HsmConsole } from '../../../domain/hsm-console.js'

/**
 * The same console with no more than `most` sessions open at once; whoever wants another waits until one is closed. So
 * nobody may open a session while holding one.
 */
export const limitSessions = (console: HsmConsole, most: number): HsmConsole => {
  const limit = pLimit(most)
  return {
    utility: console.utility,
    checkCopying: () => console.checkCopying(),
    open: (servers) =>
      new Promise((resolve, reject) => {
        void limit(async () => {
          try {
            const session = await console.open(servers)
            await new Promise<void>((closed) => {
              const close = session.close.bind(session)
              session.close = () => close().finally(closed)
              resolve(session)
            })
          } catch (error) {
            reject(error)
          }
        })
      }),
  }
}
