import type { CredentialStore } from '../domain/credential-store.js'
import { refusal } from '../domain/errors.js'

const none = async (): Promise<never> => {
  throw refusal('STORE_MISSING', 'no store was named, and this needs one', ['--store file:/path/to/credentials.age'])
}

/** In the place of a store where none is needed: a repair copies what an HSM holds, and nothing of it is kept. */
export const NO_STORE: CredentialStore = {
  description: 'no store',
  onThisMachine: false,
  checkWritable: async () => {},
  read: none,
  putPending: none,
  promote: none,
  discardPending: none,
}
