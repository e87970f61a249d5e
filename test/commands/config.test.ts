import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { clusterOf, hsmOf, MemoryClusterSource, twoClones } from '../helpers/clusters.js'
import { run } from '../helpers/run-command.js'
import { tempFolders } from '../helpers/temp-folder.js'

const folder = tempFolders()
const A = 'cluster-aaaaaaaaaaa'
const B = 'eu-west-1/cluster-bbbbbbbbbbb'
delete process.env['AWS_ENDPOINT_URL']
delete process.env['LOCKSTEP_REGIONS']

const { a, b } = twoClones()
const generate = (source: MemoryClusterSource, out: string, ...more: readonly string[]) =>
  run(['config', 'generate', '--source', A, '--destination', B, '--out', out, ...more], {
    clusterSource: async () => source,
  })
const errorOf = (stdout: string) => JSON.parse(stdout).error

describe('config generate', () => {
  test('--json has the keys scripts rely on, and check agrees', async () => {
    const out = join(await folder(), 'merged.cfg')
    const aws = new MemoryClusterSource([a, b])
    const { stdout, stderr, exitCode } = await generate(aws, out, '--json')
    expect([exitCode, stderr]).toEqual([0, ''])
    const document = JSON.parse(stdout)
    expect(Object.keys(document).sort()).toEqual([
      'backup',
      'changed',
      'path',
      'proofConfigs',
      'servers',
      'sha256',
      'skipped',
      'utility',
      'warnings',
    ])
    expect(document.path).toBe(out)
    expect(document.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(document.servers).toHaveLength(5)
    expect(document.servers[3]).toEqual({
      serverId: 3,
      hsmId: 'hsm-bbbbbbbbbb2',
      eniIp: '10.2.0.2',
      clusterId: 'cluster-bbbbbbbbbbb',
      region: 'eu-west-1',
      role: 'destination',
    })
    const checked = await run(['config', 'check', out, '--json'], { clusterSource: async () => aws })
    expect([checked.exitCode, JSON.parse(checked.stdout)]).toMatchObject([0, { path: out, ok: true, differences: [] }])
  })

  test('for people it shows the roster and where the old file went', async () => {
    const out = join(await folder(), 'merged.cfg')
    await writeFile(out, 'old')
    const { stdout } = await generate(new MemoryClusterSource([a, b]), out)
    expect(stdout).toMatch(/^SERVER +HSM +ENI IP +REGION +CLUSTER +ROLE/)
    expect(stdout).toMatch(/\n0 +hsm-aaaaaaaaaa2 +10\.1\.0\.2 +us-east-1 +cluster-aaaaaaaaaaa +source/)
    expect(stdout).toMatch(/the file it replaces is kept as .*merged\.cfg\.\d{8}T\d{6}Z\.bak\n/)
  })

  test('--base keeps paths and settings', async () => {
    const place = await folder()
    const base = join(place, 'base.cfg')
    const server = { hostname: '10.0.0.1', name: 'server1', port: 2225, certificate: '/my/client.crt', extra: 1 }
    await writeFile(base, JSON.stringify({ servers: [server], scard: { enable: 'no', own: true } }))
    const out = join(place, 'merged.cfg')
    expect((await generate(new MemoryClusterSource([a, b]), out, '--base', base)).exitCode).toBe(0)
    const written = JSON.parse(await readFile(out, 'utf8'))
    expect(written.scard).toEqual({ enable: 'no', own: true })
    expect(written.servers[4]).toEqual({ ...server, hostname: '10.2.0.3', name: '10.2.0.3' })
  })

  test('--dry-run shows a diff and writes nothing', async () => {
    const place = await folder()
    const out = join(place, 'merged.cfg')
    const aws = new MemoryClusterSource([a, b])
    const { stdout, exitCode } = await generate(aws, out, '--dry-run')
    expect(exitCode).toBe(0)
    expect(stdout).toContain(`--- /dev/null\n+++ ${out}\n`)
    const document = JSON.parse((await generate(aws, out, '--dry-run', '--json')).stdout)
    expect(Object.keys(document).sort()).toEqual([
      'diff',
      'path',
      'proofConfigs',
      'servers',
      'sha256',
      'skipped',
      'utility',
      'warnings',
    ])
    expect(await readdir(place)).toEqual([])
    await generate(aws, out)
    expect((await generate(aws, out, '--dry-run')).stdout).toBe(`${out} says the same already.\n`)
  })

  test('an HSM that is not ACTIVE stops it, unless it is skipped knowingly', async () => {
    const place = await folder()
    const out = join(place, 'merged.cfg')
    const aws = new MemoryClusterSource([a, { ...b, hsms: [hsmOf('b', 2), hsmOf('b', 3, { state: 'DEGRADED' })] }])
    const refused = await generate(aws, out, '--json')
    expect(refused.exitCode).toBe(3)
    expect(errorOf(refused.stdout)).toMatchObject({
      code: 'HSM_NOT_ACTIVE',
      message: 'not every HSM can be listed: hsm-bbbbbbbbbb3 in eu-west-1/cluster-bbbbbbbbbbb is DEGRADED, not ACTIVE',
    })
    expect(await readdir(place)).toEqual([])
    const skipped = await generate(aws, out, '--skip-inactive', '--json')
    expect([skipped.exitCode, skipped.stderr]).toEqual([
      0,
      'skipped: hsm-bbbbbbbbbb3 in eu-west-1/cluster-bbbbbbbbbbb is DEGRADED, not ACTIVE\n',
    ])
    expect(JSON.parse(skipped.stdout).skipped).toEqual([
      {
        hsmId: 'hsm-bbbbbbbbbb3',
        eniIp: '10.2.0.3',
        clusterId: 'cluster-bbbbbbbbbbb',
        region: 'eu-west-1',
        state: 'DEGRADED',
        reason: 'is DEGRADED, not ACTIVE',
      },
    ])
  })

  test.each([
    ['CLUSTER_NOT_FOUND', [a]],
    ['NO_ACTIVE_HSM', [a, { ...b, hsms: [] }]],
    ['CLONE_UNPROVEN', [a, { ...b, certificateFingerprint: null }]],
    ['FAMILY_MEMBER_NOT_NAMED', [a, b, clusterOf('c', 'eu-west-1', [hsmOf('c', 1)])]],
  ])('%s: exit 3, nothing written', async (code, clusters) => {
    const place = await folder()
    const { stdout, exitCode } = await generate(new MemoryClusterSource(clusters), join(place, 'merged.cfg'), '--json')
    expect([exitCode, errorOf(stdout).code]).toEqual([3, code])
    expect(await readdir(place)).toEqual([])
  })

  test('a member of the family is left out, and clone proof waived, only where the operator says so', async () => {
    const out = join(await folder(), 'merged.cfg')
    const c = clusterOf('c', 'eu-west-1', [hsmOf('c', 1)])
    const left = await generate(new MemoryClusterSource([a, b, c]), out, '--leave-out', 'cluster-ccccccccccc')
    expect(left.exitCode).toBe(0)
    const unproven = new MemoryClusterSource([a, { ...b, certificateFingerprint: null }])
    const waived = await generate(unproven, out, '--accept-unproven-clone')
    expect(waived.exitCode).toBe(0)
    expect(waived.stderr).toMatch(/^Warning: clone proof waived for cluster-bbbbbbbbbbb/)
  })

  test.each([
    ['CONFIG_UNREADABLE', ['--base', '/nowhere/base.cfg']],
    ['SOURCE_IS_DESTINATION', ['--destination', A]],
  ])('%s: exit 2 before AWS is asked', async (code, more) => {
    const aws = new MemoryClusterSource([a, b])
    const { stdout, exitCode } = await generate(aws, join(await folder(), 'merged.cfg'), ...more, '--json')
    expect([exitCode, errorOf(stdout).code, aws.scopes]).toEqual([2, code, []])
  })

  test('an output that cannot be written: exit 2 before AWS is asked', async () => {
    const aws = new MemoryClusterSource([a, b])
    const { stdout, exitCode } = await generate(aws, join(await folder(), 'no', 'merged.cfg'), '--json')
    expect([exitCode, errorOf(stdout).code, aws.scopes]).toEqual([2, 'OUT_UNWRITABLE', []])
  })

  test('flags that are missing are asked for', async () => {
    const { stdout, exitCode } = await run(['config', 'generate', '--source', A, '--destination', B, '--json'])
    expect([exitCode, errorOf(stdout).message]).toEqual([2, '--out is missing'])
  })
})

describe('config check', () => {
  test('differences end with 6, one line each', async () => {
    const out = join(await folder(), 'merged.cfg')
    const aws = new MemoryClusterSource([a, b])
    await generate(aws, out)
    aws.clusters = [a, { ...b, hsms: [hsmOf('b', 2)] }]
    const { stdout, exitCode } = await run(['config', 'check', out], { clusterSource: async () => aws })
    expect(exitCode).toBe(6)
    expect(stdout).toMatch(
      /: 1 difference\n {2}hsm-bbbbbbbbbb3 \(10\.2\.0\.3\) is no HSM of eu-west-1\/cluster-bbbbbbbbbbb any more\n$/,
    )
  })

  test('a file edited by hand ends with 6 and says so', async () => {
    const out = join(await folder(), 'merged.cfg')
    const aws = new MemoryClusterSource([a, b])
    await generate(aws, out)
    await writeFile(out, (await readFile(out, 'utf8')).replace('client.crt', 'other.crt'))
    const { stdout, exitCode } = await run(['config', 'check', out, '--json'], { clusterSource: async () => aws })
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([
      6,
      { ok: false, differences: [{ hsmId: null, field: 'sha256' }] },
    ])
  })

  test('a file that is no configuration ends with 2', async () => {
    const out = join(await folder(), 'merged.cfg')
    await writeFile(out, '{"servers": 7}')
    const { stdout, exitCode } = await run(['config', 'check', out, '--json'])
    expect([exitCode, errorOf(stdout).message]).toEqual([
      2,
      `the configuration ${out} is malformed: servers: expected a list, found 7`,
    ])
  })
})
