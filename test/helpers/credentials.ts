import type { CredentialVersion, PendingCredentials } from '../../src/domain/credential-store.js'
import type { UserKey } from '../../src/domain/hsm-user.js'
import type { ClusterId, HsmId, RotationId } from '../../src/domain/ids.js'
import { Secret } from '../../src/domain/secret.js'

/** The credentials of a rotation with invented clusters. */
export const credentialsOf = (rotationId: string, users: Readonly<Record<string, string>>): PendingCredentials => ({
  rotationId: rotationId as RotationId,
  clusters: ['cluster-aaaaaaaaaaa', 'cluster-bbbbbbbbbbb'] as ClusterId[],
  restorePoint: 'hsm-bbbbbbbbbb2' as HsmId,
  startedAt: '2026-03-01T03:15:00.000Z',
  users: new Map(Object.entries(users).map(([user, text]) => [user as UserKey, new Secret(text)])),
})

/** User to password, for comparing. */
export const passwordsIn = (version: CredentialVersion | null): Readonly<Record<string, string>> | null =>
  version === null ? null : Object.fromEntries([...version.users].map(([user, secret]) => [user, secret.reveal()]))
