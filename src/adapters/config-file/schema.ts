import { isIPv4 } from 'node:net'
import { z } from 'zod'
import { isClusterId } from '../../domain/ids.js'
import { MAP_FORMAT } from './render.js'

const text = z.string({ error: 'expected text' })
const filledText = text.min(1, { error: 'expected text that is not empty' })
const yesNo = z.enum(['yes', 'no'], { error: 'expected "yes" or "no"' })
const port = z.int({ error: 'expected a port number' }).min(1).max(65_535)
const object = 'expected an object'

/** The settings of a server, whatever its address. Keys that are not named here pass. */
const serverSettings = {
  name: filledText,
  port,
  certificate: text.optional(),
  pkey: text.optional(),
  CAfile: text.optional(),
  CApath: text.optional(),
  server_ssl: yesNo.optional(),
  ssl_ciphers: text.optional(),
  // Nobody documents whether a disabled server keeps its number, and a wrong number is the wrong HSM.
  enable: z.literal('yes', { error: 'expected "yes"' }).optional(),
  e2e_encryption: z
    .looseObject({ enable: yesNo.optional(), owner_cert_path: text.optional() }, { error: object })
    .optional(),
}

const servers = <T extends z.ZodType>(server: T) =>
  z.looseObject(
    { servers: z.array(server, { error: 'expected a list' }).min(1, { error: 'expected at least one server' }) },
    { error: object },
  )

const ipv4 = text.refine(isIPv4, { error: 'expected an IPv4 address' })

/** A configuration of cloudhsm_mgmt_util that another one is made from: its addresses do not matter. */
export const cmuBaseSchema = servers(z.looseObject({ ...serverSettings, hostname: text }, { error: object }))

/** A configuration of cloudhsm_mgmt_util to work with. */
export const cmuSchema = servers(z.looseObject({ ...serverSettings, hostname: ipv4 }, { error: object }))

const clusterId = text.refine(isClusterId, { error: 'expected a cluster ID' })

/** One of these words. */
const oneOf = <const T extends readonly string[]>(words: T) =>
  z.enum(words, { error: `expected ${words.map((word) => `"${word}"`).join(' or ')}` })

/** Faults of a list in which no two elements may have the same value. */
const refuseTwice = (
  { issues }: { readonly issues: z.core.$ZodRawIssue[] },
  found: readonly { readonly value: string | undefined; readonly path: readonly PropertyKey[] }[],
  message: string,
): void => {
  for (const [index, { value, path }] of found.entries()) {
    if (value === undefined || found.findIndex((other) => other.value === value) === index) continue
    issues.push({ code: 'custom', message, path: [...path], input: value })
  }
}

/**
 * A configuration of cloudhsm-cli. Keys that are not named here pass. A missing `cluster_id`, another port and
 * `enable: false` have the right form; they are differences from what was generated.
 */
const cliConfig = <T extends z.ZodType<string>>(hostname: T) => {
  const server = z.looseObject(
    { hostname, port, enable: z.boolean({ error: 'expected true or false' }).optional() },
    { error: object },
  )
  const cluster = z.looseObject(
    {
      cluster_id: clusterId.optional(),
      hsm_ca_file: filledText.optional(),
      // An empty path is an error of the utility; without mutual TLS the keys are left out.
      client_cert_hsm_tls_path: filledText.optional(),
      client_key_hsm_tls_path: filledText.optional(),
      options: z.looseObject({}, { error: object }).optional(),
      servers: z.array(server, { error: 'expected a list' }).min(1, { error: 'expected at least one server' }),
    },
    { error: object },
  )
  return z
    .looseObject(
      {
        clusters: z
          .array(z.looseObject({ type: filledText, cluster }, { error: object }), { error: 'expected a list' })
          .min(1, { error: 'expected at least one cluster' }),
        logging: z
          .looseObject(
            {
              log_type: oneOf(['file', 'term']).optional(),
              log_file: filledText.optional(),
              log_level: oneOf(['error', 'warn', 'info', 'debug', 'trace']).optional(),
              log_interval: oneOf(['daily', 'hourly', 'weekly', 'never']).optional(),
            },
            { error: object },
          )
          .optional(),
      },
      { error: object },
    )
    .check(({ value: { clusters }, issues }) => {
      const ids = clusters.map(({ cluster: { cluster_id } }, at) => ({
        value: cluster_id,
        path: ['clusters', at, 'cluster', 'cluster_id'],
      }))
      refuseTwice({ issues }, ids, 'expected each cluster once')
      const addresses = clusters.flatMap(({ cluster }, at) =>
        cluster.servers.map((one, place) => ({
          value: one.hostname as string,
          path: ['clusters', at, 'cluster', 'servers', place, 'hostname'],
        })),
      )
      refuseTwice({ issues }, addresses, 'expected each address once')
    })
}

/** A configuration of cloudhsm-cli that another one is made from: its addresses do not matter. */
export const cliBaseSchema = cliConfig(text)

/** A configuration of cloudhsm-cli to work with. */
export const cliSchema = cliConfig(ipv4)

/** A configuration of neither utility, to say so. */
export const anySchema = z
  .looseObject({}, { error: object })
  .refine(() => false, { error: 'expected "servers" (cloudhsm_mgmt_util) or "clusters" (cloudhsm-cli)' })

const role = z.enum(['source', 'destination'], { error: 'expected "source" or "destination"' })
const hsmId = text.regex(/^hsm-[2-7a-zA-Z]+$/, { error: 'expected an HSM ID' })

const sha256 = text.regex(/^[0-9a-f]{64}$/, { error: 'expected a SHA-256 in hexadecimal' })

/** The map beside a configuration. */
export const mapSchema = z.object(
  {
    format: z.literal(MAP_FORMAT, { error: `expected "${MAP_FORMAT}"` }),
    generatedAt: filledText,
    // Maps written before there was a choice have none.
    utility: oneOf(['cmu', 'cloudhsm-cli']).optional(),
    sha256,
    clusters: z
      .array(z.object({ clusterId, region: filledText, profile: text.nullable(), role }, { error: object }), {
        error: 'expected a list',
      })
      .min(1, { error: 'expected at least one cluster' }),
    servers: z
      .array(
        z.object(
          {
            serverId: z.int({ error: 'expected a server ID' }),
            hsmId,
            eniIp: ipv4,
            clusterId,
            region: filledText,
            role,
          },
          { error: object },
        ),
        { error: 'expected a list' },
      )
      .min(1, { error: 'expected at least one server' }),
    proofConfigs: z.array(z.object({ hsmId, sha256 }, { error: object }), { error: 'expected a list' }).optional(),
  },
  { error: object },
)
