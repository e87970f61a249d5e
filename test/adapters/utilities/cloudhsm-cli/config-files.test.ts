import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { configFiles } from '../../../../src/adapters/config-file/config-files.js'
import { loadConfig } from '../../../../src/adapters/config-file/load-config.js'
import { mergedCliConfig } from '../../../../src/domain/cli-config.js'
import type { DraftConfig } from '../../../../src/domain/config-files.js'
import { mergedConfig } from '../../../../src/domain/merged-config.js'
import { mappedClusters } from '../../../../src/domain/roster-map.js'
import { hsmOf, twoClones } from '../../../helpers/clusters.js'
import { operatorErrorOf } from '../../../helpers/errors.js'
import { tempFolders } from '../../../helpers/temp-folder.js'

const folder = tempFolders()
const at = (time = '2026-03-01T03:15:00.000Z') => configFiles(() => new Date(time))
const { a, b } = twoClones()
const draftOf = (source = a, destination = b): DraftConfig => {
  const clusters = { source, destinations: [destination] }
  const { document, roster } = mergedCliConfig(clusters, undefined, { common: null, byCluster: new Map() })
  return { utility: 'cloudhsm-cli', document, roster, clusters: mappedClusters(clusters) }
}
const replaced = { ...b, hsms: [hsmOf('b', 2), hsmOf('b', 7, { eniIp: b.hsms[1]?.eniIp ?? null })] }
const modeOf = async (path: string) => (await stat(path)).mode & 0o777
const namesOf = async (path: string) => (await readdir(`${path}.proof`)).sort()
const written = async (draft = draftOf()) => {
  const path = join(await folder(), 'cli.cfg')
  await at().write(path, draft)
  return path
}

