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

/** A configuration another one is made from: its addresses do not matter. */
export const baseSchema = servers(z.looseObject({ ...serverSettings, hostname: text }, { error: object }))

/** A configuration to work with. */
export const configSchema = servers(
  z.looseObject(
    { ...serverSettings, hostname: text.refine(isIPv4, { error: 'expected an IPv4 address' }) },
    { error: object },
  ),
)

const clusterId = text.refine(isClusterId, { error: 'expected a cluster ID' })
const role = z.enum(['source', 'destination'], { error: 'expected "source" or "destination"' })
const hsmId = text.regex(/^hsm-[2-7a-zA-Z]+$/, { error: 'expected an HSM ID' })

/** The map beside a configuration. */
export const mapSchema = z.object(
  {
    format: z.literal(MAP_FORMAT, { error: `expected "${MAP_FORMAT}"` }),
    generatedAt: filledText,
    sha256: text.regex(/^[0-9a-f]{64}$/, { error: 'expected a SHA-256 in hexadecimal' }),
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
            eniIp: text.refine(isIPv4, { error: 'expected an IPv4 address' }),
            clusterId,
            region: filledText,
            role,
          },
          { error: object },
        ),
        { error: 'expected a list' },
      )
      .min(1, { error: 'expected at least one server' }),
  },
  { error: object },
)
