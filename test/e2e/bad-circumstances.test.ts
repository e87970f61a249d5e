import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { testFamily } from '../helpers/payments.js'
import { expectRefused } from '../helpers/refusal.js'
import { sharedFleet } from '../helpers/shared-fleet.js'
import type { Workplace } from '../helpers/workplace.js'

const one = (name: string, options = {}) => testFamily(name, options)
const fleet = sharedFleet(
  {
    facts: one('facts'),
    stranger: one('stranger'),
    empty: one('empty', { destination: 0 }),
    dead: one('dead', { destination: [{ state: 'CREATE_IN_PROGRESS' }] }),
    degraded: testFamily('degraded', { source: 2 }),
    config: one('config'),
  },
  {},
  { acceptsNoWayBack: true },
)

let place: Workplace
beforeAll(async () => {
  place = await fleet.at('facts')
})

describe('refused for what AWS says (exit 3)', () => {
  test('a cluster that no Region lists', async () => {
    const args = ['--destination=eu-west-1/cluster-nowherezzzz']
    await expectRefused(place, () => place.start(args), {
      exitCode: 3,
      code: 'CLUSTER_NOT_FOUND',
      naming: 'cluster-nowherezzzz',
    })
  })

  test('a destination that is no clone of the source', async () => {
    const stranger = await fleet.at('stranger')
    const [, destination = ''] = stranger.clusterFlags
    const ended = await expectRefused(place, () => place.start([destination]), {
      exitCode: 3,
      code: 'NOT_A_CLONE',
      naming: 'cluster-strangerxxxdst',
    })
    // A proof to the contrary cannot be waived.
    const waived = await place.start([destination, '--accept-unproven-clone'])
    expect(waived.json.error.code).toBe(ended.json.error.code)
  })

  test('no credentials', async () => {
    const env = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_EC2_METADATA_DISABLED: 'true' }
    await expectRefused(place, () => place.start([], { env }), { exitCode: 3, code: 'NO_CREDENTIALS' })
  })

  test('a cluster without any HSM', async () => {
    const empty = await fleet.at('empty')
    await expectRefused(empty, () => empty.start(), {
      exitCode: 3,
      code: 'NO_ACTIVE_HSM',
      naming: 'cluster-emptyxxxxxxdst',
    })
  })

  test('a cluster whose only HSM is not ACTIVE', async () => {
    const dead = await fleet.at('dead')
    await expectRefused(dead, () => dead.start(), { exitCode: 3, code: 'NO_ACTIVE_HSM', naming: 'CREATE_IN_PROGRESS' })
  })

  test('one of several HSMs that is not ACTIVE: it would keep the old password', async () => {
    const degraded = await fleet.at('degraded')
    const [, sibling = ''] = (await degraded.hsmIds()).source
    await fleet.fault('degraded', '--hsm', sibling)
    await expectRefused(degraded, () => degraded.start(), { exitCode: 3, code: 'HSM_NOT_ACTIVE', naming: sibling })
  })
})

describe('refused for what this machine lacks (exit 3)', () => {
  test('the utility is not there', async () => {
    const path = join(place.folder, 'nothing-here')
    await expectRefused(place, () => place.start([], { env: { LOCKSTEP_CMU: path } }), {
      exitCode: 3,
      code: 'UTILITY_NOT_FOUND',
      naming: path,
    })
  })

  test('the utility may not be run', async () => {
    const path = await place.write('utility', '#!/bin/sh\n')
    await chmod(path, 0o644)
    await expectRefused(place, () => place.start([`--cmu=${path}`]), {
      exitCode: 3,
      code: 'UTILITY_NOT_EXECUTABLE',
      naming: path,
    })
  })

  test('the utility is another program', async () => {
    const path = await place.write('other', '#!/bin/sh\necho "This is something else."\n')
    await chmod(path, 0o755)
    const ended = await place.start([`--cmu=${path}`, '--silence-timeout=2'])
    expect(ended.exitCode).toBe(3)
    expect(ended.json.error.suggestions.join('\n')).toContain('This is something else.')
  })

  test('the state directory cannot be written', async () => {
    const path = await place.write('state-is-a-file', '')
    await expectRefused(place, () => place.start([], { env: { LOCKSTEP_STATE_DIR: path } }), {
      exitCode: 3,
      code: 'STATE_UNWRITABLE',
      naming: path,
    })
  })

  test('the store cannot be written', async () => {
    const path = join(place.folder, 'no-such-folder/credentials.age')
    await expectRefused(place, () => place.start([`--store=file:${path}`]), {
      exitCode: 3,
      code: 'STORE_UNWRITABLE',
      naming: 'no-such-folder',
    })
  })

  test('the store is something else than a store, and is left as it was', async () => {
    const path = await place.write('notes.txt', 'these are my notes\n')
    await expectRefused(place, () => place.start([`--store=file:${path}`]), {
      exitCode: 3,
      code: 'STORE_MALFORMED',
      naming: path,
    })
    expect(await readFile(path, 'utf8')).toBe('these are my notes\n')
  })
})

test('nobody answers the question: declined, and nothing has changed', async () => {
  const args = ['rotate', 'start', ...place.clusterFlags, '--user=CU:app_crypto', '--new-password=env:NEW', '--json']
  await expectRefused(
    place,
    () => place.run([...args, '--accept-no-way-back', ...place.againFlags], { stdin: 'y\n' }),
    {
      exitCode: 3,
      code: 'DECLINED',
    },
  )
})

test('a plan that cannot be written (exit 2)', async () => {
  await mkdir(join(place.folder, 'plan-is-a-folder'))
  const args = ['rotate', 'plan', ...place.clusterFlags, '--user=CU:app_crypto', '--out=plan-is-a-folder', '--json']
  await expectRefused(place, () => place.run(args), {
    exitCode: 2,
    code: 'OUT_UNWRITABLE',
    naming: 'plan-is-a-folder',
  })
})

describe('a merged configuration', () => {
  test('carries a rotation, until somebody edits it', async () => {
    const config = await fleet.at('config')
    const generated = await config.run(['config', 'generate', ...config.clusterFlags, '--out=merged.cfg', '--json'])
    expect(generated.exitCode).toBe(0)
    const path = join(config.folder, 'merged.cfg')

    const text = await readFile(path, 'utf8')
    await writeFile(path, `${text} `)
    await expectRefused(config, () => config.start(['--config=merged.cfg']), {
      exitCode: 3,
      code: 'CONFIG_EDITED',
      naming: 'merged.cfg',
    })
    const checked = await config.run(['config', 'check', 'merged.cfg', '--json'])
    expect(checked.exitCode).toBe(6)

    await writeFile(path, text)
    expect((await config.run(['config', 'check', 'merged.cfg', '--json'])).exitCode).toBe(0)
    const started = await config.start(['--config=merged.cfg'])
    expect(started.exitCode).toBe(0)
    expect(started.json.outcome).toBe('completed')
  })
})
