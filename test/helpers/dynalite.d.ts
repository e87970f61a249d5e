declare module 'dynalite' {
  import type { Server } from 'node:http'
  /** A DynamoDB that keeps everything in memory. Not listening yet. */
  const dynalite: (options: { readonly createTableMs: number; readonly deleteTableMs: number }) => Server
  export default dynalite
}
