import { z } from 'zod'
import { isClusterId } from '../../domain/ids.js'
import { filledText, ipv4, OBJECT, oneOf, text } from '../files/schema-fields.js'
import { MAP_FORMAT } from './render.js'

/** A configuration of neither utility, to say so. */
export const anySchema = z
  .looseObject({}, { error: OBJECT })
  .refine(() => false, { error: 'expected "servers" (cloudhsm_mgmt_util) or "clusters" (cloudhsm-cli)' })

const clusterId = text.refine(isClusterId, { error: 'expected a cluster ID' })
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
      .array(z.object({ clusterId, region: filledText, profile: text.nullable(), role }, { error: OBJECT }), {
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
          { error: OBJECT },
        ),
        { error: 'expected a list' },
      )
      .min(1, { error: 'expected at least one server' }),
    proofConfigs: z.array(z.object({ hsmId, sha256 }, { error: OBJECT }), { error: 'expected a list' }).optional(),
  },
  { error: OBJECT },
)