describe('writing a configuration of cloudhsm-cli', () => {
  test('leaves one beside it for each HSM, all for the operator alone, and what was written loads', async () => {
    const path = join(await folder(), 'cli.cfg')
    const draft = draftOf()
    const { sha256, proofConfigs } = await at().write(path, draft)
    expect(await namesOf(path)).toEqual(draft.roster.map(({ hsmId }) => `${hsmId}.cfg`))
    const modes = [path, `${path}.map.json`, `${path}.proof`, ...proofConfigs.map((proof) => proof.path)].map(modeOf)
    expect(await Promise.all(modes)).toEqual([0o600, 0o600, 0o700, 0o600, 0o600, 0o600, 0o600, 0o600])
    expect(proofConfigs[3]?.path).toBe(join(`${path}.proof`, 'hsm-bbbbbbbbbb2.cfg'))
    expect(JSON.parse(await readFile(proofConfigs[3]?.path ?? '', 'utf8')).clusters).toEqual([
      {
        type: 'hsm1',
        cluster: {
          cluster_id: 'cluster-bbbbbbbbbbb',
          hsm_ca_file: '/opt/cloudhsm/etc/customerCA.crt',
          servers: [{ hostname: '10.2.0.2', port: 2223, enable: true }],
        },
      },
    ])
    expect(await loadConfig(path)).toEqual({ ...draft, sha256, proofConfigs })
  })

  test('keeps what it replaces as a configuration that loads, and takes away what it no longer lists', async () => {
    const path = await written()
    await writeFile(join(`${path}.proof`, 'mine.cfg'), 'not ours')
    const { backup } = await at('2026-03-02T04:05:06.789Z').write(path, draftOf(a, replaced))
    expect(backup).toBe(`${path}.20260302T040506Z.bak`)
    expect((await loadConfig(backup ?? '')).roster).toEqual(draftOf().roster)
    expect(await namesOf(path)).not.toContain('hsm-bbbbbbbbbb3.cfg')
    expect(await namesOf(path)).toEqual(expect.arrayContaining(['hsm-bbbbbbbbbb7.cfg', 'mine.cfg']))
    expect((await loadConfig(path)).roster).toEqual(draftOf(a, replaced).roster)
    expect((await at().read(path)).strayProofs).toEqual([join(`${path}.proof`, 'mine.cfg')])
  })

  test('writes nothing where all files say the same already, and anew where one of them does not', async () => {
    const path = await written()
    await chmod(join(`${path}.proof`, 'hsm-aaaaaaaaaa2.cfg'), 0o644)
    expect(await at().write(path, draftOf())).toMatchObject({ changed: false, backup: null })
    expect(await modeOf(join(`${path}.proof`, 'hsm-aaaaaaaaaa2.cfg'))).toBe(0o600)
    await rm(join(`${path}.proof`, 'hsm-aaaaaaaaaa2.cfg'))
    expect(await at().write(path, draftOf())).toMatchObject({ changed: true })
    expect((await loadConfig(path)).roster).toHaveLength(5)
  })

  test('one of the other utility takes its place, without the folder', async () => {
    const path = await written()
    const clusters = { source: a, destinations: [b] }
    const { document, roster } = mergedConfig(clusters)
    await at().write(path, { utility: 'cmu', document, roster, clusters: mappedClusters(clusters) })
    await expect(stat(`${path}.proof`)).rejects.toThrow('ENOENT')
    expect((await loadConfig(path)).utility).toBe('cmu')
  })

  test('a file that cannot be written puts everything back', async () => {
    const path = await written()
    await mkdir(join(`${path}.proof`, 'hsm-bbbbbbbbbb7.cfg'))
    const before = [await readFile(path, 'utf8'), await namesOf(path)]
    const error = await operatorErrorOf(() => at().write(path, draftOf(a, replaced)))
    expect(error.message).toBe(`${path}.proof/hsm-bbbbbbbbbb7.cfg cannot be written: it is a folder`)
    expect([await readFile(path, 'utf8'), await namesOf(path)]).toEqual(before)
    expect((await loadConfig(path)).roster).toEqual(draftOf().roster)

    // a name that leaves room for everything but the draft of a map, which is written last
    const long = join(await folder(), 'x'.repeat(234))
    expect((await operatorErrorOf(() => at().write(long, draftOf()))).code).toBe('OUT_UNWRITABLE')
    expect(await readdir(join(long, '..'))).toEqual([])
  })

  test('a file where the folder should be is named before anything is asked, unless no folder is needed', async () => {
    const path = join(await folder(), 'cli.cfg')
    await writeFile(`${path}.proof`, '')
    for (const utility of ['auto', 'cloudhsm-cli'] as const) {
      const error = await operatorErrorOf(() => at().checkWritable(path, utility))
      expect(error.message).toBe(`${path}.proof cannot be written: it is no folder`)
    }
    await at().checkWritable(path, 'cmu')
  })

  test('a preview shows every file that would change, and writes nothing', async () => {
    const path = await written()
    const before = await namesOf(path)
    expect(await at().preview(path, draftOf())).toMatchObject({ diff: '' })
    const { diff, proofConfigs } = await at().preview(path, draftOf(a, replaced))
    expect(diff.split('\n').filter((line) => /^(---|\+\+\+) /.test(line))).toEqual([
      '--- /dev/null',
      `+++ ${path}.proof/hsm-bbbbbbbbbb7.cfg`,
      `--- ${path}.proof/hsm-bbbbbbbbbb3.cfg`,
      '+++ /dev/null',
    ])
    expect(proofConfigs).toHaveLength(5)
    expect(await namesOf(path)).toEqual(before)
  })
})

