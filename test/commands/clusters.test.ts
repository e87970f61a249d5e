import { describe, expect, test } from '@jest/globals'
import { renderClusters } from '../../src/cli/views/clusters.js'
import type { DiscoveryProblem } from '../../src/domain/clone-family.js'
import type { DiscoveryScope } from '../../src/domain/ports.js'
import { discoverClusters } from '../../src/use-cases/discover-clusters.js'
import type { Wiring } from '../../src/wiring.js'
import { discovered } from '../helpers/discovery.js'
import { FixtureApi, fixture, MemoryCache } from '../helpers/fixture-api.js'
import { run } from '../helpers/run-command.js'

const A = 'cluster-aaaaaaaaaaa'
const B = 'cluster-bbbbbbbbbbb'
const C = 'cluster-ccccccccccc'

/** The real use case over the answers of a case. */
const source = (
  name: string,
  failures: Partial<Record<string, DiscoveryProblem['kind']>> = {},
  scopes: DiscoveryScope[] = [],
): Partial<Wiring> => ({
  clusterSource: async () => ({
    discover: (scope) => {
      scopes.push(scope)
      return discoverClusters({ api: new FixtureApi(fixture(name), failures), cache: new MemoryCache() }, scope)
    },
  }),
})
const unasked: Partial<Wiring> = {
  clusterSource: async () => {
    throw new Error('AWS was asked')
  },
}
delete process.env['AWS_ENDPOINT_URL']
delete process.env['LOCKSTEP_REGIONS']

