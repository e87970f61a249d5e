import { type ClusterRef, showClusterRef } from '../domain/cluster.js'
import { type OperatorError, refusal, usageError } from '../domain/errors.js'
import type { HsmUserRef } from '../domain/hsm-user.js'
import { parseOfficer } from '../domain/hsm-user-text.js'
import type { ClusterId } from '../domain/ids.js'
import { requireTypable } from '../domain/password.js'
import { parseClusterSecret, type SecretForm } from '../domain/secret-form.js'
import type { SecretSource } from '../domain/secret-source.js'
import type { OfficerLogin, OfficerOf } from '../use-cases/rotation/ports.js'
import { parseClusterRef } from './flags.js'
import { requireFlag } from './rotation-flags.js'

const OFFICER = '--officer'
const PASSWORD = '--officer-password'

/** Flags that name officers, as oclif hands them over. */
export interface OfficerFlagValues {
  readonly officer?: readonly string[] | undefined
  readonly 'officer-password'?: readonly string[] | undefined
}

/** Who works on one cluster of the rotation, and where the password comes from. */
export interface ClusterOfficer {
  readonly cluster: ClusterRef
  readonly user: HsmUserRef
  readonly form: SecretForm
  /** Whether the password was given for this cluster by name. */
  readonly ownPassword: boolean
}

/**
 * Reads `--officer [CLUSTER=]NAME` and `--officer-password [CLUSTER=]SECRET`, for each of these clusters. What names no
 * cluster holds for all that are not named.
 * @param clusters all that take part
 * @param perhaps clusters that may take part later, and of which an officer may be named
 * @throws {OperatorError} exit 2: `FLAG_MISSING`, `OFFICER_MALFORMED`, `BAD_CLUSTER_REFERENCE`, `LITERAL_SECRET`,
 * `OFFICER_FOR_NOBODY`, `OFFICER_TWICE`, `OFFICER_MISSING`, `OFFICER_PASSWORD_MISSING`
 */
export const readOfficers = (
  flags: OfficerFlagValues,
  clusters: readonly ClusterRef[],
  perhaps: readonly ClusterRef[] = [],
): readonly ClusterOfficer[] => {
  const all = [...clusters, ...perhaps]
  const officers = perCluster(OFFICER, requireFlag(flags.officer, OFFICER, `${OFFICER} admin`).map(readOfficer), all)
  const passwords = perCluster(
    PASSWORD,
    requireFlag(flags['officer-password'], PASSWORD, `${PASSWORD} prompt`).map((text) =>
      parseClusterSecret(text, PASSWORD),
    ),
    all,
  )
  return all.flatMap((cluster): readonly ClusterOfficer[] => {
    const own = passwords.of.get(cluster.clusterId)
    const user = officers.of.get(cluster.clusterId) ?? officers.common
    const form = own ?? passwords.common
    if (user !== undefined && form !== undefined) return [{ cluster, user, form, ownPassword: own !== undefined }]
    if (perhaps.includes(cluster)) return []
    throw user === undefined ? noOfficer(cluster, own !== undefined, form !== undefined) : noPassword(cluster, user)
  })
}

/**
 * Fetches the passwords. A SECRET that serves several clusters is asked for once; a prompt names officer and clusters.
 * @throws {OperatorError} `PASSWORD_RULES` (exit 2), and the source's own
 */
export const resolveOfficers = async (
  officers: readonly ClusterOfficer[],
  source: SecretSource,
): Promise<OfficerOf> => {
  const logins = new Map<ClusterId, OfficerLogin>()
  for (const sharing of grouped(officers, secretKey)) {
    const password = await source.resolve(sharing[0].form, { flag: PASSWORD, what: whose(sharing, officers.length) })
    for (const same of grouped(sharing, ({ user }) => `${user.type} ${user.name.toLowerCase()}`)) {
      const [{ user }] = same
      requireTypable(password, `CO:${user.name}`)
      const login = { user, password }
      for (const { cluster } of same) logins.set(cluster.clusterId, login)
    }
  }
  return (clusterId) => {
    const login = logins.get(clusterId)
    if (login !== undefined) return login
    throw refusal('OFFICER_MISSING', `no officer is named for ${clusterId}, which takes part since it is back`, [
      `${OFFICER} ${clusterId}=NAME ${PASSWORD} ${clusterId}=prompt`,
    ])
  }
}