describe('a configuration of cloudhsm-cli that cannot be worked with', () => {
  test.each([
    ['{"clusters": 7}', 'clusters: expected a list, found 7'],
    ['{"clusters": []}', 'clusters: expected at least one cluster, found []'],
    ['{"clusters": [{"type": "hsm1"}]}', 'clusters[0].cluster: expected an object, found nothing'],
    [
      '{"clusters": [{"type": "hsm1", "cluster": {"cluster_id": "c-1", "servers": [{"hostname": "%%HSM_IP_ADDRESS%%", "port": "2223", "enable": "yes"}]}}]}',
      'clusters[0].cluster.cluster_id: expected a cluster ID, found "c-1"; clusters[0].cluster.servers[0].hostname: expected an IPv4 address, found "%%HSM_IP_ADDRESS%%"; clusters[0].cluster.servers[0].port: expected a port number, found "2223"; clusters[0].cluster.servers[0].enable: expected true or false, found "yes"',
    ],
    [
      '{"clusters": [{"type": "hsm1", "cluster": {"client_cert_hsm_tls_path": "", "servers": [{"hostname": "10.0.0.1", "port": 2223}]}}], "logging": {"log_type": "syslog"}}',
      'clusters[0].cluster.client_cert_hsm_tls_path: expected text that is not empty, found ""; logging.log_type: expected "file" or "term", found "syslog"',
    ],
    [
      '{"clusters": [{"type": "hsm1", "cluster": {"servers": [{"hostname": "10.0.0.1", "port": 2223}, {"hostname": "10.0.0.1", "port": 2223}]}}]}',
      'clusters[0].cluster.servers[1].hostname: expected each address once, found "10.0.0.1"',
    ],
  ])('%s is refused with the place and the wrong value', async (text, fault) => {
    const path = join(await folder(), 'cli.cfg')
    await writeFile(path, text)
    const error = await operatorErrorOf(() => loadConfig(path))
    expect([error.code, error.exitCode]).toEqual(['CONFIG_MALFORMED', 2])
    expect(error.message).toBe(`the configuration ${path} is malformed: ${fault}`)
  })

  test('one whose file for a single HSM was edited is refused, naming that file', async () => {
    const path = await written()
    const proof = join(`${path}.proof`, 'hsm-aaaaaaaaaa3.cfg')
    await writeFile(proof, (await readFile(proof, 'utf8')).replace('10.1.0.3', '10.1.0.4'))
    const error = await operatorErrorOf(() => loadConfig(path))
    expect([error.code, error.exitCode]).toEqual(['CONFIG_EDITED', 3])
    expect(error.message).toContain(`${proof} was generated for 10.1.0.3 (hsm-aaaaaaaaaa3) and now lists 10.1.0.4`)
  })

  test('a map that is that of the other utility, or lacks a file, is refused', async () => {
    const path = await written()
    const map = JSON.parse(await readFile(`${path}.map.json`, 'utf8'))
    for (const [change, message] of [
      [
        { utility: 'cmu', proofConfigs: [] },
        `belongs to another file: it was generated for cmu, and ${path} has the format of cloudhsm-cli`,
      ],
      [{ utility: 'kmu' }, 'is malformed: utility: expected "cmu" or "cloudhsm-cli", found "kmu"'],
      [
        { proofConfigs: map.proofConfigs.slice(1) },
        'is malformed: proofConfigs[0].hsmId: expected hsm-aaaaaaaaaa2, found hsm-aaaaaaaaaa3',
      ],
    ] as const) {
      await writeFile(`${path}.map.json`, JSON.stringify({ ...map, ...change }))
      const error = await operatorErrorOf(() => loadConfig(path))
      expect([error.code, error.message]).toEqual(['MAP_MALFORMED', `${path}.map.json ${message}`])
    }
  })

  test('a base may have addresses that are none, as one that AWS ships', async () => {
    const path = join(await folder(), 'base.cfg')
    const text =
      '{"clusters":[{"type":"hsm1","cluster":{"servers":[{"hostname":"%%HSM_IP_ADDRESS%%","port":2223,"enable":true}]}}]}'
    await writeFile(path, text)
    expect(await at().readBase(path)).toEqual({ utility: 'cloudhsm-cli', document: JSON.parse(text) })
  })
})
