import { z } from 'zod'
import type { CredentialVersion } from '../../../domain/credential-store.js'
import type { UserKey } from '../../../domain/hsm-user.js'
import { isUserText } from '../../../domain/hsm-user-text.js'
import { parseVersion, renderVersion, versionSchema } from '../store-document.js'

/** What one version of the secret holds. Versions never change. */
export interface SecretVersion {
  /** Every user, so that the version can become AWSCURRENT by moving a label alone. */
  readonly all: CredentialVersion
  /** The users whose credential this version renewed; none where it only writes down what was proved. */
  readonly rotated: readonly UserKey[]
}

const schema = versionSchema.extend({ rotated: z.array(z.string().refine(isUserText)) })

/** The JSON document of a version. It holds passwords. */
export const renderSecretVersion = ({ all, rotated }: SecretVersion): string =>
  JSON.stringify({ ...renderVersion(all), rotated })

/** Null where the text is something else. */
export const parseSecretVersion = (text: string): SecretVersion | null => {
  const result = schema.safeParse(jsonIn(text))
  if (!result.success) return null
  return { all: parseVersion(result.data), rotated: result.data.rotated as UserKey[] }
}

/** The users that a version renewed, alone. */
export const renewed = ({ all, rotated }: SecretVersion): CredentialVersion => {
  const wanted = new Set(rotated)
  return { ...all, users: new Map([...all.users].filter(([user]) => wanted.has(user))) }
}

const jsonIn = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    // JSON.parse quotes its input, which may hold passwords.
    return undefined
  }
}
