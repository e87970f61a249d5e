import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { hsmOf, MemoryClusterSource, twoClones } from '../helpers/clusters.js'
import { run } from '../helpers/run-command.js'
import { tempFolders } from '../helpers/temp-folder.js'

const folder = tempFolders()
const A = 'cluster-aaaaaaaaaaa'
const B = 'eu-west-1/cluster-bbbbbbbbbbb'
delete process.env['AWS_ENDPOINT_URL']
delete process.env['LOCKSTEP_REGIONS']

const { a, b } = twoClones()
const newer = { a: { ...a, hsmType: 'hsm2m.medium' }, b: { ...b, hsmType: 'hsm2m.medium' } }
const aws = () => new MemoryClusterSource([newer.a, newer.b])
const generate = (source: MemoryClusterSource, out: string, ...more: readonly string[]) =>
  run(['config', 'generate', '--source', A, '--destination', B, '--out', out, ...more], {
    clusterSource: async () => source,
  })
const check = async (source: MemoryClusterSource, out: string) => {
  const { stdout, exitCode } = await run(['config', 'check', out, '--json'], { clusterSource: async () => source })
  return { exitCode, ...JSON.parse(stdout) }
}
const errorOf = (stdout: string) => JSON.parse(stdout).error
const addressesIn = async (path: string) =>
  JSON.parse(await readFile(path, 'utf8')).clusters.flatMap((one: { cluster: { servers: { hostname: string }[] } }) =>
    one.cluster.servers.map(({ hostname }) => hostname),
  )

describe('config generate for clusters of hsm2m.medium', () => {
  test('writes the configuration of cloudhsm-cli and one for each HSM, and check agrees', async () => {
    const out = join(await folder(), 'cli.cfg')
    const source = aws()
    const { stdout, exitCode } = await generate(source, out, '--json')
    const document = JSON.parse(stdout)
    expect([exitCode, document.utility, document.warnings]).toEqual([0, 'cloudhsm-cli', []])
    expect(await addressesIn(out)).toEqual(document.servers.map(({ eniIp }: { eniIp: string }) => eniIp))
    expect(document.proofConfigs).toHaveLength(5)
    for (const [at, { hsmId, path, sha256 }] of document.proofConfigs.entries()) {
      expect([hsmId, path]).toEqual([document.servers[at].hsmId, join(`${out}.proof`, `${hsmId}.cfg`)])
      expect(sha256).toMatch(/^[0-9a-f]{64}$/)
      expect(await addressesIn(path)).toEqual([document.servers[at].eniIp])
    }
    expect(await check(source, out)).toMatchObject({ exitCode: 0, utility: 'cloudhsm-cli', ok: true, differences: [] })
  })

  test('tells people for which program it is and where the others stand', async () => {
    const out = join(await folder(), 'cli.cfg')
    const { stdout } = await generate(aws(), out)
    expect(stdout).toContain(
      `${out} written for cloudhsm-cli, 5 HSMs\nbeside it, one for each HSM alone: ${out}.proof\n`,
    )
  })

  test('clusters of both types: cloudhsm-cli, with a warning', async () => {
    const out = join(await folder(), 'cli.cfg')
    const { stderr, exitCode } = await generate(new MemoryClusterSource([a, newer.b]), out)
    expect(exitCode).toBe(0)
    expect(stderr).toContain(
      'Warning: the clusters differ in their HSM type (us-east-1/cluster-aaaaaaaaaaa hsm1.medium',
    )
  })

  test('--utility cloudhsm-cli serves hsm1.medium too; --utility cmu refuses hsm2m.medium', async () => {
    const place = await folder()
    const out = join(place, 'cli.cfg')
    const refused = await generate(aws(), out, '--utility', 'cmu', '--json')
    expect([refused.exitCode, errorOf(refused.stdout).code]).toEqual([3, 'HSM_TYPE_NOT_SUPPORTED'])
    expect(await readdir(place)).toEqual([])
    const hsm1 = await generate(new MemoryClusterSource([a, b]), out, '--utility', 'cloudhsm-cli', '--json')
    expect([hsm1.exitCode, JSON.parse(hsm1.stdout).utility]).toEqual([0, 'cloudhsm-cli'])
  })

  test('--hsm-ca-cert and --base settle the certificates', async () => {
    const place = await folder()
    const [first, second] = [join(place, 'first.cfg'), join(place, 'second.cfg')]
    await generate(aws(), first, '--hsm-ca-cert', '/srv/ca.crt', '--hsm-ca-cert', `${B}=/srv/b.crt`)
    await generate(aws(), second, '--base', first, '--hsm-ca-cert', `${A}=/srv/a.crt`)
    const caFiles = async (path: string) =>
      JSON.parse(await readFile(path, 'utf8')).clusters.map(
        (one: { cluster: { hsm_ca_file: string } }) => one.cluster.hsm_ca_file,
      )
    expect([await caFiles(first), await caFiles(second)]).toEqual([
      ['/srv/ca.crt', '/srv/b.crt'],
      ['/srv/a.crt', '/srv/b.crt'],
    ])
  })

  test('a base of the other utility and certificates without use: 2 where a flag is wrong, 3 where AWS decides', async () => {
    const place = await folder()
    const [base, out] = [join(place, 'base.cfg'), join(place, 'out.cfg')]
    await writeFile(base, JSON.stringify({ servers: [{ hostname: 'x', name: 'x', port: 2225 }] }))
    for (const [clusters, more, exit, code] of [
      [[newer.a, newer.b], ['--base', base], 3, 'BASE_OF_OTHER_UTILITY'],
      [[newer.a, newer.b], ['--base', base, '--utility', 'cloudhsm-cli'], 2, 'BASE_OF_OTHER_UTILITY'],
      [[a, b], ['--hsm-ca-cert', '/srv/ca.crt'], 3, 'CA_CERT_NOT_USED'],
      [[a, b], ['--hsm-ca-cert', '/srv/ca.crt', '--utility', 'cmu'], 2, 'CA_CERT_NOT_USED'],
    ] as const) {
      const source = new MemoryClusterSource(clusters)
      const { stdout, exitCode } = await generate(source, out, ...more, '--json')
      expect([exitCode, errorOf(stdout).code, source.scopes.length]).toEqual([exit, code, exit === 2 ? 0 : 1])
    }
    expect(await readdir(place)).toEqual(['base.cfg'])
  })

  test('--dry-run shows every file and writes nothing', async () => {
    const place = await folder()
    const { stdout } = await generate(aws(), join(place, 'cli.cfg'), '--dry-run')
    expect(stdout.match(/^\+\+\+ .*$/gm)).toHaveLength(6)
    expect(await readdir(place)).toEqual([])
  })
})

