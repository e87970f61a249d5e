import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { CloudHsmCliOptions } from '../../../../src/adapters/utilities/cloudhsm-cli/console.js'
import type { HsmConsole, HsmSession } from '../../../../src/domain/hsm-console.js'
import type { ClusterId, HsmId } from '../../../../src/domain/ids.js'
import type { Roster, RosterEntry } from '../../../../src/domain/roster.js'
import { Secret } from '../../../../src/domain/secret.js'
import { consoleFailureOf, consoleOn, rosterOfFleet } from '../../../helpers/cli-bench.js'
import { descendantsOf } from '../../../helpers/descendants.js'
import { operatorErrorOf } from '../../../helpers/errors.js'
import { type RunningFleet, startSimulator } from '../../../helpers/simulator.js'
import { A, B, cliFleet, writeCliConfig } from '../../../simulator/support/cloudhsm-cli.js'

const OFFICER = { type: 'CO', name: 'admin' } as const
const APP = { type: 'CU', name: 'app_crypto' } as const
const OFFICER_PASSWORD = new Secret('TEST-officer-1')
const NEW = new Secret('TEST-new-12')

let sim: RunningFleet | null = null
const sessions: HsmSession[] = []
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()))
  await sim?.stop()
  sim = null
})

interface Bench {
  readonly sim: RunningFleet
  readonly roster: Roster
  readonly a: Roster
  readonly b: Roster
  readonly console: HsmConsole
  readonly open: (servers: readonly RosterEntry[]) => Promise<HsmSession>
  readonly holding: (password: string, user?: string) => Promise<(boolean | null)[]>
}

/** Sessions are closed after the test, also those it did not expect. */
const tracked = (console: HsmConsole): HsmConsole => ({
  ...console,
  open: async (servers) => {
    const session = await console.open(servers)
    sessions.push(session)
    return session
  },
})

const bench = async (behaviour: object = {}, more: Partial<CloudHsmCliOptions> = {}): Promise<Bench> => {
  const running = await startSimulator(cliFleet(behaviour))
  sim = running
  const roster = await rosterOfFleet(running)
  const console = tracked(
    consoleOn(running.ready.cloudhsmCli, roster, { fixedConfig: join(running.dir, 'cloudhsm-cli.cfg'), ...more }),
  )
  return {
    sim: running,
    roster,
    a: roster.filter(({ clusterId }) => clusterId === A),
    b: roster.filter(({ clusterId }) => clusterId === B),
    console,
    open: console.open,
    holding: async (password, user = 'CU:app_crypto') =>
      (await running.check(user, password)).hsms.map(({ match }) => match),
  }
}

const ids = (servers: readonly RosterEntry[]): readonly HsmId[] => servers.map(({ hsmId }) => hsmId)
const kinds = (answers: ReadonlyMap<HsmId, { kind: string }>): string[] => [...answers.values()].map(({ kind }) => kind)
const loggedIn = async (session: HsmSession): Promise<HsmSession> => {
  const answers = await session.login(OFFICER, OFFICER_PASSWORD, session.hsmIds)
  expect(new Set(kinds(answers))).toEqual(new Set(['done']))
  return session
}

