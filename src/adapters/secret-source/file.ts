import type { Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { OperatorError, usageError } from '../../domain/errors.js'
import type { Secret } from '../../domain/secret.js'
import type { SecretUse } from '../../domain/secret-source.js'
import { fileTrouble } from '../files/trouble.js'
import { secretIn } from './secret-text.js'

/** In bytes. No password and no list of identities is longer; the wrong file may be. */
const LARGEST = 64 * 1024

/**
 * The first line of a file. A leading `~/` is the home folder: a shell does not expand it behind `file:`.
 * @param warn told when other users of this machine can read the file
 * @throws {OperatorError} `SECRET_FILE` (exit 2)
 */
export const fromFile = async (path: string, use: SecretUse, warn: (text: string) => void): Promise<Secret> => {
  const { text, stats } = await readSecretFile(path, use)
  if (stats.isFile() && (stats.mode & 0o044) !== 0) {
    warn(`Warning: ${path} can be read by other users of this machine; chmod 600 ${path}`)
  }
  const secret = secretIn(text, use)
  if (secret === null) throw unusable(path, use, text === '' ? 'is empty' : 'has an empty first line')
  return secret
}

const readSecretFile = async (path: string, use: SecretUse): Promise<{ text: string; stats: Stats }> => {
  try {
    const file = await open(path.startsWith('~/') ? join(homedir(), path.slice(2)) : path, 'r')
    try {
      const stats = await file.stat()
      if (stats.size > LARGEST) throw unusable(path, use, `has ${stats.size} bytes, more than any password`)
      return { text: await file.readFile('utf8'), stats }
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof OperatorError) throw error
    throw unusable(path, use, fileTrouble(error))
  }
}

const unusable = (path: string, use: SecretUse, why: string) =>
  usageError('SECRET_FILE', `${use.flag} takes the ${use.what} from the file ${path}, which ${why}`, [
    'write it as the first line of a file that only you can read',
  ])
