import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { configFiles } from '../../../src/adapters/config-file/config-files.js'
import { loadConfig } from '../../../src/adapters/config-file/load-config.js'
import type { DraftConfig } from '../../../src/domain/config-files.js'
import { type ConfigDocument, mergedConfig } from '../../../src/domain/merged-config.js'
import { mappedClusters } from '../../../src/domain/roster-map.js'
import { hsmOf, twoClones } from '../../helpers/clusters.js'
import { operatorErrorOf } from '../../helpers/errors.js'
import { tempFolders } from '../../helpers/temp-folder.js'

const folder = tempFolders()
const fixture = (name: string) => fileURLToPath(new URL(`../../../../fixtures/configs/${name}`, import.meta.url))
const at = (time = '2026-03-01T03:15:00.000Z') => configFiles(() => new Date(time))
const { a, b } = twoClones()

const draftOf = (source = a, destination = b): DraftConfig => {
  const { document, roster } = mergedConfig({ source, destinations: [destination] })
  return { utility: 'cmu', document, roster, clusters: mappedClusters({ source, destinations: [destination] }) }
}
const baseOf = async (name: string): Promise<ConfigDocument> => {
  const base = await at().readBase(fixture(name))
  if (base.utility !== 'cmu') throw new Error(`${name} is for ${base.utility}`)
  return base.document
}
const modeOf = async (path: string) => (await stat(path)).mode & 0o777
const edit = async (path: string, change: (text: string) => string) =>
  writeFile(path, change(await readFile(path, 'utf8')))

describe('writing a configuration', () => {
  test('leaves the file and its map, both for the operator alone, and what was written loads', async () => {
    const place = await folder()
    const path = join(place, 'merged.cfg')
    const draft = draftOf()
    const { sha256, changed, backup } = await at().write(path, draft)
    expect([changed, backup]).toEqual([true, null])
    expect((await readdir(place)).sort()).toEqual(['merged.cfg', 'merged.cfg.map.json'])
    expect([await modeOf(path), await modeOf(`${path}.map.json`)]).toEqual([0o600, 0o600])
    expect(await loadConfig(path)).toEqual({ ...draft, sha256, proofConfigs: [] })
    expect(JSON.parse(await readFile(`${path}.map.json`, 'utf8'))).toEqual({
      format: 'lockstep-roster/1',
      generatedAt: '2026-03-01T03:15:00.000Z',
      utility: 'cmu',
      sha256,
      clusters: [
        { clusterId: 'cluster-aaaaaaaaaaa', region: 'us-east-1', profile: null, role: 'source' },
        { clusterId: 'cluster-bbbbbbbbbbb', region: 'eu-west-1', profile: null, role: 'destination' },
      ],
      servers: draft.roster,
      proofConfigs: [],
    })
  })

  test('keeps what it replaces, with its map, as a configuration that loads', async () => {
    const place = await folder()
    const path = join(place, 'merged.cfg')
    await at().write(path, draftOf())
    await chmod(path, 0o644)
    const { backup } = await at('2026-03-02T04:05:06.789Z').write(path, draftOf(b, a))
    expect(backup).toBe(`${path}.20260302T040506Z.bak`)
    expect((await loadConfig(backup ?? '')).roster).toEqual(draftOf().roster)
    expect((await loadConfig(path)).roster).toEqual(draftOf(b, a).roster)
    expect([await modeOf(path), await modeOf(backup ?? '')]).toEqual([0o600, 0o600])
    const second = await at('2026-03-02T04:05:06.999Z').write(path, draftOf())
    expect(second.backup).toBe(`${path}.20260302T040506Z-2.bak`)
    expect((await loadConfig(backup ?? '')).roster).toEqual(draftOf().roster)
  })

  test('writes nothing where the files say the same already, but closes them to others', async () => {
    const place = await folder()
    const path = join(place, 'merged.cfg')
    await at().write(path, draftOf())
    await chmod(path, 0o644)
    expect(await at('2027-01-01T00:00:00.000Z').write(path, draftOf())).toMatchObject({ changed: false, backup: null })
    expect((await readdir(place)).sort()).toEqual(['merged.cfg', 'merged.cfg.map.json'])
    expect(await readFile(`${path}.map.json`, 'utf8')).toContain('2026-03-01')
    expect(await modeOf(path)).toBe(0o600)
  })

  test('an HSM replaced under its old address is a change, though the configuration reads the same', async () => {
    const path = join(await folder(), 'merged.cfg')
    await at().write(path, draftOf())
    const replaced = { ...b, hsms: [hsmOf('b', 2), hsmOf('b', 7, { eniIp: b.hsms[1]?.eniIp ?? null })] }
    expect(await at('2026-03-02T00:00:00.000Z').write(path, draftOf(a, replaced))).toMatchObject({ changed: true })
    expect((await loadConfig(path)).roster.map(({ hsmId }) => hsmId)).toContain('hsm-bbbbbbbbbb7')
  })

  test('what cannot be written is named, and nothing is left behind', async () => {
    const place = await folder()
    await writeFile(join(place, 'file'), '')
    await mkdir(join(place, 'dir.cfg'))
    await mkdir(join(place, 'mapped.cfg.map.json'))
    for (const [name, why, named = name] of [
      ['no/merged.cfg', `the folder ${place}/no does not exist`],
      ['dir.cfg', 'it is a folder'],
      ['file/merged.cfg', 'it lies below something that is no folder'],
      ['mapped.cfg', 'it is a folder', 'mapped.cfg.map.json'],
    ]) {
      const path = join(place, name as string)
      const error = await operatorErrorOf(() => at().checkWritable(path, 'cmu'))
      expect([error.code, error.exitCode]).toEqual(['OUT_UNWRITABLE', 2])
      expect(error.message).toBe(`${join(place, named as string)} cannot be written: ${why}`)
      expect((await operatorErrorOf(() => at().write(path, draftOf()))).code).toBe('OUT_UNWRITABLE')
    }
    expect((await operatorErrorOf(() => at().checkWritable('/proc/merged.cfg', 'cmu'))).code).toBe('OUT_UNWRITABLE')
    expect((await readdir(place)).sort()).toEqual(['dir.cfg', 'file', 'mapped.cfg.map.json'])
  })

  test('a map that cannot be written puts the old configuration back', async () => {
    const place = await folder()
    // A name that leaves room for a draft and for a backup, and none for the draft of a map.
    const name = 'x'.repeat(234)
    const path = join(place, name)
    expect((await operatorErrorOf(() => at().write(path, draftOf()))).code).toBe('OUT_UNWRITABLE')
    expect(await readdir(place)).toEqual([])
    await writeFile(path, 'the old one')
    expect((await operatorErrorOf(() => at().write(path, draftOf()))).code).toBe('OUT_UNWRITABLE')
    expect(await readFile(path, 'utf8')).toBe('the old one')
    expect(await readdir(place)).toEqual([name])
    expect((await operatorErrorOf(() => at().checkWritable(path, 'cmu'))).code).toBe('OUT_UNWRITABLE')
  })
})