describe('clusters list', () => {
  test('--json has the keys scripts rely on', async () => {
    const { stdout, stderr, exitCode } = await run(['clusters', 'list', '--json'], source('three-regions-mixed'))
    const document = JSON.parse(stdout)
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(document.clusters.map(({ clusterId }: { clusterId: string }) => clusterId)).toEqual([C, B, A])
    expect(document.clusters[1]).toMatchObject({
      clusterId: B,
      region: 'eu-west-1',
      profile: null,
      state: 'ACTIVE',
      hsmType: 'hsm1.medium',
      mode: 'FIPS',
      sourceBackupId: 'backup-bbbbbbbbbb2',
      family: expect.stringMatching(/^family-/),
      hsms: [
        {
          hsmId: 'hsm-bbbbbbbbbb2',
          eniIp: '10.2.0.11',
          eniIpV6: null,
          availabilityZone: 'eu-west-1a',
          state: 'ACTIVE',
        },
        {
          hsmId: 'hsm-bbbbbbbbbb3',
          eniIp: '10.2.0.12',
          eniIpV6: null,
          availabilityZone: 'eu-west-1b',
          state: 'ACTIVE',
        },
      ],
    })
    expect(document.clusters[1].family).toBe(document.clusters[2].family)
    expect(document.clusters[0].family).not.toBe(document.clusters[1].family)
    const family = document.families.find(({ clusterIds }: { clusterIds: string[] }) => clusterIds.includes(A))
    expect(family).toMatchObject({ clusterIds: [A, B], evidence: [{ certainty: 4 }, { certainty: 4 }] })
    expect(document.problems).toEqual([])
  })

  test('the same answers give the same bytes', async () => {
    const [one, two] = [
      await run(['clusters', 'list', '--json'], source('three-regions-mixed')),
      await run(['clusters', 'list', '--json'], source('three-regions-mixed')),
    ]
    expect(one.stdout).toBe(two.stdout)
  })

  test('people get a table and the evidence', async () => {
    const { stdout, exitCode } = await run(['clusters', 'list'], source('three-regions-mixed'))
    expect(exitCode).toBe(0)
    const lines = stdout.trimEnd().split('\n')
    expect(lines[0]).toMatch(/^FAMILY +CLUSTER +REGION +STATE +TYPE +MODE +ACTIVE HSMS$/)
    expect(lines).toContainEqual(
      expect.stringMatching(/ {2}cluster-aaaaaaaaaaa {2}us-east-1 {3}ACTIVE {2}hsm1.medium {2}FIPS {2}3 of 3$/),
    )
    expect(lines).toContainEqual(expect.stringMatching(/cluster-ccccccccccc {2}ap-south-1 .* 0 of 0$/))
    expect(lines).toContainEqual(
      expect.stringMatching(
        /cluster-aaaaaaaaaaa = cluster-bbbbbbbbbbb: same cluster certificate, SHA-256 [0-9a-f]{16}… \(certainty 4\)$/,
      ),
    )
    expect(lines.filter((line) => line.startsWith('family-')).length).toBe(5)
  })

  test('through whom a cluster was seen is shown where profiles or roles were named', async () => {
    const role = ['--profile', 'prod', '--profile', 'audit', '--role-arn', 'arn:aws:iam::111122223333:role/HsmReader']
    const { stdout } = await run(['clusters', 'list', ...role], source('unrelated'))
    expect(stdout.split('\n')[0]).toMatch(/ THROUGH /)
    expect(stdout).toContain('  prod, audit as 111122223333:role/HsmReader  ')
  })

  test('no clusters at all is a plain answer', async () => {
    const api = new FixtureApi({ 'eu-west-1': { Clusters: [], Backups: [] } })
    const clusterSource = async () => ({
      discover: (scope: DiscoveryScope) => discoverClusters({ api, cache: new MemoryCache() }, scope),
    })
    expect(await run(['clusters', 'list'], { clusterSource })).toEqual({
      stdout: 'No clusters found.\n',
      stderr: '',
      exitCode: 0,
    })
  })

  test('a Region that is denied is named on stderr and the exit code is 6, under --json too', async () => {
    const failing = source('three-regions-mixed', { 'us-east-1': 'denied' })
    for (const json of [[], ['--json']]) {
      const { stdout, stderr, exitCode } = await run(['clusters', 'list', ...json], failing)
      expect(exitCode).toBe(6)
      expect(stderr).toBe(
        'us-east-1: denied: made to fail: denied\nThe list is partial: not every Region answered in full.\n',
      )
      expect(stdout).toContain(B)
      if (json.length > 0) {
        expect(JSON.parse(stdout).problems).toMatchObject([
          { region: 'us-east-1', profile: null, error: 'made to fail: denied', kind: 'denied' },
        ])
      }
    }
  })

  test('a Region that is not enabled counts only where it was named', async () => {
    const failing = source('three-regions-mixed', { 'ap-east-1': 'not-enabled' })
    const everywhere = await run(['clusters', 'list', '--all-regions'], failing)
    expect([everywhere.exitCode, everywhere.stderr]).toEqual([0, 'ap-east-1: not-enabled: made to fail: not-enabled\n'])
    const named = await run(['clusters', 'list', '--region', 'ap-east-1', '--region', 'us-east-1'], failing)
    expect(named.exitCode).toBe(6)
  })

  test('records that contradict one another are an exit code of 6', async () => {
    const { stderr, exitCode } = await run(['clusters', 'list'], source('lineage-against-certificates'))
    expect(exitCode).toBe(6)
    expect(stderr).toMatch(
      /^cluster-aaaaaaaaaaa and cluster-bbbbbbbbbbb are not taken for clones: .*, yet the cluster certificates differ/,
    )
  })

  test.each([
    ['NO_CREDENTIALS', 'no-credentials'],
    ['DISCOVERY_FAILED', 'unreachable'],
  ] as const)('%s is an error document and exit code 3', async (code, kind) => {
    const failing = source('two-regions-one-family', { 'eu-west-1': kind, 'us-east-1': kind })
    const { stdout, exitCode } = await run(['clusters', 'list', '--json'], failing)
    expect(exitCode).toBe(3)
    expect(JSON.parse(stdout)).toEqual({
      error: { code, message: expect.stringContaining(`made to fail: ${kind}`), suggestions: expect.any(Array) },
    })
    const plain = await run(['clusters', 'list'], failing)
    expect([plain.stdout, plain.exitCode]).toEqual(['', 3])
    expect(plain.stderr).toContain(`Code: ${code}\nTry this:\n`)
  })

  test('an unknown Region is refused before anything is asked', async () => {
    const { stdout, exitCode } = await run(['clusters', 'list', '--region', 'us-esat-1', '--json'], unasked)
    expect(exitCode).toBe(2)
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'UNKNOWN_REGION',
      message: 'no Region "us-esat-1" with a CloudHSM endpoint is known',
      suggestions: expect.arrayContaining(['did you mean us-east-1?']),
    })
  })

  test('--region and --all-regions together are refused', async () => {
    const { exitCode } = await run(['clusters', 'list', '--region', 'us-east-1', '--all-regions'], unasked)
    expect(exitCode).toBe(2)
  })

  test('the flags arrive in the scope', async () => {
    const scopes: DiscoveryScope[] = []
    const argv = [
      '--region',
      'eu-west-1',
      '--region',
      'us-east-1',
      '--profile',
      'a',
      '--profile',
      'b',
      '--endpoint-url',
      'http://127.0.0.1:1',
    ]
    await run(['clusters', 'list', ...argv], source('three-regions-mixed', {}, scopes))
    expect(scopes).toEqual([
      { regions: ['eu-west-1', 'us-east-1'], profiles: ['a', 'b'], targets: [], endpointUrl: 'http://127.0.0.1:1' },
    ])
  })
})