describe('which HSMs a session reaches', () => {
  test('those of a whole cluster, whose serial numbers it shows', async () => {
    const { a, open } = await bench()
    const session = await open(a)
    expect(session.hsmIds).toEqual(ids(a))
    expect(session.serials).toEqual([{ clusterId: A, hsmIds: ids(a), serials: expect.any(Array) }])
    expect(new Set(session.serials[0]?.serials).size).toBe(3)
  })

  test('opened on one, the others too where the program finds them', async () => {
    const { a, open } = await bench({ cliDiscovery: true })
    expect((await open(a.slice(1, 2))).hsmIds).toEqual(ids(a))
  })

  test('opened on one, that one alone where the program stays with its file', async () => {
    const { a, open, holding } = await bench({ cliDiscovery: false })
    const [, second] = a as [RosterEntry, RosterEntry]
    const session = await loggedIn(await open([second]))
    expect(session.hsmIds).toEqual([second.hsmId])
    expect([...(await session.changePassword(APP, NEW))]).toEqual([[second.hsmId, { kind: 'done' }]])
    expect(await holding(NEW.reveal())).toEqual([false, true, false, false, false])
  })

  test('another HSM under the address of a known one is seen by its serial number', async () => {
    const { sim, a, open, console } = await bench({ cliDiscovery: false })
    const [first] = a as [RosterEntry]
    await open(a)
    await open([first])
    await sim.fault('replaced', '--hsm', first.hsmId)
    expect(await consoleFailureOf(console.open([first]))).toMatchObject({ kind: 'wrong-hsm', hsmIds: [first.hsmId] })
    expect((await consoleFailureOf(console.open(a))).kind).toBe('wrong-hsm')
  })

  test.each([
    [true, 'skip'],
    [false, 'skip'],
    [true, 'fail'],
  ] as const)('one that is away is named (discovery %s, %s)', async (cliDiscovery, cliUnreachable) => {
    const { sim, a, console } = await bench({ cliDiscovery, cliUnreachable })
    const [first, second] = a as [RosterEntry, RosterEntry]
    await sim.fault('unreachable', '--hsm', second.hsmId)
    for (const asked of [a, [second], [first, second]]) {
      const failure = await consoleFailureOf(console.open(asked))
      expect(failure).toMatchObject({ kind: 'unreachable', hsmIds: [second.hsmId] })
      expect(failure.message).toContain(second.eniIp)
    }
    // A program that gives up on the HSMs it finds by itself leads nowhere, whichever was asked for.
    if (cliUnreachable === 'fail') {
      expect(await consoleFailureOf(console.open([first]))).toMatchObject({
        kind: 'unreachable',
        hsmIds: [second.hsmId],
      })
    }
  })

  test('with one of three away, the two that answer, whichever of them were asked for', async () => {
    const { sim, a, open, holding } = await bench({ cliDiscovery: true })
    const [first, second, third] = a as [RosterEntry, RosterEntry, RosterEntry]
    await sim.fault('unreachable', '--hsm', third.hsmId)
    for (const asked of [[first], [second], [first, second]]) {
      const session = await open(asked)
      expect(session.hsmIds).toEqual(ids([first, second]))
      expect(session.serials).toMatchObject([{ clusterId: A, hsmIds: ids([first, second]) }])
      expect(session.serials[0]?.serials).toHaveLength(2)
    }
    const session = await loggedIn(await open([first, second]))
    expect([...(await session.changePassword(APP, NEW)).keys()]).toEqual(ids([first, second]))
    await session.close()
    expect(await holding(NEW.reveal())).toEqual([true, true, false, false, false])
    // Back in sight it is reached too: what that means is for the caller to say.
    await sim.fault('unreachable', '--hsm', third.hsmId, '--off')
    expect((await open([first, second])).hsmIds).toEqual(ids(a))
    expect((await open([first])).hsmIds).toEqual(ids(a))
  })

  test('with one away, those that were asked for, where the program stays with its file', async () => {
    const { sim, a, open } = await bench({ cliDiscovery: false })
    const [first, second, third] = a as [RosterEntry, RosterEntry, RosterEntry]
    await sim.fault('unreachable', '--hsm', third.hsmId)
    expect((await open([first])).hsmIds).toEqual([first.hsmId])
    expect((await open([first, second])).hsmIds).toEqual(ids([first, second]))
    // Back, it does not stand for one of the two: they show the numbers they had.
    await sim.fault('unreachable', '--hsm', third.hsmId, '--off')
    expect((await open([first, second])).hsmIds).toEqual(ids([first, second]))
  })

  test.each([
    true,
    false,
  ])('one that takes the connection and never answers is named alone, and the others are reached without it (discovery %s)', async (cliDiscovery) => {
    const { sim, a, open, console, holding } = await bench({ cliDiscovery, cliTimeoutMs: 1_500 })
    const [first, second, third] = a as [RosterEntry, RosterEntry, RosterEntry]
    await sim.fault('silent', '--hsm', second.hsmId)
    const failure = await consoleFailureOf(console.open(a))
    expect(failure).toMatchObject({ kind: 'unreachable', hsmIds: [second.hsmId], someOf: false })
    expect(failure.message).toBe(`${A} shows 2 HSMs of 3: ${second.hsmId} (${second.eniIp}, us-east-1) does not answer`)
    const session = await loggedIn(await open([first, third]))
    expect([...(await session.changePassword(APP, NEW)).keys()]).toEqual(ids([first, third]))
    await session.close()
    expect(await holding(NEW.reveal())).toEqual([true, false, true, false, false])
    await sim.fault('silent', '--hsm', second.hsmId, '--off')
    expect((await open(a)).hsmIds).toEqual(ids(a))
  })

  test('one that falls silent in a session is named alone', async () => {
    const { sim, a, open } = await bench({ cliTimeoutMs: 1_500 })
    const [, second] = a as [RosterEntry, RosterEntry]
    const session = await open(a)
    await sim.fault('silent', '--hsm', second.hsmId)
    expect(await consoleFailureOf(session.quorum())).toMatchObject({ kind: 'unreachable', hsmIds: [second.hsmId] })
  })

  test('with one away, another HSM under the address of one that answers is seen by its serial number', async () => {
    const { sim, a, open, console } = await bench({ cliDiscovery: true })
    const [first, second, third] = a as [RosterEntry, RosterEntry, RosterEntry]
    await sim.fault('unreachable', '--hsm', third.hsmId)
    await open([first])
    await sim.fault('replaced', '--hsm', second.hsmId)
    expect(await consoleFailureOf(console.open([first]))).toMatchObject({ kind: 'wrong-hsm', hsmIds: [first.hsmId] })
  })

  test('one that is away in the second cluster is named although the first prompt came', async () => {
    const { sim, roster, b, console } = await bench()
    for (const { hsmId } of b) await sim.fault('unreachable', '--hsm', hsmId)
    const failure = await consoleFailureOf(console.open(roster))
    expect(failure).toMatchObject({ kind: 'unreachable', hsmIds: ids(b) })
  })

  test('more HSMs than AWS reported are refused', async () => {
    const { sim, a, console } = await bench()
    await sim.fault('added', '--cluster', A)
    const failure = await consoleFailureOf(console.open(a))
    expect(failure.kind).toBe('wrong-hsm')
    expect(failure.message).toBe(`${A} shows 4 HSMs, and AWS reported 3`)
  })
})