describe('previewing a configuration', () => {
  test('shows a unified diff and writes nothing', async () => {
    const place = await folder()
    const path = join(place, 'merged.cfg')
    const fresh = await at().preview(path, draftOf())
    expect(fresh.diff).toMatch(/^--- \/dev\/null\n\+\+\+ .*merged\.cfg\n@@ -0,0 \+1,\d+ @@\n\+\{\n/)
    expect(await readdir(place)).toEqual([])
    await at().write(path, draftOf())
    expect(await at().preview(path, draftOf())).toEqual({ sha256: fresh.sha256, diff: '', proofConfigs: [] })
    const fewer = { ...b, hsms: b.hsms.slice(0, 1) }
    const { diff } = await at().preview(path, draftOf(a, fewer))
    expect(diff.split('\n').slice(0, 2)).toEqual([`--- ${path}`, `+++ ${path}`])
    expect(diff).toContain('-            "hostname": "10.2.0.3",')
    expect(diff).not.toContain('\n+ ')
  })
})

describe('a configuration that cannot be worked with', () => {
  const written = async () => {
    const path = join(await folder(), 'merged.cfg')
    await at().write(path, draftOf())
    return path
  }

  test('one edited by hand is refused, and so is one whose map came too late', async () => {
    const path = await written()
    await edit(path, (text) => text.replace('2225', '2226'))
    const error = await operatorErrorOf(() => loadConfig(path))
    expect([error.code, error.exitCode]).toEqual(['CONFIG_EDITED', 3])
    expect(error.message).toBe(
      `${path} is not the file that was generated at 2026-03-01T03:15:00.000Z: it was edited, or generating it was interrupted`,
    )
  })

  test('a map that is missing, malformed, edited or counts wrongly is refused, naming it', async () => {
    const path = await written()
    const map = `${path}.map.json`
    const good = await readFile(map, 'utf8')
    for (const [change, exact] of [
      [(text: string) => text.slice(0, -20), 'is no JSON'],
      [
        (text: string) => text.replace('lockstep-roster/1', 'other'),
        'is malformed: format: expected "lockstep-roster/1", found "other"',
      ],
      [
        (text: string) => text.replace('hsm-aaaaaaaaaa2', 'node-1'),
        'is malformed: servers[0].hsmId: expected an HSM ID, found "node-1"',
      ],
      [
        (text: string) => text.replace('"serverId": 1', '"serverId": 0'),
        'is malformed: servers[1].serverId: expected 1, found 0',
      ],
      [
        (text: string) => text.replace('"role": "source"', '"role": "destination"'),
        'is malformed: servers[0].clusterId: cluster-aaaaaaaaaaa does not stand under clusters as source',
      ],
      [
        (text: string) => text.replace('10.1.0.3', '10.1.0.9'),
        'does not say what it was generated with: server 1 was generated for 10.1.0.9 (hsm-aaaaaaaaaa3) and now names 10.1.0.3',
      ],
    ] as const) {
      await writeFile(map, change(good))
      const error = await operatorErrorOf(() => loadConfig(path))
      expect([error.code, error.exitCode]).toEqual(['MAP_MALFORMED', 2])
      expect(error.message).toContain(`${map} ${exact}`)
    }
    const missing = join(await folder(), 'merged.cfg')
    await writeFile(missing, await readFile(path))
    const error = await operatorErrorOf(() => loadConfig(missing))
    expect([error.code, error.exitCode]).toEqual(['MAP_MISSING', 3])
    expect(error.message).toBe(`${missing}.map.json, which says which HSM stands where in ${missing}, does not exist`)
  })

  test.each([
    ['{"servers": [\n{"port": 1,}]}', 'is no JSON (line 2)'],
    ['', 'is no JSON'],
    ['[]', 'is malformed: the file as a whole: expected an object, found []'],
    [
      '{}',
      'is malformed: the file as a whole: expected "servers" (cloudhsm_mgmt_util) or "clusters" (cloudhsm-cli), found {}',
    ],
    ['{"servers": []}', 'is malformed: servers: expected at least one server, found []'],
    [
      '{"servers": [{"hostname": "10.0.0.1", "name": "a", "port": "2225"}]}',
      'is malformed: servers[0].port: expected a port number, found "2225"',
    ],
    [
      '{"servers": [{"hostname": "hsm.example", "name": "", "port": 2225, "enable": "no"}]}',
      'is malformed: servers[0].name: expected text that is not empty, found ""; servers[0].enable: expected "yes", found "no"; servers[0].hostname: expected an IPv4 address, found "hsm.example"',
    ],
    [
      '{"servers": [{"hostname": "10.0.0.1", "name": "a", "port": 2225, "e2e_encryption": {"enable": true}}]}',
      'is malformed: servers[0].e2e_encryption.enable: expected "yes" or "no", found true',
    ],
  ])('%s is refused with the place and the wrong value', async (text, message) => {
    const path = join(await folder(), 'merged.cfg')
    await writeFile(path, text)
    const error = await operatorErrorOf(() => loadConfig(path))
    expect([error.code, error.exitCode]).toEqual(['CONFIG_MALFORMED', 2])
    expect(error.message).toBe(`the configuration ${path} ${message}`)
  })

  test('one that is not there is named', async () => {
    const path = join(await folder(), 'merged.cfg')
    for (const read of [() => loadConfig(path), () => at().readBase(path)]) {
      const error = await operatorErrorOf(read)
      expect([error.code, error.exitCode, error.message]).toEqual([
        'CONFIG_UNREADABLE',
        2,
        `the configuration ${path} does not exist`,
      ])
    }
  })

  test('without a base the utility gets what the configure tool of AWS would have written for one server', async () => {
    const base = await baseOf('aws-configure.cfg')
    const one = { ...b, hsms: b.hsms.slice(0, 1) }
    expect(mergedConfig({ source: one, destinations: [] }).document).toEqual(base)
  })

  test('with a base its paths and its unknown keys are kept, in their order', async () => {
    const base = await baseOf('own-paths.cfg')
    const { document } = mergedConfig({ source: b, destinations: [] }, base)
    const [server] = base.servers
    expect(JSON.stringify(document)).toBe(
      JSON.stringify({
        ...base,
        servers: ['10.2.0.2', '10.2.0.3'].map((address) => ({ ...server, hostname: address, name: address })),
      }),
    )
  })

  test('a base may name its servers as it likes, and keeps the order of its keys', async () => {
    const path = join(await folder(), 'base.cfg')
    const text = '{"zeta":1,"servers":[{"zz":true,"port":2225,"name":"server1","hostname":"server1"}],"scard":{}}'
    await writeFile(path, text)
    expect(JSON.stringify((await at().readBase(path)).document)).toBe(text)
  })
})
