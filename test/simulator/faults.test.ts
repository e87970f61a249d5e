import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { type RunningFleet, startSimulator } from '../helpers/simulator.js'
import { PROMPT, TypedSession, writeConfig } from './support/typed-session.js'

const fleet = {
  version: 1,
  families: [
    {
      name: 'payments',
      users: [
        { type: 'CO', name: 'admin', password: 'TEST-officer-1' },
        { type: 'CU', name: 'app_crypto', password: 'TEST-old-1' },
      ],
      clusters: [
        { clusterId: 'cluster-aaaaaaaaaaa', region: 'us-east-1', hsms: 1 },
        { clusterId: 'cluster-bbbbbbbbbbb', region: 'eu-west-1', hsms: 1, clonedFrom: 'cluster-aaaaaaaaaaa' },
      ],
    },
  ],
  behaviour: { connectTimeoutMs: 2500 },
}

interface Hsm {
  readonly id: string
  readonly address: string
}
let sim: RunningFleet
let source: Hsm
let destination: Hsm
const sessions: TypedSession[] = []

beforeAll(async () => {
  sim = await startSimulator(fleet)
  const [first, second] = (await sim.state()).hsms.map(({ eniIp, hsmId }) => ({ id: hsmId, address: eniIp }))
  if (!first || !second) throw new Error('no HSMs')
  source = first
  destination = second
})
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.kill()))
})
afterAll(() => sim.stop())

/** A session as officer on both HSMs. */
const officer = async (...addresses: readonly string[]): Promise<TypedSession> => {
  const session = await TypedSession.open(sim, addresses.length > 0 ? addresses : [source.address, destination.address])
  sessions.push(session)
  await session.login('CO', 'admin', 'TEST-officer-1')
  return session
}
const holds = async (hsm: Hsm, password: string): Promise<boolean | null | undefined> =>
  (await sim.check('CU:app_crypto', password)).hsms.find(({ hsmId }) => hsmId === hsm.id)?.match
const userAt = async (hsm: Hsm, name = 'app_crypto') =>
  (await sim.state()).hsms.find(({ hsmId }) => hsmId === hsm.id)?.users.find((user) => user.name === name)
const starting = async (): Promise<TypedSession> => {
  const session = new TypedSession(sim.ready.managementUtility, [
    await writeConfig(sim.dir, [source.address, destination.address]),
  ])
  sessions.push(session)
  return session
}
const reset = (...hsms: readonly Hsm[]): Promise<unknown> =>
  Promise.all(
    hsms.map(({ id }) => sim.fault('set-password', '--hsm', id, '--user', 'CU:app_crypto', '--password', 'env:OLD')),
  )
const MENU = /\(R\/I\/A\):$/

beforeAll(() => {
  process.env['OLD'] = 'TEST-old-1'
})
afterAll(() => {
  delete process.env['OLD']
})

describe('an HSM that cannot be reached', () => {
  test('unreachable ends the utility at its start, and cuts sessions that are open', async () => {
    const open = await officer()
    await sim.fault('unreachable', '--hsm', destination.id)
    expect(await open.run('listUsers')).toContain(
      `listUsers failed: Connection to server 1(${destination.address}) is lost\n`,
    )
    expect(await open.run('info server 1')).toMatch(/\tDisconnected\t/)
    const session = await starting()
    expect(await session.ended).toBe(1)
    expect(session.transcript.replaceAll('\r\n', '\n')).toContain(
      `Connection to server ${destination.address}(${destination.address}) on port 2225 failed:Connection refused\nConnection to one of servers failed, exiting...\n`,
    )
    await sim.fault('unreachable', '--hsm', destination.id, '--off')
    await (await starting()).expect(PROMPT)
  })

  test('silent lets the connection time out', async () => {
    await sim.fault('silent', '--hsm', destination.id)
    const session = await starting()
    expect(await session.ended).toBe(1)
    expect(session.transcript).toContain('failed:Connection timed out\r\n')
    await sim.fault('silent', '--hsm', destination.id, '--off')
  })

  test('limited comes up crippled, and recovers by enable_e2e', async () => {
    await sim.fault('limited', '--hsm', destination.id)
    const session = await starting()
    await session.expect(PROMPT)
    expect(session.transcript).toContain('running in limited commands mode\r\n')
    expect(await session.login('CO', 'admin', 'TEST-officer-1')).toContain('loginHSM failed: HSM Error: not available')
    await sim.fault('limited', '--hsm', destination.id, '--off')
    expect(await session.run('enable_e2e')).toContain(`E2E enabled on server 1(${destination.address})\n`)
    expect(await session.login('CO', 'admin', 'TEST-officer-1')).toContain('loginHSM success on server 1')
  })

  test('slow takes longer', async () => {
    const session = await officer()
    await sim.fault('slow', '--hsm', destination.id, '--ms', '120')
    const started = performance.now()
    await session.run('listUsers')
    expect(performance.now() - started).toBeGreaterThanOrEqual(119)
    await sim.fault('slow', '--off')
  })
})

