import type { Server } from 'node:net'

/** Starts listening; resolves once it does, rejects with the system's error. */
export const listen = <S extends Server>(server: S, host: string, port: number): Promise<S> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject)
      resolve(server)
    })
  })

/** Stops listening; resolves when the port is free. */
export const stopListening = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
  })
