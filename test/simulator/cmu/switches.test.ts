import { afterEach, describe, expect, test } from '@jest/globals'
import { type RunningFleet, startSimulator } from '../../helpers/simulator.js'
import { PROMPT, TypedSession, writeConfig } from '../support/typed-session.js'

const fleet = (behaviour: object, more: object = {}): object => ({
  version: 1,
  families: [
    {
      name: 'payments',
      users: [
        { type: 'CO', name: 'admin', password: 'TEST-officer-1' },
        { type: 'CU', name: 'app_crypto', password: 'TEST-old-1' },
      ],
      clusters: [{ clusterId: 'cluster-aaaaaaaaaaa', region: 'us-east-1', hsms: 2 }],
    },
  ],
  behaviour,
  ...more,
})

const TWO_OFFICERS = [
  {
    name: 'payments',
    users: [
      { type: 'CO', name: 'admin', password: 'TEST-officer-1' },
      { type: 'CU', name: 'app_crypto', password: 'TEST-old-1' },
      { type: 'CO', name: 'eu_admin', password: 'TEST-officer-2' },
    ],
    clusters: [{ clusterId: 'cluster-aaaaaaaaaaa', region: 'us-east-1', hsms: 2 }],
  },
]

let sim: RunningFleet | null = null
const sessions: TypedSession[] = []
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.kill()))
  await sim?.stop()
  sim = null
})

const start = async (behaviour: object, more: object = {}): Promise<{ sim: RunningFleet; addresses: string[] }> => {
  sim = await startSimulator(fleet(behaviour, more))
  return { sim, addresses: (await sim.state()).hsms.map(({ eniIp }) => eniIp) }
}
const opened = async (behaviour: object): Promise<TypedSession> => {
  const { addresses, sim } = await start(behaviour)
  const session = await TypedSession.open(sim, addresses)
  sessions.push(session)
  return session
}