describe('an HSM that refuses', () => {
  test('refuse-login refuses right passwords, and counts them only when told to', async () => {
    const session = await officer(source.address)
    await session.run('logoutHSM')
    await sim.fault('refuse-login', '--hsm', source.id, '--user', 'CU:app_crypto')
    expect(await session.login('CU', 'app_crypto', 'TEST-old-1')).toContain(
      'loginHSM failed: HSM Error: RET_USER_LOGIN',
    )
    expect((await userAt(source))?.failures).toBe(0)
    await sim.fault('refuse-login', '--off')
    await sim.fault('refuse-login', '--hsm', source.id, '--user', 'CU:app_crypto', '--counted')
    await session.login('CU', 'app_crypto', 'TEST-old-1')
    expect((await userAt(source))?.failures).toBe(1)
    await sim.fault('refuse-login', '--off')
    expect(await session.login('CU', 'app_crypto', 'TEST-old-1')).toContain('loginHSM success')
    expect((await sim.state({ counters: true })).hsms[0]?.logins?.['CU:app_crypto']).toEqual({ ok: 1, failed: 1 })
  })

  test('refuse strikes the call it is aimed at', async () => {
    await sim.fault('refuse', '--hsm', source.id, '--operation', 'change', '--nth', '2')
    const session = await officer(source.address)
    expect(await session.change('CU', 'app_crypto', 'TEST-new-1')).toContain('changePswd success')
    expect(await session.change('CU', 'app_crypto', 'TEST-new-2', MENU)).toContain(
      'changePswd failed: HSM Error: operation failed\n',
    )
    expect(await session.run('R')).toContain('changePswd success')
    expect(await holds(source, 'TEST-new-2')).toBe(true)
    await sim.fault('refuse', '--off')
    await reset(source)
  })

  test('logged-in counts as a session and denies a change', async () => {
    await sim.fault('logged-in', '--user', 'CU:app_crypto')
    expect([(await userAt(source))?.sessions, (await userAt(destination))?.sessions]).toEqual([1, 1])
    const session = await officer(source.address)
    expect(await session.change('CU', 'app_crypto', 'TEST-new-1', MENU)).toContain('logged in User is denied')
    await session.run('A')
    await sim.fault('logged-in', '--user', 'CU:app_crypto', '--off')
    expect(await session.change('CU', 'app_crypto', 'TEST-old-1')).toContain('changePswd success')
  })

  test('quorum shows in getMValue and denies changes', async () => {
    await sim.fault('quorum')
    const session = await officer(source.address)
    expect(await session.run('getMValue 3')).toContain('MValue of service 3[USER_MGMT] on server 0 : [2]\n')
    expect(await session.change('CU', 'app_crypto', 'TEST-new-1', MENU)).toContain(
      'changePswd failed: RET_MXN_AUTH_FAILED\n',
    )
    await session.run('A')
    await sim.fault('quorum', '--count', '4')
    expect(await session.run('getMValue 3')).toContain('on server 0 : [4]\n')
    await sim.fault('quorum', '--off')
    expect(await session.run('getMValue 3')).toContain('on server 0 : [0]\n')
  })

  test('full takes no new user', async () => {
    await sim.fault('full')
    const session = await officer(source.address)
    await session.run('createUser CU joe TEST-joe-1', /\(y\/n\)\?$/)
    expect(await session.run('y', MENU)).toContain('createUser failed: HSM Error: no room for another user\n')
    await sim.fault('full', '--off')
  })
})

describe('an HSM that takes or does not take a user', () => {
  const sync = async (): Promise<string> => {
    const session = await officer()
    await session.run('server 0', /server0>$/)
    const { id } = (await userAt(source)) ?? {}
    return session.run(`syncUser ${id} 1`, /server0>$/)
  }

  test('sync-refuse refuses the one that is there', async () => {
    await sim.fault('sync-refuse', '--hsm', destination.id)
    expect(await sync()).toMatch(
      /ExtractMaskedObject: 0x0 !\nInsertMaskedObject: 0xd3 !\nHSM Error: user already created, unable to insert object\nsyncUser failed\n/,
    )
    await sim.fault('sync-refuse', '--off')
    expect(await sync()).toContain('syncUser success\n')
  })

  test('wrong-masking-key is no clone any more', async () => {
    await sim.fault('wrong-masking-key', '--hsm', destination.id)
    expect(await sync()).toMatch(/ExtractMaskedObject: 0x0 !\nInsertMaskedObject: 0xd5 !\n.*\nsyncUser failed\n/)
    await sim.fault('wrong-masking-key', '--off')
    expect(await sync()).toContain('syncUser success\n')
  })

  test('missing-user is filled by a sync, and comes back by itself', async () => {
    await sim.fault('missing-user', '--hsm', destination.id, '--user', 'CU:app_crypto')
    expect(await userAt(destination)).toBeUndefined()
    expect(await holds(destination, 'TEST-old-1')).toBeNull()
    expect(await sync()).toContain('syncUser success\n')
    expect(await holds(destination, 'TEST-old-1')).toBe(true)
    const before = await sim.state()
    await sim.fault('missing-user', '--hsm', destination.id, '--user', 'CU:app_crypto')
    await sim.fault('missing-user', '--hsm', destination.id, '--user', 'CU:app_crypto', '--off')
    expect(await sim.state()).toEqual(before)
  })

  test('failures and set-password are what somebody else did', async () => {
    const user = ['--hsm', destination.id, '--user', 'CU:app_crypto']
    await sim.fault('failures', ...user, '--count', '5')
    expect(await userAt(destination)).toMatchObject({ failures: 5, locked: true })
    await sim.fault('failures', ...user, '--off')
    expect(await userAt(destination)).toMatchObject({ failures: 0, locked: false })
    process.env['HAND'] = 'TEST-by-hand-1'
    await sim.fault('set-password', ...user, '--password', 'env:HAND')
    delete process.env['HAND']
    expect(await holds(destination, 'TEST-by-hand-1')).toBe(true)
    await sim.fault('set-password', ...user, '--off')
    expect(await holds(destination, 'TEST-old-1')).toBe(true)
  })
})

