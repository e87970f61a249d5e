import { z } from 'zod'
import type { CredentialVersion } from '../../domain/credential-store.js'
import type { CredentialVersions } from '../../domain/credential-versions.js'
import { refusal } from '../../domain/errors.js'
import type { UserKey } from '../../domain/hsm-user.js'
import { isUserText } from '../../domain/hsm-user-text.js'
import type { ClusterId, RotationId, UnitId } from '../../domain/ids.js'
import { Secret } from '../../domain/secret.js'

const FORMAT = 'lockstep-credentials/1'

/** One version as every store writes it. */
export const versionSchema = z.object({
  rotationId: z.string().nullable(),
  clusters: z.array(z.string()),
  restorePoint: z.string().nullable(),
  startedAt: z.string(),
  users: z.record(z.string().refine(isUserText), z.string()),
})

const documentSchema = z.object({
  format: z.literal(FORMAT),
  promoted: z.string().nullable(),
  pending: versionSchema.nullable(),
  current: versionSchema.nullable(),
  previous: versionSchema.nullable(),
})

type VersionDocument = z.infer<typeof versionSchema>

/** The text that is encrypted. It holds passwords. */
export const renderStore = (versions: CredentialVersions): string =>
  JSON.stringify({
    format: FORMAT,
    promoted: versions.promoted,
    pending: orNull(versions.pending, renderVersion),
    current: orNull(versions.current, renderVersion),
    previous: orNull(versions.previous, renderVersion),
  })

/**
 * @param name whose text this is, for the error
 * @throws {OperatorError} `STORE_MALFORMED` (exit 3), which names the place and never the text
 */
export const parseStore = (text: string, name: string): CredentialVersions => {
  const result = documentSchema.safeParse(parseJson(text))
  if (!result.success) {
    const path = result.error.issues[0]?.path.slice(0, 2).join('.') ?? ''
    throw refusal(
      'STORE_MALFORMED',
      `${name} holds something else than credentials${path === '' ? '' : ` (at "${path}")`}`,
      ['check --store; it names a file that this program has written'],
    )
  }
  const { promoted, pending, current, previous } = result.data
  return {
    promoted: promoted as RotationId | null,
    pending: orNull(pending, parseVersion),
    current: orNull(current, parseVersion),
    previous: orNull(previous, parseVersion),
  }
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    // JSON.parse quotes its input, which holds passwords.
    return undefined
  }
}

/** Users are named `CU:name`. */
export const renderVersion = (version: CredentialVersion): VersionDocument => ({
  rotationId: version.rotationId,
  clusters: [...version.clusters],
  restorePoint: version.restorePoint,
  startedAt: version.startedAt,
  users: Object.fromEntries([...version.users].map(([user, secret]) => [user, secret.reveal()])),
})

/** The version a document describes. */
export const parseVersion = (document: VersionDocument): CredentialVersion => ({
  rotationId: document.rotationId as RotationId | null,
  clusters: document.clusters as ClusterId[],
  restorePoint: document.restorePoint as UnitId | null,
  startedAt: document.startedAt,
  users: new Map(Object.entries(document.users).map(([user, text]) => [user as UserKey, new Secret(text)])),
})

const orNull = <A, B>(value: A | null, map: (value: A) => B): B | null => (value === null ? null : map(value))