describe('the configuration the program reads', () => {
  test('that is fixed and lists the clusters is used; a session on one HSM reaches its cluster', async () => {
    const { sim, a, b, open } = await bench({ cliConfigOption: false, cliDiscovery: false })
    await copyFile(await writeCliConfig(sim, [A, B]), join(sim.dir, 'cloudhsm-cli.cfg'))
    expect((await open(b.slice(0, 1))).hsmIds).toEqual(ids(b))
    expect((await open([...a, ...b])).hsmIds).toEqual([...ids(a), ...ids(b)])
  })

  test('that is fixed leads to those that answer, and names one that was asked for and is away', async () => {
    const { sim, a, open, console } = await bench({ cliConfigOption: false, cliDiscovery: false })
    await copyFile(await writeCliConfig(sim, [A, B]), join(sim.dir, 'cloudhsm-cli.cfg'))
    const [first, second, third] = a as [RosterEntry, RosterEntry, RosterEntry]
    await sim.fault('unreachable', '--hsm', third.hsmId)
    for (const asked of [[first], [first, second]]) expect((await open(asked)).hsmIds).toEqual(ids([first, second]))
    expect(await consoleFailureOf(console.open(a))).toMatchObject({ kind: 'unreachable', hsmIds: [third.hsmId] })
  })

  test('that is fixed does not show which one takes the connection and never answers', async () => {
    const { sim, a, console } = await bench({ cliConfigOption: false, cliTimeoutMs: 1_500 })
    await copyFile(await writeCliConfig(sim, [A, B]), join(sim.dir, 'cloudhsm-cli.cfg'))
    const [first, second, third] = a as [RosterEntry, RosterEntry, RosterEntry]
    await sim.fault('silent', '--hsm', third.hsmId)
    for (const asked of [a, [first, second]]) {
      const failure = await consoleFailureOf(console.open(asked))
      expect(failure).toMatchObject({ kind: 'silent', hsmIds: ids(asked), someOf: true })
      expect(failure.message).toContain('does not answer is not seen from here, their addresses take the connection')
    }
  })

  test('that is fixed and differs is refused, in words that say how', async () => {
    const { sim, a, b, console } = await bench({ cliConfigOption: false })
    const fixed = join(sim.dir, 'cloudhsm-cli.cfg')
    await copyFile(await writeCliConfig(sim, [A], 2), fixed)
    const error = await operatorErrorOf(() => console.open([...a, ...b]))
    expect(error).toMatchObject({ code: 'CLI_CONFIG_DIFFERS', exitCode: 3 })
    expect(error.message).toContain(`"${fixed}"`)
    expect(error.message).toContain(`lacks ${a[2]?.eniIp} of ${A}; lacks ${B}`)
    expect(error.suggestions.join('\n')).toContain(`configure-cli add-cluster --cluster-id ${B} --region eu-west-1`)
  })

  test('that is fixed and leads elsewhere is refused', async () => {
    const { sim, a, roster } = await bench({ cliConfigOption: false })
    const fixed = await writeCliConfig(sim, [A])
    const others = roster.filter((entry) => entry !== a[0])
    const console = tracked(consoleOn(sim.ready.cloudhsmCli, others, { fixedConfig: fixed }))
    const error = await operatorErrorOf(() => console.open(a.slice(1)))
    expect(error.message).toContain(`lists ${a[0]?.eniIp} in ${A}, which AWS did not report there`)
  })

  test.each([
    ['is not there', '/nowhere/cloudhsm-cli.cfg', 'cannot be read (ENOENT)'],
    ['is none', process.execPath, 'is no configuration'],
  ])('that is fixed and %s is refused', async (_, fixedConfig, words) => {
    const { a, console } = await bench({ cliConfigOption: false }, { fixedConfig })
    expect((await operatorErrorOf(() => console.open(a))).message).toContain(words)
  })
})

