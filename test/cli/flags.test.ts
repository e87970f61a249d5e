import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { regionCatalogue } from '../../src/adapters/cloudhsm-api/regions.js'
import { type DiscoveryFlagValues, discoveryScope, parseClusterRef } from '../../src/cli/flags.js'
import { scopeForClusters } from '../../src/use-cases/scope-for-clusters.js'
import { wiring } from '../../src/wiring.js'
import { everywhere, ref, refusalOf } from '../helpers/discovery.js'

const scopeOf = (flags: DiscoveryFlagValues) => discoveryScope(flags, wiring)

describe('discovery flags', () => {
  test('become a scope, each value once', async () => {
    const roleArn = 'arn:aws-us-gov:iam::111122223333:role/path/HsmReader'
    const region = ['eu-west-1', 'us-gov-west-1', 'eu-west-1']
    expect(await scopeOf({ region, profile: ['a', 'b', 'a'], 'role-arn': roleArn })).toEqual({
      regions: ['eu-west-1', 'us-gov-west-1'],
      profiles: ['a', 'b'],
      targets: [],
      roleArn,
    })
  })

  test.each([
    [{ region: ['us-esat-1'] }, 'UNKNOWN_REGION', 'no Region "us-esat-1" with a CloudHSM endpoint is known'],
    [{ region: ['ap-southeast-4'] }, 'UNKNOWN_REGION', 'no Region "ap-southeast-4" with a CloudHSM endpoint is known'],
    [{ region: ['us_east_1'] }, 'BAD_REGION', '"us_east_1" has not the form of a Region'],
    [{ profile: [' '] }, 'BAD_PROFILE', '--profile is empty'],
    [{ 'role-arn': 'HsmReader' }, 'BAD_ROLE_ARN', '--role-arn "HsmReader" is not the ARN of a role'],
    [
      { 'endpoint-url': 'localhost' },
      'BAD_ENDPOINT_URL',
      'endpoint "localhost" is not an http or https URL without a user name',
    ],
    [
      { 'endpoint-url': 'https://me:TEST-SECRET-url@h.example' },
      'BAD_ENDPOINT_URL',
      'endpoint "https://h.example" is not an http or https URL without a user name',
    ],
  ])('%j is refused: %s', async (flags, code, message) => {
    expect(await refusalOf(() => scopeOf(flags))).toMatchObject({ code, message, exitCode: 2 })
  })

  test('a mistyped Region is answered with the nearest', async () => {
    const { suggestions } = await refusalOf(() => scopeOf({ region: ['us-esat-1'] }))
    expect(suggestions[0]).toBe('did you mean us-east-1?')
  })

  test('an endpoint of its own may know any Region', async () => {
    const scope = await scopeOf({ region: ['xx-moon-1'], 'endpoint-url': 'http://127.0.0.1:1' })
    expect(scope).toMatchObject({ regions: ['xx-moon-1'], endpointUrl: 'http://127.0.0.1:1' })
  })
})

describe('LOCKSTEP_REGIONS', () => {
  test('replaces what every Region means and may name new ones; the known ones stay allowed', () => {
    const { all, known } = regionCatalogue({ LOCKSTEP_REGIONS: 'eu-west-1, xx-moon-1' })
    expect(all).toEqual(['eu-west-1', 'xx-moon-1'])
    expect(known).toEqual(expect.arrayContaining(['xx-moon-1', 'us-east-1', 'us-gov-west-1']))
  })

  test('without it the 32 commercial Regions are asked, GovCloud only by name', () => {
    const { all } = regionCatalogue({})
    expect(new Set(all).size).toBe(32)
    expect(all.filter((name) => name.startsWith('us-gov'))).toEqual([])
  })

  test('malformed it is refused', async () => {
    expect(await refusalOf(() => regionCatalogue({ LOCKSTEP_REGIONS: 'Ireland' }))).toMatchObject({
      code: 'BAD_REGION',
      exitCode: 2,
    })
  })
})

