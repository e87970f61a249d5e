import { z } from 'zod'

/** An object that refuses keys it does not know, and names those it does. */
const object = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown key ${(issue.keys as string[]).map((key) => `"${key}"`).join(', ')}; known are ${Object.keys(shape).join(', ')}`
        : undefined,
  })

const pattern = (regex: RegExp, what: string) => z.string().regex(regex, `must be ${what}`)
const clusterId = pattern(/^cluster-[2-7a-zA-Z]{11,16}$/, '"cluster-" and 11 to 16 characters of 2-7, a-z, A-Z')
const hsmId = pattern(/^hsm-[2-7a-zA-Z]{11,16}$/, '"hsm-" and 11 to 16 characters of 2-7, a-z, A-Z')
const region = pattern(/^[a-z]{2}(-[a-z]+)+-\d$/, 'a Region name such as eu-west-1')
const account = pattern(/^\d{12}$/, 'an account number of 12 digits, in quotes')
const loopback = pattern(/^127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/, 'an address of the 127/8 block')
const milliseconds = z.number().min(0).max(3_600_000)

const user = object({
  type: z.enum(['CO', 'CU', 'AU', 'PCO', 'PRECO']),
  name: pattern(/^[A-Za-z0-9_]{1,31}$/, 'a user name: 1 to 31 letters, digits or "_"'),
  password: z.string().min(7).max(32).optional(),
  id: z.int().min(1).optional(),
  mofnPubKey: z.boolean().optional(),
  twoFactor: z.boolean().optional(),
  failures: z.int().min(0).optional(),
  absent: z.boolean().optional(),
})

const hsm = object({
  hsmId: hsmId.optional(),
  eniIp: loopback.optional(),
  state: z.string().max(32).optional(),
  users: z.array(user).optional(),
})

const cluster = object({
  clusterId: clusterId.optional(),
  region,
  account: account.optional(),
  hsmType: z.string().max(32).optional(),
  mode: z.enum(['FIPS', 'NON_FIPS', 'absent']).optional(),
  state: z.string().max(32).optional(),
  hsms: z.union([z.int().min(0).max(28), z.array(hsm).max(28)], {
    error: 'must be a number from 0 to 28 or a list of HSMs',
  }),
  clonedFrom: clusterId.optional(),
  backupGone: z.boolean().optional(),
  certificate: z.enum(['shown', 'absent', 'unreadable']).optional(),
  tags: z.record(z.string().max(128), z.string().max(256)).optional(),
  users: z.array(user).optional(),
  quorum: z.int().min(0).max(8).optional(),
})

const family = object({
  name: z.string().min(1).max(64),
  users: z.array(user).optional(),
  clusters: z.array(cluster).min(1),
})

const latency = object({
  default: milliseconds.optional(),
  connect: milliseconds.optional(),
  login: milliseconds.optional(),
  logout: milliseconds.optional(),
  list: milliseconds.optional(),
  change: milliseconds.optional(),
  create: milliseconds.optional(),
  delete: milliseconds.optional(),
  extract: milliseconds.optional(),
  insert: milliseconds.optional(),
  restore: milliseconds.optional(),
  replicate: milliseconds.optional(),
  quorum: milliseconds.optional(),
  e2e: milliseconds.optional(),
})

const behaviour = object({
  syncUserExisting: z.enum(['overwrite', 'refuse', 'ignore']).default('overwrite'),
  syncUserMatches: z.enum(['id', 'name']).default('id'),
  syncUserOntoLoggedIn: z.enum(['deny', 'allow']).default('deny'),
  loginResetsFailures: z.boolean().default(true),
  loginWithoutSecondFactor: z.enum(['refuse', 'count', 'accept']).default('refuse'),
  syncResetsFailures: z.boolean().default(false),
  unreachableEndsUtility: z.boolean().default(true),
  connectTimeoutMs: milliseconds.default(120_000),
  promptStyle: z.enum(['compact', 'spaced', 'wide']).default('compact'),
  successLines: z.boolean().default(true),
  e2eLines: z.boolean().default(true),
  ignoringE2eLine: z.boolean().default(false),
  modeText: z.enum(['E2', 'E2E']).default('E2'),
  cautionWording: z.enum(['aws', 'cav']).default('aws'),
  cautionBlankLine: z.boolean().default(false),
  createUserWording: z.enum(['command', 'sentence']).default('command'),
  syncUserWording: z.enum(['aws', 'sibling']).default('aws'),
  syncRefusalLine: z.boolean().default(true),
  syncUserOfficers: z.enum(['any', 'same']).default('any'),
  ownerCertificateChecked: z.boolean().default(false),
  userReplicateExisting: z.enum(['overwrite', 'refuse', 'ignore']).default('overwrite'),
  quorumGatesOwnPassword: z.boolean().default(false),
  cliVersion: pattern(/^\d+\.\d+\.\d+$/, 'a version such as 5.17.1').default('5.17.1'),
  cliExitStatus: z.enum(['error-code', 'zero']).default('error-code'),
  cliPromptStream: z.enum(['terminal', 'stdout', 'stderr']).default('terminal'),
  cliConfigOption: z.boolean().default(true),
  cliDiscovery: z.boolean().default(true),
  cliUnreachable: z.enum(['skip', 'fail']).default('skip'),
  cliLoginRefusedByOne: z.enum(['failure', 'success']).default('failure'),
  cliLostInHsmInfo: z.enum(['left-out', 'listed']).default('left-out'),
  cliReadingLogsIn: z.boolean().default(true),
  cliTimeoutMs: milliseconds.default(87_200),
  addedHsmUsers: z.enum(['sibling', 'original']).default('sibling'),
})

/** The fleet file. What `design.md` shows of it is contract; the rest has defaults. */
export const fleetFile = object({
  version: z.literal(1, { error: 'must be 1' }),
  families: z.array(family).min(1),
  accounts: z.array(object({ account, accessKeyId: z.string().min(16).max(128).optional() })).optional(),
  latencyMs: z
    .union([milliseconds, latency], { error: 'must be milliseconds, or milliseconds per operation' })
    .default(0),
  awsDelayMs: milliseconds.default(0),
  lockoutLimit: z.int().min(1).max(1000).default(5),
  behaviour: behaviour.prefault({}),
})

export type FleetFile = z.infer<typeof fleetFile>
export type FleetFileUser = z.infer<typeof user>
export type FleetFileCluster = z.infer<typeof cluster>
export type FleetBehaviour = z.infer<typeof behaviour>
