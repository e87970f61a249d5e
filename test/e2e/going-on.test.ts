import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { projectPath } from '../helpers/lockstep.js'
import { OLD_PASSWORD, testFamily } from '../helpers/payments.js'
import { sharedFleet } from '../helpers/shared-fleet.js'
import { NEW_PASSWORD } from '../helpers/workplace.js'

const fleet = sharedFleet(
  {
    lost: testFamily('lost', { source: 2, destination: 1 }),
    lostknown: testFamily('lostknown', { source: 1, destination: 1 }),
    debt: testFamily('debt', { source: 2, destination: 1 }),
    added: testFamily('added', { source: 1, destination: 1 }),
    broken: testFamily('broken', { source: 2, destination: 1 }),
    beside: testFamily('beside'),
    drained: testFamily('drained', { source: 1, destination: 1 }),
    stopped: testFamily('stopped', { source: 1, destination: 1 }),
  },
  {},
  { acceptsNoWayBack: true },
)

const everywhere = (held: readonly (boolean | null)[]) => held.every((match) => match === true)

/** The text of all journals below a state directory. */
const journalOf = async (stateDir: string): Promise<string> => {
  const folder = join(stateDir, 'rotations')
  const names = await readdir(folder).catch(() => [])
  return (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('')
}

describe('a journal that was lost', () => {
  test('is begun anew from the store and one login per cell, and resume completes', async () => {
    const place = await fleet.at('lost')
    const paused = await place.start(['--pause-before=restore-point'])
    expect(paused.exitCode).toBe(4)
    await rm(join(place.stateDir, 'rotations'), { recursive: true })

    const recovered = await place.run([
      ...[
        'rotate',
        'recover',
        ...place.clusterFlags,
        '--user=CU:app_crypto',
        ...place.storeFlags,
        '--silence-timeout=1',
        '--json',
      ],
    ])
    expect(recovered.exitCode).toBe(4)
    expect(recovered.json).toMatchObject({
      rotationId: paused.json.rotationId,
      outcome: 'paused',
      error: { code: 'RECOVERED' },
      // The restore point, which does not hold the only credential that is known.
      failedLogins: 1,
    })
    const states = recovered.json.cells.map((cell: { state: string }) => cell.state).sort()
    expect(states).toEqual(['new', 'new', 'unknown'])
    const failures = (hsms: Awaited<ReturnType<typeof place.truth>>) =>
      hsms.flatMap(({ users }) => users.map((user) => user.failures))
    expect(failures(await place.truth()).reduce((sum, count) => sum + count)).toBe(1)
    expect((await place.holds('CU:app_crypto', OLD_PASSWORD)).filter(Boolean)).toHaveLength(1)

    const resumed = await place.resume(['--silence-timeout=1'])
    expect([resumed.exitCode, resumed.json.outcome]).toEqual([0, 'completed'])
    expect(everywhere(await place.holds('CU:app_crypto', NEW_PASSWORD))).toBe(true)
  })

  test('can be rolled back where the store keeps the current credential', async () => {
    const place = await fleet.at('lostknown')
    await place.start(['--pause-before=canary', '--current-password=env:OLD'])
    await rm(join(place.stateDir, 'rotations'), { recursive: true })
    const flags = [...place.clusterFlags, '--user=CU:app_crypto', ...place.storeFlags, '--silence-timeout=1']
    const recover = ['rotate', 'recover', ...flags, '--json']
    expect((await place.run(recover)).exitCode).toBe(4)
    const again = await place.run(recover)
    expect([again.exitCode, again.json.error.code]).toEqual([3, 'ROTATION_KNOWN'])
    const back = await place.rollback(['--silence-timeout=1'])
    expect([back.exitCode, back.json.outcome]).toEqual([0, 'rolled-back'])
    expect(everywhere(await place.holds('CU:app_crypto', OLD_PASSWORD))).toBe(true)
    const nothing = await place.run(recover)
    expect([nothing.exitCode, nothing.json.error.code]).toEqual([3, 'NOTHING_PENDING'])
  })
})

test('a journal that is broken keeps off its own clusters alone, and recover and resume lead out of it', async () => {
  const place = await fleet.at('broken')
  const paused = await place.start(['--pause-before=restore-point'])
  const path = join(place.stateDir, 'rotations', `${paused.json.rotationId}.jsonl`)
  await writeFile(path, (await readFile(path, 'utf8')).replace('"stage":"rehearse"', '"stage":"prove"'))

  const again = await place.start()
  expect([again.exitCode, again.json.error.code]).toEqual([5, 'JOURNAL_BROKEN'])
  expect(again.json.error.message).toContain(path)
  const other = await fleet.at('beside')
  const env = { LOCKSTEP_STATE_DIR: place.stateDir }
  expect((await other.start([], { env })).exitCode).toBe(0)
  const list = await place.run(['rotate', 'list', '--json'])
  expect(list.exitCode).toBe(6)
  expect(list.json.rotations.map(({ outcome }: { outcome: string }) => outcome).sort()).toEqual(['broken', 'completed'])

  const flags = [...place.clusterFlags, '--user=CU:app_crypto', ...place.storeFlags, '--json']
  let interrupted = false
  const onStderr = (text: string, pid: number) => {
    if (!interrupted && text.includes('waiting 30 s: ')) {
      interrupted = true
      process.kill(pid, 'SIGINT')
    }
  }
  const recovered = await place.run(['rotate', 'recover', ...flags], { onStderr })
  expect([recovered.exitCode, recovered.json.rotationId, recovered.json.error.code]).toEqual([
    4,
    paused.json.rotationId,
    'INTERRUPTED',
  ])
  expect(recovered.json.brokenJournal).toContain(path)
  expect(recovered.stderr).toContain(`the file is kept as ${path}.broken-`)
  const resumed = await place.run([
    ...['rotate', 'resume', '--rotation', paused.json.rotationId, ...place.againFlags],
    ...['--silence-timeout=1', '--json'],
  ])
  expect([resumed.exitCode, resumed.json.outcome]).toEqual([0, 'completed'])
  expect(everywhere(await place.holds('CU:app_crypto', NEW_PASSWORD))).toBe(true)
})

test('an HSM that may stay behind is a debt until resume reached it', async () => {
  const place = await fleet.at('debt')
  const [, gone = ''] = (await place.hsmIds()).source
  await fleet.fault('unreachable', '--hsm', gone)
  const started = await place.start([`--allow-unreachable=${gone}`, '--reason=rack without power'])
  expect(started.exitCode).toBe(6)
  expect(started.json).toMatchObject({
    outcome: 'completed-with-debt',
    stage: null,
    debts: [{ hsmId: gone, reason: 'rack without power' }],
  })
  const status = await place.run(['rotate', 'status', '--json'])
  expect([status.exitCode, status.json.outcome]).toEqual([6, 'completed-with-debt'])

  await fleet.fault('unreachable', '--hsm', gone, '--off')
  const settled = await place.resume(['--silence-timeout=1'])
  expect([settled.exitCode, settled.json.outcome, settled.json.debts]).toEqual([0, 'completed', []])
  expect(everywhere(await place.holds('CU:app_crypto', NEW_PASSWORD))).toBe(true)
})

test('an HSM that was added meanwhile is taken along by resume', async () => {
  const place = await fleet.at('added')
  const paused = await place.start(['--pause-before=verify'])
  expect(paused.exitCode).toBe(4)
  const clusterId = paused.json.coverage[1].clusterId
  await fleet.fault('added', '--cluster', clusterId)
  const resumed = await place.resume(['--silence-timeout=1', '--propagate=change'])
  expect([resumed.exitCode, resumed.json.outcome, resumed.json.propagation]).toEqual([0, 'completed', 'sync'])
  expect(resumed.stderr).toContain('--propagate change is not used: this rotation has settled on syncUser')
  expect(resumed.json.coverage[1]).toEqual({ clusterId, new: 2, total: 2 })
  expect(everywhere(await place.holds('CU:app_crypto', NEW_PASSWORD))).toBe(true)
})

test('a command that stops the applications makes way for the rehearsal as well', async () => {
  const place = await fleet.at('stopped')
  const { source, destination } = await place.hsmIds()
  const hsms = [...source, ...destination].flatMap((hsmId) => ['--hsm', hsmId])
  const loggedIn = ['logged-in', '--user', 'CU:app_crypto', ...hsms]
  await fleet.fault(...loggedIn)
  const sim = `${process.execPath} ${projectPath('bin/lockstep-sim.js')} fault --dir ${fleet.running.dir}`
  const started = await place.start([`--before-change=${sim} ${loggedIn.join(' ')} --off`])
  expect([started.json.error, started.exitCode]).toEqual([undefined, 0])
})

test('a user that is logged in is waited for, and the hooks see facts and no secret', async () => {
  const place = await fleet.at('drained')
  const [first = ''] = (await place.hsmIds()).source
  await fleet.fault('logged-in', '--user', 'CU:app_crypto', '--hsm', first)
  const hook = 'env > "$HOME/hook-$LOCKSTEP_HOOK"'
  const started = place.start([
    '--wait-for-drain=60s',
    '--pause-before=canary',
    `--before-change=${hook}`,
    `--after-finalize=${hook}`,
  ])
  // The run has reached the logged-in user once its first refusal is in the journal.
  while (!(await journalOf(place.stateDir)).includes('user-logged-in')) await sleep(20)
  await fleet.fault('logged-in', '--user', 'CU:app_crypto', '--hsm', first, '--off')
  const ended = await started
  expect([ended.exitCode, ended.json.error.code]).toEqual([4, 'PAUSED_AS_ASKED'])
  const seen = await readFile(join(place.folder, 'hook-before-change'), 'utf8')
  expect(seen).toContain(`LOCKSTEP_ROTATION=${ended.json.rotationId}`)
  expect(seen).toContain('LOCKSTEP_USERS=CU:app_crypto')
  expect(seen).not.toContain(NEW_PASSWORD)
  expect(seen).not.toContain('AGE-SECRET-KEY')
  // By then every HSM holds the password: a command that fails changes nothing about that, and is told.
  const resumed = await place.resume(['--after-finalize=exit 3'])
  expect([resumed.exitCode, resumed.json.outcome, resumed.json.hookFailures]).toEqual([
    0,
    'completed',
    [{ hook: 'after-finalize', message: 'the --after-finalize command ended with 3' }],
  ])
})