describe('a targets file', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lockstep-targets-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const write = (text: string): string => {
    writeFileSync(join(folder, 'targets.yaml'), text)
    return join(folder, 'targets.yaml')
  }

  test('lists accounts', async () => {
    const roleArn = 'arn:aws:iam::111122223333:role/HsmReader'
    const targets = write(
      `targets:\n  - profile: prod\n    regions: [eu-west-1]\n  - {roleArn: "${roleArn}", externalId: x1}\n`,
    )
    expect((await scopeOf({ targets })).targets).toEqual([
      { profile: 'prod', regions: ['eu-west-1'] },
      { profile: null, regions: [], roleArn, externalId: 'x1' },
    ])
  })

  test.each([
    [
      'targets: [{regions: [eu-wset-1]}]',
      'targets[0].regions[0]: no Region "eu-wset-1" with a CloudHSM endpoint is known',
    ],
    [
      'targets: [{profile: a}, {roleArn: HsmReader}]',
      'targets[1].roleArn: is not the ARN of a role, and it is "HsmReader"',
    ],
    ['targets: [{externalId: x1}]', 'targets[0].externalId is given without a roleArn'],
    ['targets: [{profile: 7}]', 'targets[0].profile: Invalid input: expected string, received number, and it is 7'],
    ['accounts: []', 'targets: Invalid input: expected array, received undefined, and it is absent'],
    [
      'targets: [',
      'it is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ] at line 1, column 11:',
    ],
  ])('%j is refused with the place in the file', async (text, what) => {
    const targets = write(text)
    expect(await refusalOf(() => scopeOf({ targets }))).toMatchObject({
      code: 'BAD_TARGETS',
      exitCode: 2,
      message: `targets file ${targets}: ${what}`,
    })
  })

  test('that cannot be read is refused', async () => {
    const targets = join(folder, 'absent.yaml')
    expect(await refusalOf(() => scopeOf({ targets }))).toMatchObject({
      code: 'TARGETS_UNREADABLE',
      exitCode: 2,
      suggestions: ['check the path that --targets names', expect.stringContaining('targets: [{profile')],
    })
  })
})

describe('a cluster reference', () => {
  test.each([
    ['cluster-aaaaaaaaaaa', { clusterId: 'cluster-aaaaaaaaaaa' }],
    ['eu-west-1/cluster-aaaaaaaaaaa', { clusterId: 'cluster-aaaaaaaaaaa', region: 'eu-west-1' }],
    [
      'my prod:eu-west-1/cluster-aaaaaaaaaaa',
      { clusterId: 'cluster-aaaaaaaaaaa', region: 'eu-west-1', profile: 'my prod' },
    ],
  ])('%s is read', (text, expected) => {
    expect(parseClusterRef(text)).toEqual(expected)
  })

  test.each([
    '',
    'cluster-1',
    'cluster-aaaaaaaaaa0',
    'prod:cluster-aaaaaaaaaaa',
    'Ireland/cluster-aaaaaaaaaaa',
    'a/b/cluster-aaaaaaaaaaa',
  ])('%j is refused', async (text) => {
    expect(await refusalOf(() => parseClusterRef(text))).toMatchObject({
      code: 'BAD_CLUSTER_REFERENCE',
      message: `"${text}" does not name a cluster`,
      exitCode: 2,
    })
  })
})

describe('scopeForClusters', () => {
  const prod = ref('prod:eu-west-1/cluster-aaaaaaaaaaa')
  const bare = ref('cluster-bbbbbbbbbbb')

  test('a profile in a reference is asked, and the default chain too where a reference names none', () => {
    expect(scopeForClusters(everywhere, [prod, bare])).toEqual({
      regions: [],
      profiles: ['prod'],
      targets: [{ profile: null, regions: [] }],
    })
    expect(scopeForClusters(everywhere, [prod])).toEqual({ regions: [], profiles: ['prod'], targets: [] })
  })

  test('a Region in a reference is added only where Regions are limited', () => {
    const regions = [ref('us-east-1/cluster-aaaaaaaaaaa').region ?? never()]
    expect(scopeForClusters({ ...everywhere, regions }, [prod]).regions).toEqual(['us-east-1', 'eu-west-1'])
    expect(scopeForClusters(everywhere, [bare])).toEqual(everywhere)
  })
})

const never = (): never => {
  throw new Error('unreachable')
}