describe('config check of a configuration of cloudhsm-cli', () => {
  test('names what differs from AWS', async () => {
    const out = join(await folder(), 'cli.cfg')
    const source = aws()
    await generate(source, out)
    source.clusters = [newer.a, { ...newer.b, hsms: [hsmOf('b', 2, { eniIp: hsmOf('b', 9).eniIp }), hsmOf('b', 5)] }]
    const { exitCode, differences } = await check(source, out)
    expect(exitCode).toBe(6)
    expect(differences.map(({ hsmId, field }: { hsmId: string; field: string }) => `${hsmId} ${field}`)).toEqual([
      'hsm-bbbbbbbbbb2 eniIp',
      'hsm-bbbbbbbbbb3 hsmId',
      'hsm-bbbbbbbbbb5 hsmId',
    ])
  })

  test('names what was edited by hand, in the file and beside it', async () => {
    const out = join(await folder(), 'cli.cfg')
    const source = aws()
    await generate(source, out)
    await writeFile(out, (await readFile(out, 'utf8')).replace('"enable": true', '"enable": false'))
    await rm(join(`${out}.proof`, 'hsm-bbbbbbbbbb3.cfg'))
    await writeFile(join(`${out}.proof`, 'hsm-old.cfg'), '{}')
    const { exitCode, ok, differences } = await check(source, out)
    expect([exitCode, ok]).toEqual([6, false])
    expect(differences.map(({ field, hsmId }: { field: string; hsmId: string }) => [field, hsmId])).toEqual([
      ['sha256', null],
      ['enable', 'hsm-aaaaaaaaaa2'],
      ['proof', 'hsm-bbbbbbbbbb3'],
      ['proof', null],
    ])
  })
})
