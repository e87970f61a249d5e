import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { cliFamily, expectCompleted, failuresOf, USER } from '../../helpers/cli-rotation.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'

describe('where one HSM in the file does not lead to the others', () => {
  const fleet = sharedFleet(
    { alone: cliFamily('alone', { destination: 2 }), wrong: cliFamily('wrong', { source: 3 }) },
    { behaviour: { cliDiscovery: false, userReplicateExisting: 'ignore' } },
    { acceptsNoWayBack: true },
  )

  test('each HSM is asked by a login of its own, and a refusal ends the asking in its cluster', async () => {
    const place = await fleet.at('alone')
    const started = await place.start(['--current-password=env:OLD'])
    await expectCompleted(place, started, 'change', 'hsm')
    // The canary's first HSM refused what was not copied; a change cleared its count.
    expect(started.json.failedLogins).toBe(1)
    expect(started.json.wayBack).toEqual({ bySync: false, byCurrent: true })
    expect((await place.run(['rotate', 'status'])).stdout).not.toContain(', cluster)')
  })

  test('users list, drift and prove with a configuration of cloudhsm-cli', async () => {
    const place = await fleet.at('wrong')
    const generated = await place.run(['config', 'generate', ...place.clusterFlags, '--out=merged.cfg', '--json'])
    expect([generated.exitCode, generated.json.utility]).toEqual([0, 'cloudhsm-cli'])
    const list = await place.run(['users', 'list', '--config=merged.cfg', '--json'])
    expect(list.exitCode).toBe(0)
    for (const { users } of list.json.servers) {
      const user = users.find(({ name }: { name: string }) => name === 'app_crypto')
      expect(user).toMatchObject({ userId: null, type: 'CU', loginFailureCount: null, twoFactor: false })
    }
    expect((await place.run(['users', 'list', '--config=merged.cfg'])).stdout).toMatch(/CU:app_crypto +there +there/)
    expect((await place.run(['users', 'drift', '--config=merged.cfg', '--json'])).exitCode).toBe(0)

    const { source } = await place.hsmIds()
    await fleet.fault('failures', '--user', USER, '--count', '5', '--hsm', source[1] ?? '')
    const drift = await place.run(['users', 'drift', '--config=merged.cfg', '--json'])
    expect(drift.exitCode).toBe(6)
    const { differences } = drift.json as { differences: readonly { user: string; field: string }[] }
    expect(new Set(differences.map(({ user, field }) => `${user} ${field}`))).toEqual(
      new Set([`${USER} locked`, `${USER} inconsistent`]),
    )
    await fleet.fault('failures', '--user', USER, '--count', '0', '--hsm', source[1] ?? '')

    const prove = (secret: string) =>
      place.run(['users', 'prove', '--config=merged.cfg', `--user=${USER}`, `--password=env:${secret}`, '--json'])
    const right = await prove('OLD')
    expect([right.exitCode, right.json.hsms.map(({ match }: { match: unknown }) => match)]).toEqual([
      0,
      [true, true, true, true],
    ])
    const wrong = await prove('NEW')
    expect([wrong.exitCode, wrong.json.hsms.map(({ match }: { match: unknown }) => match)]).toEqual([
      6,
      [false, null, null, false],
    ])
    expect(await failuresOf(place)).toEqual([1, 0, 0, 1])

    const started = await place.start(['--config=merged.cfg', '--current-password=env:OLD', '--pause-before=change'])
    expect([started.exitCode, started.json.error.code]).toEqual([4, 'PAUSED_AS_ASKED'])
    const list2 = await place.run(['rotate', 'list', '--json'])
    expect([list2.exitCode, JSON.stringify(list2.json)]).toEqual([0, expect.stringContaining(started.json.rotationId)])
    const unlocked = await place.run(['rotate', 'unlock', '--rotation', started.json.rotationId, '--json'])
    expect(unlocked.exitCode).toBe(0)
  })
})

describe('a program that cannot be told another configuration', () => {
  const fleet = sharedFleet(
    { fixed: cliFamily('fixed', { destination: 2 }) },
    { behaviour: { cliConfigOption: false } },
    { acceptsNoWayBack: true },
  )

  test('reads its fixed file: refused while that does not list the clusters, proved per cluster once it does', async () => {
    const place = await fleet.at('fixed')
    const path = fleet.running.env['LOCKSTEP_SIM_CLOUDHSM_CLI_CONFIG'] ?? ''
    const env = { LOCKSTEP_CLOUDHSM_CLI_CONFIG: path }
    const refused = await place.start([], { env })
    expect([refused.exitCode, refused.json.error.code]).toEqual([3, 'CLI_CONFIG_DIFFERS'])
    expect(refused.json.error.message).toContain(path)
    expect(refused.json.error.suggestions.join('\n')).toMatch(
      /config generate[\s\S]*copy FILE to[\s\S]*configure-cli add-cluster/,
    )
    expect((await place.run(['config', 'generate', ...place.clusterFlags, '--out=merged.cfg'])).exitCode).toBe(0)
    await copyFile(join(place.folder, 'merged.cfg'), path)
    expect(await readFile(path, 'utf8')).toContain('cluster_id')
    await expectCompleted(place, await place.start([], { env }), 'sync')
    const prove = ['users', 'prove', '--config=merged.cfg', `--user=${USER}`, '--password=env:NEW']
    const proved = await place.run(prove, { env })
    expect([proved.exitCode, proved.stdout.match(/ yes( \(cluster\))?/g)]).toEqual([0, Array(4).fill(' yes (cluster)')])
  })
})

describe.each([
  ['5.14.0', 'user replicate came with 5.15.0'],
  ['5.11.0', 'the choice of a cluster came with 5.12.0'],
])('version %s', (cliVersion, words) => {
  const fleet = sharedFleet(
    { old: cliFamily('old', { source: 1 }) },
    { behaviour: { cliVersion } },
    { acceptsNoWayBack: true },
  )

  test('is too old for what is asked, and that is said before anything is changed', async () => {
    const place = await fleet.at('old')
    const before = await place.truth()
    const ended = await place.start()
    expect([ended.exitCode, ended.json.error.code]).toEqual([3, 'CLI_TOO_OLD'])
    expect(ended.json.error.message).toContain(words)
    expect(await place.truth()).toEqual(before)
    if (cliVersion === '5.11.0') return
    const changed = await place.start(['--propagate=change', '--current-password=env:OLD'])
    await expectCompleted(place, changed, 'change')
  })
})