describe('where transcripts differ a switch decides', () => {
  test.each([
    ['compact', 'aws-cloudhsm>', 'server0>'],
    ['spaced', 'aws-cloudhsm> ', 'server 0> '],
    ['wide', 'aws-cloudhsm >', 'server 0 >'],
  ])('promptStyle %s', async (promptStyle, global, server) => {
    const session = await opened({ promptStyle })
    expect(session.transcript.split('\n').at(-1)).toBe(global)
    expect((await session.run('server 0')).split('\n').at(-1)).toBe(server)
  })

  test('banner, mode text and lines of success', async () => {
    const session = await opened({ ignoringE2eLine: true, e2eLines: false, modeText: 'E2E', successLines: false })
    expect(session.transcript).toMatch(
      /^Ignoring E2E enable flag in the configuration file\r\nConnecting to the server/,
    )
    expect(session.transcript).not.toContain('E2E enabled')
    await session.login('CO', 'admin', 'TEST-officer-1')
    expect(await session.change('CU', 'app_crypto', 'TEST-new-1')).toBe(
      'y\nChanging password for app_crypto(CU) on 2 nodes\naws-cloudhsm>',
    )
    expect(await session.run('server 1')).toBe("server 1\n\nServer is in 'E2E' mode...\nserver1>")
  })

  test('caution block, createUser and syncUser in other words', async () => {
    const session = await opened({
      cautionWording: 'cav',
      cautionBlankLine: true,
      createUserWording: 'sentence',
      syncUserWording: 'sibling',
    })
    await session.login('CO', 'admin', 'TEST-officer-1')
    expect(await session.run('createUser CU joe TEST-joe-1', /\(y\/n\)\?$/)).toMatch(
      /^createUser CU joe TEST-joe-1\n\n\*+CAUTION\*+\n.*\ncluster\. Cav server does NOT synchronize these changes with the \n/,
    )
    expect(await session.run('y')).toMatch(/\ncreating user on server 0\([\d.]+\) success\n/)
    await session.run('server 0')
    expect(await session.run('syncUser 3 1')).toContain('InsertMaskedObject: 0x0 !\nUser sync Success\n')
  })

  test('syncUser can refuse without a word of why', async () => {
    const session = await opened({ syncUserExisting: 'refuse', syncRefusalLine: false })
    await session.login('CO', 'admin', 'TEST-officer-1')
    await session.run('server 0')
    expect(await session.run('syncUser 3 1')).toBe(
      'syncUser 3 1\nExtractMaskedObject: 0x0 !\nInsertMaskedObject: 0xd3 !\nsyncUser failed\nserver0>',
    )
  })

  test.each([
    ['any', 'InsertMaskedObject: 0x0 !\nsyncUser success\n'],
    [
      'same',
      'InsertMaskedObject: 0xe0 !\nHSM Error: masked object was extracted by another officer\nsyncUser failed\n',
    ],
  ])('syncUserOfficers %s: two officers, each logged in on one server', async (syncUserOfficers, inserted) => {
    const { addresses, sim } = await start({ syncUserOfficers }, { families: TWO_OFFICERS })
    const session = await TypedSession.open(sim, addresses)
    sessions.push(session)
    const logins: string[] = []
    for (const [server, name, password] of [
      ['0', 'admin', 'TEST-officer-1'],
      ['1', 'eu_admin', 'TEST-officer-2'],
    ]) {
      await session.run(`server ${server}`)
      logins.push((await session.run(`loginHSM CO ${name} ${password}`)).split('\n').slice(1).join('\n'))
      await session.run('exit')
    }
    expect(logins).toEqual(['loginHSM success\nserver0>', 'loginHSM success\nserver1>'])
    expect(await session.run('info server 1')).toContain("Logged in as 'eu_admin(CO)'")
    await session.run('server 0')
    expect(await session.run('syncUser 3 1')).toBe(`syncUser 3 1\nExtractMaskedObject: 0x0 !\n${inserted}server0>`)
  })

  test('an unreachable server can be passed over at the start', async () => {
    const { addresses, sim } = await start({ unreachableEndsUtility: false })
    await sim.fault('unreachable', '--hsm', (await sim.state()).hsms[0]?.hsmId ?? '')
    const session = await TypedSession.open(sim, addresses)
    sessions.push(session)
    expect(session.transcript).toContain('failed:Connection refused\r\n')
    expect(session.transcript).not.toContain('exiting...')
    const login = await session.login('CO', 'admin', 'TEST-officer-1')
    expect(login).toContain(
      `loginHSM failed on server 0(${addresses[0]})\nloginHSM success on server 1(${addresses[1]})\n`,
    )
  })

  test('the owner certificate can be looked for', async () => {
    const { addresses, sim } = await start({ ownerCertificateChecked: true })
    const config = await writeConfig(sim.dir, addresses, (entry, index) =>
      index === 0 ? entry : { ...entry, e2e_encryption: { enable: 'yes', owner_cert_path: sim.ready.control } },
    )
    const session = new TypedSession(sim.ready.managementUtility, [config])
    sessions.push(session)
    await session.expect(PROMPT)
    expect(session.transcript).toContain(`Server 0(${addresses[0]}) is in unencrypted mode now...\r\n`)
    expect(session.transcript).toContain(`E2E enabled on server 1(${addresses[1]})\r\n`)
    const login = await session.login('CO', 'admin', 'TEST-officer-1')
    expect(login).toContain('loginHSM failed: HSM Error: not available in limited commands mode\n')
    expect(login).toContain(`loginHSM success on server 1(${addresses[1]})\n`)
  })
})

describe('time', () => {
  test('an HSM does one thing at a time, each taking as long as the fleet says', async () => {
    const { addresses, sim } = await start({}, { latencyMs: { default: 0, list: 40 } })
    const [first, second] = await Promise.all([0, 1].map(() => TypedSession.open(sim, addresses.slice(0, 1))))
    if (!first || !second) throw new Error('no sessions')
    sessions.push(first, second)
    const started = performance.now()
    await Promise.all([first.run('listUsers'), second.run('listUsers')])
    expect(performance.now() - started).toBeGreaterThanOrEqual(79)
  })

  test('a busy HSM does not keep another from answering', async () => {
    const { addresses, sim } = await start({})
    const [busy, free] = await Promise.all(addresses.map((address) => TypedSession.open(sim, [address])))
    if (!busy || !free) throw new Error('no sessions')
    sessions.push(busy, free)
    await sim.fault('slow', '--hsm', (await sim.state()).hsms[0]?.hsmId ?? '', '--ms', '3600000')
    await busy.run('listUsers', /listUsers\n$/)
    expect(await free.run('listUsers')).toContain('Number of users found:3\n')
    expect(busy.transcript).not.toContain('Number of users')
  })
})