describe('the version of the program', () => {
  test('without a choice of the cluster is refused before anything is sent', async () => {
    const { a, console } = await bench({ cliVersion: '5.11.0' })
    expect(await operatorErrorOf(() => console.open(a))).toMatchObject({ code: 'CLI_TOO_OLD', exitCode: 3 })
  })

  test('without a replication is refused there, and changes passwords', async () => {
    const { roster, open, b, holding } = await bench({ cliVersion: '5.14.0' })
    const both = await loggedIn(await open(roster))
    const copy = () => both.copyUser({ ...APP, userId: null }, A as ClusterId, B as ClusterId)
    const error = await operatorErrorOf(copy)
    expect(error.code).toBe('CLI_TOO_OLD')
    expect(error.message).toContain('5.14.0')
    await both.logout()
    expect(kinds(await (await loggedIn(await open(b))).changePassword(APP, NEW))).toEqual(['done', 'done'])
    expect(await holding(NEW.reveal())).toEqual([false, false, false, true, true])
  })
})

describe('a conversation', () => {
  test.each([
    [{ cliPromptStream: 'terminal' }],
    [{ cliPromptStream: 'stdout', cliExitStatus: 'zero' }],
    [{ cliPromptStream: 'stderr' }],
  ])('changes, copies, proves and lists with %j', async (behaviour) => {
    const { roster, a, b, open, holding } = await bench(behaviour)
    const source = await loggedIn(await open(a))
    expect(kinds(await source.changePassword(APP, NEW))).toEqual(['done', 'done', 'done'])
    await source.logout()
    expect(kinds(await source.login(APP, NEW, source.hsmIds))).toEqual(['done', 'done', 'done'])
    await source.close()
    const both = await open(roster)
    await both.login(OFFICER, OFFICER_PASSWORD, ids(a))
    await both.login(OFFICER, OFFICER_PASSWORD, ids(b))
    const copied = await both.copyUser({ ...APP, userId: null }, A as ClusterId, B as ClusterId)
    expect(copied).toEqual({ kind: 'done' })
    await both.logout()
    expect(await holding(NEW.reveal())).toEqual([true, true, true, true, true])
    const users = await both.listUsers()
    expect([...users.keys()]).toEqual(ids(roster))
    expect(users.get(roster[4]?.hsmId as HsmId)).toContainEqual({
      userId: null,
      type: 'CU',
      name: 'app_crypto',
      mofnPubKey: false,
      loginFailureCount: null,
      twoFactor: false,
      locked: false,
      inconsistent: [],
    })
  })

  test('shows a password to no other process, neither typed nor from our environment', async () => {
    const { a, open } = await bench()
    const session = await loggedIn(await open(a))
    const seen = descendantsOf(process.pid).filter(({ cmdline }) => cmdline.includes('interactive'))
    expect(seen.map(({ pid }) => pid)).toContain(session.process.pid)
    expect(JSON.stringify(seen)).not.toMatch(/TEST-officer|TEST-SECRET|CLOUDHSM_PIN/)
  })

  test('a wrong password is refused once, on the HSMs it was tried on', async () => {
    const { sim, roster, b, open } = await bench()
    const session = await open(roster)
    const answers = await session.login(APP, new Secret('TEST-wrong-1'), ids(b))
    expect([...answers.values()]).toMatchObject([
      { kind: 'refused', reason: 'login-refused' },
      { kind: 'refused', reason: 'login-refused' },
    ])
    expect([...answers.keys()]).toEqual(ids(b))
    const failures = (await sim.state()).hsms.map(({ users }) => users.find(({ name }) => name === APP.name)?.failures)
    expect(failures).toEqual([0, 0, 0, 1, 1])
    await expect(session.login(APP, NEW, ids(b).slice(0, 1))).rejects.toThrow('not all the HSMs')
  })

  test.each([
    ['logged-in', ['--user', 'CU:app_crypto'], 'user-logged-in'],
    ['quorum', [], 'quorum'],
    ['missing-user', ['--user', 'CU:app_crypto'], 'no-such-user'],
  ])('fault %s refuses a change, and nothing has changed', async (fault, options, reason) => {
    const { sim, a, open, holding } = await bench()
    await sim.fault(fault, ...options)
    const session = await loggedIn(await open(a))
    const answers = [...(await session.changePassword(APP, NEW)).values()]
    expect(answers).toMatchObject(a.map(() => ({ kind: 'refused', reason })))
    expect(await holding(NEW.reveal())).not.toContain(true)
  })

  test.each([
    'left-out',
    'listed',
  ])('a login is not refused where one HSM was lost in it (cliLostInHsmInfo %s)', async (cliLostInHsmInfo) => {
    const { sim, b, open } = await bench({ cliLostInHsmInfo })
    const [lost] = ids(b)
    await sim.fault('drop', '--operation', 'login', '--user', 'CU:app_crypto', '--nth', '1', '--hsm', lost ?? '')
    const answers = await (await open(b)).login(APP, new Secret('TEST-old-1'), ids(b))
    expect(kinds(answers)).toEqual(['unclear', 'unclear'])
  })

  test.each([
    'left-out',
    'listed',
  ])('a copy that fails everywhere is open where one HSM was lost behind it (cliLostInHsmInfo %s)', async (cliLostInHsmInfo) => {
    const { sim, roster, a, b, open, holding } = await bench({ cliLostInHsmInfo })
    const [refusing, lost] = ids(b)
    await (await loggedIn(await open(a))).changePassword(APP, NEW)
    await sim.fault('refuse', '--operation', 'replicate', '--hsm', refusing ?? '')
    await sim.fault('drop', '--operation', 'replicate', '--executes', '--nth', '1', '--hsm', lost ?? '')
    const both = await loggedIn(await open(roster))
    const copied = await both.copyUser({ ...APP, userId: null }, A as ClusterId, B as ClusterId)
    expect(copied).toMatchObject({ kind: 'unclear', text: expect.stringContaining('failed on 2 of 2 connections') })
    expect(await holding(NEW.reveal())).toEqual([true, true, true, false, true])
  })

  test('a change that fails on one HSM leaves open what all of them did, and can be repeated', async () => {
    const { sim, a, open, holding } = await bench()
    await sim.fault('partial', '--cluster', A, '--operation', 'change', '--count', '1', '--nth', '1')
    const session = await loggedIn(await open(a))
    expect([...(await session.changePassword(APP, NEW)).values()]).toMatchObject(
      a.map(() => ({ kind: 'unclear', text: expect.stringContaining('failed on 1 of 3 connections') })),
    )
    expect(await holding(NEW.reveal())).toEqual([false, true, true, false, false])
    expect(kinds(await session.changePassword(APP, NEW))).toEqual(['done', 'done', 'done'])
    expect(await holding(NEW.reveal())).toEqual([true, true, true, false, false])
  })

  test('limited-write mode leaves a change open: its words are not known', async () => {
    const { sim, a, open } = await bench()
    await sim.fault('limited-write', '--cluster', A)
    const session = await loggedIn(await open(a))
    expect(new Set(kinds(await session.changePassword(APP, NEW)))).toEqual(new Set(['unclear']))
  })

  test.each([
    ['all', 2, 'refused'],
    ['some', 1, 'unclear'],
  ])('a replication that fails on %s HSMs of the destination', async (_, count, kind) => {
    const { sim, roster, open, holding } = await bench()
    await sim.fault('partial', '--cluster', B, '--operation', 'replicate', '--count', `${count}`)
    await sim.check('CU:app_crypto', 'TEST-old-1')
    const session = await loggedIn(await open(roster))
    const answer = await session.copyUser({ ...APP, userId: null }, A as ClusterId, B as ClusterId)
    expect(answer).toMatchObject({ kind, text: `User replicate failed on ${count} of 2 connections` })
    expect(await holding('TEST-old-1')).not.toContain(false)
  })

  test('a user that is not the same on all HSMs of the source is not replicated', async () => {
    const { sim, roster, a, open } = await bench()
    await sim.fault('missing-user', '--user', 'CU:app_crypto', '--hsm', a[0]?.hsmId ?? '')
    const session = await loggedIn(await open(roster))
    expect((await session.listUsers()).get(a[1]?.hsmId as HsmId)?.find(({ name }) => name === APP.name)).toMatchObject({
      inconsistent: ['cluster-coverage'],
    })
    const answer = await session.copyUser({ ...APP, userId: null }, A as ClusterId, B as ClusterId)
    expect(answer).toMatchObject({ kind: 'refused', reason: 'inconsistent' })
  })

  test('the quorum is told for each HSM', async () => {
    const { sim, roster, b, open } = await bench()
    for (const { hsmId } of b) await sim.fault('quorum', '--hsm', hsmId)
    const quorum = await (await open(roster)).quorum()
    expect([...quorum.values()].map((value) => (value ?? 0) > 1)).toEqual([false, false, false, true, true])
  })

  test('a user that cannot be typed safely is refused before anything is sent', async () => {
    const { a, open } = await bench()
    const session = await open(a)
    for (const user of [
      { type: 'CU', name: 'app --role admin' },
      { type: 'CU', name: '--help' },
      { type: 'AU', name: 'x' },
    ] as const) {
      const error = await operatorErrorOf(() => session.login(user, NEW, session.hsmIds))
      expect(error.code).toBe('USER_NOT_TYPEABLE')
    }
  })
})
