import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { CredentialStore } from '../../domain/credential-store.js'
import { usageError } from '../../domain/errors.js'
import { parseStoreForm } from '../../domain/store-form.js'
import type { StoreKeys } from './age-box.js'

/**
 * Opens the store that `--store` names. What it holds is read once, so a wrong key is found here; whether it can be
 * written is a question of its own (`checkWritable`), since some commands only read. Each kind is loaded only where it
 * is wanted.
 * @throws {OperatorError} `STORE_MALFORMED_NAME`, `STORE_KEYS` (exit 2), `STORE_LOCKED`, `STORE_MALFORMED`,
 *   `STORE_UNREADABLE`, `STORE_MISSING` (exit 3)
 */
export const openCredentialStore = async (
  text: string,
  keys: StoreKeys,
  env: NodeJS.ProcessEnv = process.env,
): Promise<CredentialStore> => {
  const form = parseStoreForm(text)
  if (form.kind === 'file') return openFile(form.path, keys)
  if (keys.passphrase !== undefined || keys.identity !== undefined || keys.recipients.length > 0) {
    throw usageError('STORE_KEYS', `a ${form.kind}: store is not encrypted by this program, so it takes no keys`, [
      'leave out --store-passphrase, --store-recipient and --store-identity',
    ])
  }
  const store = form.kind === 'command' ? await commandStore(form.command, env) : await secretStore(form.id, env)
  await store.read('current')
  return store
}

/** Time for a command to read or write the store; a vault behind a slow line included. */
const COMMAND_TIMEOUT_MS = 60_000

const commandStore = async (command: string, env: NodeJS.ProcessEnv): Promise<CredentialStore> => {
  const { CommandStore } = await import('./command-store.js')
  return new CommandStore(command, { env, timeoutMs: COMMAND_TIMEOUT_MS })
}

const secretStore = async (id: string, env: NodeJS.ProcessEnv): Promise<CredentialStore> => {
  const { SecretsManagerStore } = await import('./secrets-manager/secrets-manager-store.js')
  return new SecretsManagerStore(id, env)
}

const openFile = async (path: string, keys: StoreKeys): Promise<CredentialStore> => {
  const [{ ageBox }, { AgeFileStore }] = await Promise.all([import('./age-box.js'), import('./age-file-store.js')])
  const box = ageBox(keys)
  const store = new AgeFileStore(path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(path), box)
  // Recipients and an identity that do not belong together would show only after the first write.
  if (keys.passphrase === undefined) await box.open(await box.seal('proof'), store.description)
  await store.checkReadable()
  return store
}