describe('a line that breaks in the middle of a change', () => {
  test.each([
    [[], 'TEST-old-1'],
    [['--executes'], 'TEST-new-1'],
  ])('drop %j leaves %s', async (options, password) => {
    await sim.fault('drop', '--hsm', source.id, '--operation', 'change', ...options)
    const session = await officer(source.address)
    expect(await session.change('CU', 'app_crypto', 'TEST-new-1', MENU)).toContain(
      `changePswd failed: Connection to server 0(${source.address}) is lost\n`,
    )
    expect(await holds(source, password)).toBe(true)
    await sim.fault('drop', '--off')
    await reset(source)
  })

  test('die-after has changed and never says so', async () => {
    await sim.fault('die-after', '--hsm', source.id)
    const session = await officer(source.address)
    await session.change('CU', 'app_crypto', 'TEST-new-1', /on 1 nodes\n$/)
    await until(() => holds(source, 'TEST-new-1'))
    expect(session.transcript).toMatch(/on 1 nodes\r\n$/)
    await sim.fault('die-after', '--off')
    await session.kill()
    await reset(source)
  })

  test('late changes after the client has gone', async () => {
    await sim.fault('late', '--hsm', source.id, '--ms', '50')
    const session = await officer(source.address)
    await session.change('CU', 'app_crypto', 'TEST-new-1', /on 1 nodes\n$/)
    expect(await holds(source, 'TEST-old-1')).toBe(true)
    await session.kill()
    await until(() => holds(source, 'TEST-new-1'))
    expect((await userAt(source, 'admin'))?.sessions).toBe(0)
    await sim.fault('late', '--off')
    await reset(source)
  })
})

/** Asks until the answer is true; the test's own time limit ends it. */
const until = async (question: () => Promise<boolean | null | undefined>): Promise<void> => {
  while (!(await question())) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe('an HSM that is another one', () => {
  test('replaced answers with another ID under the same address', async () => {
    const { hsms } = await sim.fault('replaced', '--hsm', destination.id)
    expect(hsms).toHaveLength(1)
    expect(hsms[0]).toMatch(/^hsm-[2-7a-z]{11}$/)
    expect(hsms[0]).not.toBe(destination.id)
    const session = await officer()
    expect(await session.run('info server 1')).toContain(`\t${hsms[0]} \t`)
    expect((await sim.state()).hsms.map(({ hsmId }) => hsmId)).toEqual([source.id, hsms[0]])
    await sim.fault('replaced', '--hsm', destination.id, '--off')
    expect((await sim.state()).hsms.map(({ hsmId }) => hsmId)).toEqual([source.id, destination.id])
  })

  test('replaced from an old backup has the users of then', async () => {
    await sim.fault(
      'set-password',
      '--hsm',
      destination.id,
      '--user',
      'CU:app_crypto',
      '--password',
      'command:echo TEST-new-1',
    )
    expect(await holds(destination, 'TEST-new-1')).toBe(true)
    await sim.fault('replaced', '--hsm', destination.id, '--users', 'original')
    await sim.fault('replaced', '--hsm', destination.id, '--off')
    expect(await holds(destination, 'TEST-old-1')).toBe(true)
  })

  test('added listens on an address of its own, with the users of a sibling', async () => {
    const { hsms } = await sim.fault('added', '--cluster', 'cluster-bbbbbbbbbbb')
    const added = (await sim.state()).hsms.find(({ hsmId }) => hsmId === hsms[0])
    const session = await officer(added?.eniIp ?? '')
    expect(await session.run('info server 0')).toContain(`\t${hsms[0]} \t`)
    expect(added?.users.map(({ name }) => name)).toEqual(['admin', 'app_user', 'app_crypto'])
    await sim.fault('added', '--cluster', 'cluster-bbbbbbbbbbb', '--off')
    expect((await sim.state()).hsms).toHaveLength(2)
  })
})