interface Said<T> {
  readonly cluster: ClusterRef | null
  readonly value: T
}

const readOfficer = (text: string): Said<HsmUserRef> => {
  const at = text.indexOf('=')
  if (at < 0) return { cluster: null, value: parseOfficer(text) }
  return { cluster: parseClusterRef(text.slice(0, at)), value: parseOfficer(text.slice(at + 1)) }
}

/** What one flag says of all clusters and of single ones. */
const perCluster = <T>(
  flag: string,
  said: readonly Said<T>[],
  clusters: readonly ClusterRef[],
): { readonly common: T | undefined; readonly of: ReadonlyMap<ClusterId, T> } => {
  const of = new Map<ClusterId, T>()
  let common: T | undefined
  for (const { cluster, value } of said) {
    if (cluster === null) {
      if (common !== undefined) throw twice(flag, 'every cluster that is not named')
      common = value
      continue
    }
    if (!clusters.some((candidate) => isMeant(candidate, cluster))) throw forNobody(flag, cluster, clusters)
    if (of.has(cluster.clusterId)) throw twice(flag, showClusterRef(cluster))
    of.set(cluster.clusterId, value)
  }
  return { common, of }
}

/** Where both say a Region or a profile, they have to agree. */
const isMeant = (cluster: ClusterRef, named: ClusterRef): boolean =>
  cluster.clusterId === named.clusterId &&
  (named.region ?? cluster.region) === (cluster.region ?? named.region) &&
  (named.profile ?? cluster.profile) === (cluster.profile ?? named.profile)

/** A prompt that was given for one cluster asks for that cluster; one given for all asks once for each officer. */
const secretKey = ({ form, cluster, user, ownPassword }: ClusterOfficer): string =>
  form.kind === 'prompt'
    ? `prompt ${ownPassword ? cluster.clusterId : ''} ${user.name.toLowerCase()}`
    : JSON.stringify(form)

const whose = (sharing: readonly ClusterOfficer[], all: number): string => {
  const names = [...new Set(sharing.map(({ user }) => user.name))].join(', ')
  const where = sharing.map(({ cluster }) => showClusterRef(cluster)).join(', ')
  return `password of the officer ${names}${sharing.length === all ? '' : ` on ${where}`}`
}

const grouped = <T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly [T, ...T[]])[] => {
  const groups = new Map<string, [T, ...T[]]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return [...groups.values()]
}

const twice = (flag: string, whom: string): OperatorError =>
  usageError('OFFICER_TWICE', `${flag} is given twice for ${whom}`)

const forNobody = (flag: string, named: ClusterRef, clusters: readonly ClusterRef[]): OperatorError =>
  usageError(
    'OFFICER_FOR_NOBODY',
    `${flag} names ${showClusterRef(named)}, which takes no part in this rotation`,
    clusters.map((cluster) => `${flag} ${showClusterRef(cluster)}=${flag === OFFICER ? 'NAME' : 'SECRET'}`),
  )

/**
 * @param hasOwn whether a password is given for this cluster by name
 * @param hasPassword whether one is given that would hold for it
 */
const noOfficer = (cluster: ClusterRef, hasOwn: boolean, hasPassword: boolean): OperatorError => {
  const ref = showClusterRef(cluster)
  const together = (whom: string) => (hasPassword ? '' : ` ${PASSWORD} ${whom}prompt`)
  return usageError(
    'OFFICER_MISSING',
    hasOwn ? `${PASSWORD} is given for ${ref}, but no officer is` : `${OFFICER} says nothing about ${ref}`,
    [
      `${OFFICER} ${ref}=NAME${together(`${ref}=`)}`,
      `${OFFICER} NAME${together('')} for every cluster that is not named`,
    ],
  )
}

const noPassword = (cluster: ClusterRef, { name }: HsmUserRef): OperatorError => {
  const ref = showClusterRef(cluster)
  return usageError('OFFICER_PASSWORD_MISSING', `${PASSWORD} says nothing about ${ref}, whose officer is "${name}"`, [
    `${PASSWORD} ${ref}=prompt`,
    `${PASSWORD} prompt for every cluster that is not named`,
  ])
}
