import { z } from 'zod'
import type { CliConfigDocument } from '../../../domain/cli-config.js'
import { isClusterId } from '../../../domain/ids.js'
import { filledText, ipv4, OBJECT, oneOf, port, text } from '../../files/schema-fields.js'

const clusterId = text.refine(isClusterId, { error: 'expected a cluster ID' })

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
    { error: OBJECT },
  )
  const cluster = z.looseObject(
    {
      cluster_id: clusterId.optional(),
      hsm_ca_file: filledText.optional(),
      // An empty path is an error of the utility; without mutual TLS the keys are left out.
      client_cert_hsm_tls_path: filledText.optional(),
      client_key_hsm_tls_path: filledText.optional(),
      options: z.looseObject({}, { error: OBJECT }).optional(),
      servers: z.array(server, { error: 'expected a list' }).min(1, { error: 'expected at least one server' }),
    },
    { error: OBJECT },
  )
  return z
    .looseObject(
      {
        clusters: z
          .array(z.looseObject({ type: filledText, cluster }, { error: OBJECT }), { error: 'expected a list' })
          .min(1, { error: 'expected at least one cluster' }),
        logging: z
          .looseObject(
            {
              log_type: oneOf(['file', 'term']).optional(),
              log_file: filledText.optional(),
              log_level: oneOf(['error', 'warn', 'info', 'debug', 'trace']).optional(),
              log_interval: oneOf(['daily', 'hourly', 'weekly', 'never']).optional(),
            },
            { error: OBJECT },
          )
          .optional(),
      },
      { error: OBJECT },
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

/** A configuration as it is written. */
export const renderCliConfig = (document: CliConfigDocument): string => `${JSON.stringify(document, null, 2)}\n`
