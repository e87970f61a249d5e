import { Flags } from '@oclif/core'
import { type ClusterRef, readClusterRef } from '../domain/cluster.js'
import { usageError } from '../domain/errors.js'
import { isRegionName, type RegionName } from '../domain/ids.js'
import { nearest } from '../domain/nearest.js'
import type { DiscoveryScope } from '../domain/ports.js'
import { UTILITY_CHOICES } from '../domain/utility/utility.js'
import type { Wiring } from '../wiring.js'

/** For a flag that may be given several times, each time with one value. */
export const repeatable = { multiple: true, multipleNonGreedy: true } as const

/** Which of AWS's programs is meant, or decided by the clusters; `chooseUtility` settles it. */
export const utilityChoiceFlag = {
  utility: Flags.option({
    description:
      'Program that speaks to the HSMs: cmu is cloudhsm_mgmt_util; auto takes it where all HSMs are hsm1.medium, and cloudhsm-cli otherwise.',
    options: UTILITY_CHOICES,
    default: 'auto' as const,
  })(),
}

/** Flags of every command that asks AWS. */
export const discoveryFlags = {
  region: Flags.string({
    description: 'Region to ask; may be given several times. Without it every Region is asked.',
    helpGroup: 'AWS',
    ...repeatable,
  }),
  'all-regions': Flags.boolean({
    description: 'Ask every Region (the default). LOCKSTEP_REGIONS, a list with commas, says which those are.',
    helpGroup: 'AWS',
    exclusive: ['region'],
  }),
  profile: Flags.string({
    description: 'Profile of the shared AWS configuration; may be given several times.',
    helpGroup: 'AWS',
    ...repeatable,
  }),
  targets: Flags.string({
    description: 'YAML file that lists accounts to ask: targets: [{profile, regions, roleArn, externalId}].',
    helpGroup: 'AWS',
    helpValue: 'FILE',
  }),
  'role-arn': Flags.string({ description: 'Role to assume before asking.', helpGroup: 'AWS', helpValue: 'ARN' }),
  'endpoint-url': Flags.string({
    description: 'Endpoint instead of AWS (a simulator, say).',
    helpGroup: 'AWS',
    helpValue: 'URL',
    env: 'AWS_ENDPOINT_URL',
  }),
}

/** The values of `discoveryFlags` as oclif hands them over. */
export interface DiscoveryFlagValues {
  readonly region?: readonly string[] | undefined
  readonly 'all-regions'?: boolean | undefined
  readonly profile?: readonly string[] | undefined
  readonly targets?: string | undefined
  readonly 'role-arn'?: string | undefined
  readonly 'endpoint-url'?: string | undefined
}

/**
 * The scope the flags describe, checked before anything is asked.
 * @throws {OperatorError} exit 2: `BAD_REGION`, `UNKNOWN_REGION`, `BAD_PROFILE`, `BAD_ROLE_ARN`, `BAD_ENDPOINT_URL`,
 *   and those of the targets file
 */
export const discoveryScope = async (flags: DiscoveryFlagValues, wiring: Wiring): Promise<DiscoveryScope> => {
  const endpointUrl = checkEndpoint(flags['endpoint-url'])
  const roleArn = checkRoleArn(flags['role-arn'])
  const { known } = wiring.regions()
  const asRegion = (text: string): RegionName => parseRegion(text, endpointUrl === undefined ? known : undefined)
  const blank = flags.profile?.find((profile) => profile.trim() === '')
  if (blank !== undefined) throw usageError('BAD_PROFILE', '--profile is empty')
  return {
    regions: [...new Set((flags.region ?? []).map(asRegion))],
    profiles: [...new Set(flags.profile ?? [])],
    targets: flags.targets === undefined ? [] : await wiring.readTargets(flags.targets, asRegion),
    ...(roleArn !== undefined && { roleArn }),
    ...(endpointUrl !== undefined && { endpointUrl }),
  }
}

/**
 * @param known Regions that exist; absent where a custom endpoint may know others
 * @throws {OperatorError} exit 2: `BAD_REGION`, `UNKNOWN_REGION`
 */
export const parseRegion = (text: string, known?: readonly RegionName[]): RegionName => {
  if (!isRegionName(text)) {
    throw usageError('BAD_REGION', `"${text}" has not the form of a Region`, didYouMean(text, known ?? []))
  }
  if (known !== undefined && !known.includes(text)) {
    throw usageError('UNKNOWN_REGION', `no Region "${text}" with a CloudHSM endpoint is known`, [
      ...didYouMean(text, known),
      'a Region newer than this program: LOCKSTEP_REGIONS=REGION,REGION',
    ])
  }
  return text
}

/** @throws {OperatorError} exit 2: `BAD_CLUSTER_REFERENCE` */
export const parseClusterRef = (text: string): ClusterRef => {
  const ref = readClusterRef(text)
  if (ref !== null) return ref
  throw usageError('BAD_CLUSTER_REFERENCE', `"${text}" does not name a cluster`, [
    'write cluster-id, region/cluster-id or profile:region/cluster-id, e.g. eu-west-1/cluster-abcdefghijk',
    'lockstep clusters list',
  ])
}

const didYouMean = (text: string, known: readonly string[]): string[] =>
  nearest(text, known).map((name) => `did you mean ${name}?`)

const checkRoleArn = (text: string | undefined): string | undefined => {
  if (text === undefined || /^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/.test(text)) return text
  throw usageError('BAD_ROLE_ARN', `--role-arn "${text}" is not the ARN of a role`, [
    '--role-arn arn:aws:iam::111122223333:role/NAME',
  ])
}

const checkEndpoint = (text: string | undefined): string | undefined => {
  if (text === undefined || text === '') return undefined
  const url = URL.canParse(text) ? new URL(text) : null
  // a password in the URL would end up in messages and logs
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return text
  const shown = url === null ? text : `${url.protocol}//${url.host}`
  throw usageError('BAD_ENDPOINT_URL', `endpoint "${shown}" is not an http or https URL without a user name`, [
    '--endpoint-url https://cloudhsmv2.eu-west-1.amazonaws.com',
  ])
}
