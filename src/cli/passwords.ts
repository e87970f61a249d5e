import { usageError } from '../domain/errors.js'
import { type HsmUserRef, sameUser, type UserKey, userKey } from '../domain/hsm-user.js'
import { generatePassword, requireNewPassword, requireTypable } from '../domain/password.js'
import type { Secret } from '../domain/secret.js'
import { parseUserSecret, type UserSecretForm } from '../domain/secret-form.js'
import type { SecretSource } from '../domain/secret-source.js'

/** What a repeated `[USER=]SECRET` flag says, checked before anything is asked. */
export interface PasswordFlag {
  readonly flag: '--new-password' | '--current-password' | '--password'
  readonly forms: readonly UserSecretForm[]
}

/** @throws {OperatorError} `LITERAL_SECRET`, `PASSWORD_TWICE` (exit 2) */
export const readPasswordFlag = (flag: PasswordFlag['flag'], texts: readonly string[] | undefined): PasswordFlag => {
  const forms = (texts ?? []).map((text) => parseUserSecret(text, flag, { generate: flag === '--new-password' }))
  for (const [index, { user }] of forms.entries()) {
    const earlier = forms.slice(0, index).some((form) => sameOwner(form.user, user))
    if (!earlier) continue
    throw usageError('PASSWORD_TWICE', `${flag} is given twice for ${user === null ? 'all users' : userKey(user)}`)
  }
  return { flag, forms }
}

/** Whether the new passwords are made by this program. */
export const isGenerated = ({ forms }: PasswordFlag): boolean => forms.every(({ form }) => form.kind === 'generate')

/**
 * Fetches the passwords, one per user; a form that serves several users is asked for once.
 * @throws {OperatorError} `PASSWORD_MISSING`, `PASSWORD_FOR_NOBODY`, `PASSWORD_RULES` (exit 2), and the source's own
 */
export const resolvePasswords = async (
  { flag, forms }: PasswordFlag,
  users: readonly HsmUserRef[],
  source: SecretSource,
): Promise<ReadonlyMap<UserKey, Secret>> => {
  if (forms.length === 0) return new Map()
  const stranger = forms.find(({ user }) => user !== null && !users.some((candidate) => sameUser(candidate, user)))
  if (stranger?.user) {
    throw usageError('PASSWORD_FOR_NOBODY', `${flag} names ${userKey(stranger.user)}, which takes no part`, [
      `--user ${userKey(stranger.user)}`,
    ])
  }
  const fetched = new Map<UserSecretForm, Secret>()
  const passwords = new Map<UserKey, Secret>()
  for (const user of users) {
    const form =
      forms.find((candidate) => sameOwner(candidate.user, user)) ?? forms.find(({ user: all }) => all === null)
    if (form === undefined) {
      throw usageError('PASSWORD_MISSING', `${flag} says nothing about ${userKey(user)}`, [
        `${flag} ${userKey(user)}=prompt`,
      ])
    }
    passwords.set(userKey(user), fetched.get(form) ?? (await fetch(form, flag, user, source)))
    const secret = passwords.get(userKey(user))
    if (secret !== undefined && form.form.kind !== 'generate') fetched.set(form, secret)
  }
  return passwords
}

const fetch = async (
  { form, user: owner }: UserSecretForm,
  flag: PasswordFlag['flag'],
  user: HsmUserRef,
  source: SecretSource,
): Promise<Secret> => {
  if (form.kind === 'generate') return generatePassword()
  const whose = owner === null ? 'the users' : userKey(user)
  if (flag === '--new-password') {
    const secret = await source.resolve(form, { flag, what: `new password of ${whose}`, confirm: true })
    requireNewPassword(secret, userKey(user))
    return secret
  }
  const kind = flag === '--password' ? 'password' : 'current password'
  const secret = await source.resolve(form, { flag, what: `${kind} of ${whose}` })
  requireTypable(secret, userKey(user))
  return secret
}

const sameOwner = (a: HsmUserRef | null, b: HsmUserRef | null): boolean =>
  a === null || b === null ? a === b : sameUser(a, b)