describe('clusters verify', () => {
  test.each([
    ['two-regions-one-family', [A, B], 'clone', 4, 0],
    ['siblings-of-different-backups', [A, B], 'probably-clone', 2, 0],
    ['purged-backup', [A, B], 'unknown', 0, 3],
    ['unrelated', [A, B], 'not-a-clone', 4, 6],
    ['three-regions-mixed', [A, `eu-west-1/${B}`, C], 'not-a-clone', 4, 6],
  ])('%s: %j is %s', async (name, refs, verdict, certainty, code) => {
    const { stdout, exitCode } = await run(['clusters', 'verify', ...refs, '--json'], source(name))
    expect(exitCode).toBe(code)
    expect(JSON.parse(stdout)).toMatchObject({
      verdict,
      certainty,
      clusterIds: refs.map((text) => text.split('/').at(-1)),
      evidence: expect.any(Array),
      missing: verdict === 'clone' || verdict === 'not-a-clone' ? null : expect.any(String),
    })
  })

  test('people get the verdict, the evidence and the missing fact', async () => {
    const { stdout } = await run(['clusters', 'verify', A, B], source('siblings-of-different-backups'))
    expect(stdout).toBe(
      [
        `${A}, ${B}: probably-clone (certainty 2 of 4)`,
        `  ${A} and ${B}: both were created from backups of cluster-ppppppppppp, though not from the same one`,
        `  missing: no readable cluster certificate for ${A} and ${B}`,
        '',
      ].join('\n'),
    )
  })

  test.each([
    [[A], 'TOO_FEW_CLUSTERS'],
    [[A, A], 'DUPLICATE_CLUSTER'],
    [[A, 'cluster-1'], 'BAD_CLUSTER_REFERENCE'],
  ])('%j is refused before anything is asked', async (refs, code) => {
    const { stdout, exitCode } = await run(['clusters', 'verify', ...refs, '--json'], unasked)
    expect([exitCode, JSON.parse(stdout).error.code]).toEqual([2, code])
  })

  test('an unknown cluster is exit code 3', async () => {
    const { stdout, exitCode } = await run(
      ['clusters', 'verify', A, 'cluster-zzzzzzzzzzz', '--json'],
      source('unrelated'),
    )
    expect([exitCode, JSON.parse(stdout).error.code]).toEqual([3, 'CLUSTER_NOT_FOUND'])
  })

  test('a profile in a reference is asked', async () => {
    const scopes: DiscoveryScope[] = []
    const refs = [`prod:us-east-1/${A}`, `prod:eu-west-1/${B}`]
    const { exitCode } = await run(['clusters', 'verify', ...refs], source('two-regions-one-family', {}, scopes))
    expect([exitCode, scopes[0]?.profiles]).toEqual([0, ['prod']])
  })
})

describe('help', () => {
  test.each(['list', 'verify'])('clusters %s shows examples and exit codes', async (command) => {
    const { stdout, exitCode } = await run(['clusters', command, '--help'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain('EXAMPLES')
    expect(stdout).toContain('Exit codes:')
    expect(stdout).toMatch(/\n {2}6 {2}/)
  })
})

test('a terminal gets lines around the cells, and nothing from AWS can steer it', async () => {
  const discovery = await discovered('unrelated', (answers) => {
    for (const { Clusters } of Object.values(answers)) for (const cluster of Clusters) cluster.State = 'AC\u001b[2JTIVE'
  })
  expect(renderClusters(discovery, { decorated: true })).toContain('│')
  expect(renderClusters(discovery, { decorated: false })).toContain('AC\\x1b[2JTIVE')
  expect(renderClusters(discovery, { decorated: false })).not.toContain('\u001b')
})
