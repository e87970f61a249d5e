import { z } from 'zod'
import type { ConfigDocument } from '../../../domain/merged-config.js'
import { filledText, ipv4, OBJECT, port, text } from '../../files/schema-fields.js'

const yesNo = z.enum(['yes', 'no'], { error: 'expected "yes" or "no"' })

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
    .looseObject({ enable: yesNo.optional(), owner_cert_path: text.optional() }, { error: OBJECT })
    .optional(),
}

const servers = <T extends z.ZodType>(server: T) =>
  z.looseObject(
    { servers: z.array(server, { error: 'expected a list' }).min(1, { error: 'expected at least one server' }) },
    { error: OBJECT },
  )

/** A configuration of cloudhsm_mgmt_util that another one is made from: its addresses do not matter. */
export const cmuBaseSchema = servers(z.looseObject({ ...serverSettings, hostname: text }, { error: OBJECT }))

/** A configuration of cloudhsm_mgmt_util to work with. */
export const cmuSchema = servers(z.looseObject({ ...serverSettings, hostname: ipv4 }, { error: OBJECT }))

/** Laid out as AWS's configure tool does. */
export const renderCmuConfig = (document: ConfigDocument): string => `${JSON.stringify(document, null, 4)}\n`
