import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { CredentialStore } from '../../domain/credential-store.js'
import { parseStoreForm } from '../../domain/store-form.js'
import { ageBox, type StoreKeys } from './age-box.js'
import { AgeFileStore } from './age-file-store.js'

/**
 * Opens the store that `--store` names. What it holds is decrypted once, so a wrong key is found here; whether it can
 * be written is a question of its own (`checkWritable`), since some commands only read.
 * @throws {OperatorError} `STORE_MALFORMED_NAME`, `STORE_NOT_SUPPORTED`, `STORE_KEYS` (exit 2),
 *   `STORE_LOCKED`, `STORE_MALFORMED`, `STORE_UNREADABLE` (exit 3)
 */
export const openCredentialStore = async (text: string, keys: StoreKeys): Promise<CredentialStore> => {
  const { path } = parseStoreForm(text)
  const box = ageBox(keys)
  const store = new AgeFileStore(path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(path), box)
  // Recipients and an identity that do not belong together would show only after the first write.
  if (keys.passphrase === undefined) await box.open(await box.seal('proof'), store.description)
  await store.checkReadable()
  return store
}
