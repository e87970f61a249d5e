import { spawn } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type RunningFleet, startSimulator } from '../../helpers/simulator.js'
import { PROMPT, TypedSession, writeConfig } from '../support/typed-session.js'

const users = [
  { type: 'CO', name: 'admin', password: 'TEST-officer-1' },
  { type: 'CO', name: 'second_officer', password: 'TEST-officer-2' },
  { type: 'CU', name: 'app_crypto', password: 'TEST-old-1' },
  { type: 'CU', name: 'app_batch', password: 'TEST-old-2' },
]
// Each test takes a pair of HSMs of its own, so that none sees what another changed.
const PAIRS = 20
const fleet = {
  version: 1,
  families: [
    {
      name: 'payments',
      users,
      clusters: [
        { clusterId: 'cluster-aaaaaaaaaaa', region: 'us-east-1', hsms: PAIRS },
        { clusterId: 'cluster-bbbbbbbbbbb', region: 'eu-west-1', hsms: PAIRS, clonedFrom: 'cluster-aaaaaaaaaaa' },
      ],
    },
  ],
}

let sim: RunningFleet
let addresses: string[]
let used = 0

beforeAll(async () => {
  sim = await startSimulator(fleet)
  addresses = (await sim.state()).hsms.map(({ eniIp }) => eniIp)
})
afterAll(() => sim.stop())

const pair = (): [string, string] => {
  const [source, destination] = [addresses[used], addresses[PAIRS + used]]
  used += 1
  if (!source || !destination) throw new Error('more tests than pairs of HSMs')
  return [source, destination]
}

const usersAt = async (address: string) => (await sim.state()).hsms.find(({ eniIp }) => eniIp === address)?.users ?? []
const holds = async (address: string, user: string, password: string): Promise<boolean | null | undefined> => {
  const [check, state] = await Promise.all([sim.check(user, password), sim.state()])
  const { hsmId } = state.hsms.find(({ eniIp }) => eniIp === address) ?? {}
  return check.hsms.find((entry) => entry.hsmId === hsmId)?.match
}

describe('the utility on a terminal', () => {
  test('greets, connects in the order of the file and numbers the servers', async () => {
    const [a, b] = pair()
    const session = await TypedSession.open(sim, [a, b])
    expect(session.transcript.replaceAll('\r\n', '\n')).toBe(`Connecting to the server(s), it may take time
depending on the server(s) load, please wait...

Connecting to server '${a}': hostname '${a}', port 2225...
Connected to server '${a}': hostname '${a}', port 2225.

Connecting to server '${b}': hostname '${b}', port 2225...
Connected to server '${b}': hostname '${b}', port 2225.

E2E enabled on server 0(${a})
E2E enabled on server 1(${b})
aws-cloudhsm>`)
    expect(await session.quit()).toBe(0)
    expect(session.transcript).toMatch(/aws-cloudhsm>quit\r\n\r\ndisconnecting from servers, please wait\.\.\.\r\n$/)
  })

  test('echoes what is typed but never a hidden password, however it is cut up', async () => {
    const session = await TypedSession.open(sim, pair())
    session.write('loginHSM CO ad')
    await session.expect(/loginHSM CO ad$/)
    await session.run('min -hpswd', /Enter password:$/)
    session.write('TEST-off')
    const text = await session.run('icer-1')
    expect(text).toMatch(/^\nloginHSM success on server 0\(127[\d.]+\)\nloginHSM success on server 1\(127[\d.]+\)\n/)
    expect(session.transcript).not.toContain('TEST-off')
    expect(session.transcript).toContain('Enter password:\r\n')
    expect(await session.quit()).toBe(0)
  })

  test('keeps what is typed ahead, and takes it as answers', async () => {
    const session = await TypedSession.open(sim, pair())
    await session.login('CO', 'admin', 'TEST-officer-1')
    const text = await session.run(
      'changePswd CU app_crypto TEST-new-1\rlistUsers\ry',
      /changePswd success on server 1[^>]*>$/,
    )
    expect(text).toContain("Invalid option, please type 'y' or 'n'\n\nDo you want to continue(y/n)?")
    expect(await session.quit()).toBe(0)
  })

  test('erases a character and a line', async () => {
    const session = await TypedSession.open(sim, pair())
    expect(await session.run('server 9\u007f0', /server0>$/)).toContain("Server is in 'E2' mode...")
    session.write('rubbish\u0015exit\r')
    await session.expect(/aws-cloudhsm>$/)
    expect(await session.quit()).toBe(0)
  })

  test('ends at the end of input and when interrupted', async () => {
    const addresses = pair()
    const [first, second] = await Promise.all([TypedSession.open(sim, addresses), TypedSession.open(sim, addresses)])
    first.write('\u0004')
    second.write('list\u0003')
    expect(await Promise.all([first.ended, second.ended])).toEqual([0, 130])
  })
})

describe('commands', () => {
  test('listUsers needs no login and shows a table per server', async () => {
    const [a, b] = pair()
    const session = await TypedSession.open(sim, [a, b])
    const text = await session.run('listU')
    const rows = text.split('\n').map((line) => line.trim().split(/\s+/).join(' '))
    expect(rows).toEqual([
      'listU',
      ...[a, b].flatMap((address, id) => [
        `Users on server ${id}(${address}):`,
        'Number of users found:5',
        '',
        'User Id User Type User Name MofnPubKey LoginFailureCnt 2FA',
        '1 CO admin NO 0 NO',
        '2 AU app_user NO 0 NO',
        '3 CO second_officer NO 0 NO',
        '4 CU app_crypto NO 0 NO',
        '5 CU app_batch NO 0 NO',
        '',
      ]),
      'aws-cloudhsm>',
    ])
    await session.quit()
  })

  test('info tells the HSM ID and who is logged in', async () => {
    const [a, b] = pair()
    const { hsmId } = (await sim.state()).hsms.find(({ eniIp }) => eniIp === b) ?? {}
    const session = await TypedSession.open(sim, [a, b])
    const before = await session.run('info server 1')
    expect(before.split('\n')[2]?.split(/\t+| \t/)).toEqual(['1', b, b, '2225', 'Connected', hsmId, 'Not logged in'])
    await session.login('CO', 'admin', 'TEST-officer-1')
    expect(await session.run('info server 1')).toContain(`${hsmId} \tLogged in as 'admin(CO)'\n`)
    expect((await usersAt(b)).find(({ name }) => name === 'admin')?.sessions).toBe(1)
    await session.run('logoutHSM')
    expect((await usersAt(b)).find(({ name }) => name === 'admin')?.sessions).toBe(0)
    await session.quit()
  })

  test('changePswd changes every server in global mode and one in server mode', async () => {
    const [a, b] = pair()
    const session = await TypedSession.open(sim, [a, b])
    await session.login('CO', 'admin', 'TEST-officer-1')
    const all = await session.change('CU', 'app_crypto', 'TEST-new-1')
    expect(all).toBe(
      `y\nChanging password for app_crypto(CU) on 2 nodes\nchangePswd success on server 0(${a})\nchangePswd success on server 1(${b})\naws-cloudhsm>`,
    )
    await session.run('server 1', /server1>$/)
    const one = await session.change('CU', 'app_crypto', 'TEST-new-2', /server1>$/)
    expect(one).toBe('y\nChanging password for app_crypto(CU) on 1 nodes\nchangePswd success\nserver1>')
    expect(session.transcript).not.toContain('TEST-new')
    expect(session.transcript).toContain('cluster. AWS does NOT synchronize these changes automatically with the \r\n')
    expect([await holds(a, 'CU:app_crypto', 'TEST-new-1'), await holds(b, 'CU:app_crypto', 'TEST-new-2')]).toEqual([
      true,
      true,
    ])
    await session.run('exit', /aws-cloudhsm>$/)
    await session.quit()
  })

  test('changePswd does nothing after n, nor when the passwords differ', async () => {
    const [a, b] = pair()
    const session = await TypedSession.open(sim, [a, b])
    await session.login('CO', 'admin', 'TEST-officer-1')
    await session.run('changePswd CU app_crypto TEST-new-1', /\(y\/n\)\?$/)
    expect(await session.run('n')).toBe('n\naws-cloudhsm>')
    await session.run('changePswd CU app_crypto -hpswd', /Enter new password: $/)
    await session.run('TEST-new-1', /Re-enter new password: $/)
    expect(await session.run('TEST-new-2')).toContain('Passwords do not match\n')
    expect(await holds(a, 'CU:app_crypto', 'TEST-old-1')).toBe(true)
    await session.quit()
  })

  test('after a failure R repeats, I goes on, A stops with the earlier servers changed', async () => {
    const [a, b] = pair()
    const ids = (await sim.state()).hsms.filter(({ eniIp }) => eniIp === a || eniIp === b).map(({ hsmId }) => hsmId)
    const session = await TypedSession.open(sim, [a, b])
    await session.login('CO', 'admin', 'TEST-officer-1')
    await sim.fault('logged-in', '--user', 'CU:app_crypto', '--hsm', `${ids[1]}`)
    const menu = /Retry\/Ignore\/Abort\?\(R\/I\/A\):$/
    const failure = `changePswd failed: HSM Error: Deletion or Changing password of a logged in User is denied\nChanging password on node 1(${b}) failed\n\nRetry/Ignore/Abort?(R/I/A):`
    const first = await session.change('CU', 'app_crypto', 'TEST-new-1', menu)
    expect(first).toContain(`changePswd success on server 0(${a})\n${failure}`)
    expect(await session.run('R', menu)).toBe(`R\n${failure}`)
    expect(await session.run('A')).toBe('A\naws-cloudhsm>')
    expect([await holds(a, 'CU:app_crypto', 'TEST-new-1'), await holds(b, 'CU:app_crypto', 'TEST-old-1')]).toEqual([
      true,
      true,
    ])
    // The other way round: the first fails and is passed over.
    await sim.fault('logged-in', '--user', 'CU:app_crypto', '--hsm', `${ids[1]}`, '--off')
    await sim.fault('logged-in', '--user', 'CU:app_crypto', '--hsm', `${ids[0]}`)
    await session.change('CU', 'app_crypto', 'TEST-new-2', menu)
    expect(await session.run('I')).toBe(`I\nchangePswd success on server 1(${b})\naws-cloudhsm>`)
    expect([await holds(a, 'CU:app_crypto', 'TEST-new-1'), await holds(b, 'CU:app_crypto', 'TEST-new-2')]).toEqual([
      true,
      true,
    ])
    await session.quit()
  })

  test('deleteUser asks nothing, and B brings the user back where it was deleted', async () => {
    const [a, b] = pair()
    const { hsmId } = (await sim.state()).hsms.find(({ eniIp }) => eniIp === b) ?? {}
    const session = await TypedSession.open(sim, [a, b])
    await session.login('CO', 'admin', 'TEST-officer-1')
    await sim.fault('logged-in', '--user', 'CU:app_batch', '--hsm', `${hsmId}`)
    const before = await sim.state()
    await session.run('deleteUser CU app_batch', /Retry\/rollBack\/Ignore\?\(R\/B\/I\):$/)
    expect(await usersAt(a)).not.toContainEqual(expect.objectContaining({ name: 'app_batch' }))
    await session.run('B')
    expect(await sim.state()).toEqual(before)
    await sim.fault('logged-in', '--user', 'CU:app_batch', '--hsm', `${hsmId}`, '--off')
    const text = await session.run('deleteUser CU app_batch')
    expect(text).toContain(`Deleting user app_batch(CU) on 2 nodes\ndeleteUser success on server 0(${a})\n`)
    await session.quit()
  })

  test('createUser creates, and refuses a name that is taken', async () => {
    const [a, b] = pair()
    const session = await TypedSession.open(sim, [a, b])
    await session.login('CO', 'admin', 'TEST-officer-1')
    await session.run('createUser CU joe TEST-joe-1', /\(y\/n\)\?$/)
    expect(await session.run('y')).toContain(`Creating User joe(CU) on 2 nodes\ncreateUser success on server 0(${a})\n`)
    await session.run('createUser CU JOE TEST-joe-1', /\(y\/n\)\?$/)
    expect(await session.run('y', /\(R\/I\/A\):$/)).toContain(`creating user on server 0(${a}) failed\n`)
    await session.run('A')
    await session.quit()
  })

  test('syncUser carries the password to one server', async () => {
    const [a, b] = pair()
    const session = await TypedSession.open(sim, [a, b])
    await session.login('CO', 'admin', 'TEST-officer-1')
    await session.run('server 0', /server0>$/)
    await session.change('CU', 'app_crypto', 'TEST-new-1', /server0>$/)
    expect(await session.run('syncUser 4 1', /server0>$/)).toBe(
      'syncUser 4 1\nExtractMaskedObject: 0x0 !\nInsertMaskedObject: 0x0 !\nsyncUser success\nserver0>',
    )
    expect(await holds(b, 'CU:app_crypto', 'TEST-new-1')).toBe(true)
    expect(await session.run('syncUser 77 1', /server0>$/)).toBe(
      'syncUser 77 1\nExtractMaskedObject: 0xce !\nsyncUser failed\nserver0>',
    )
    await session.kill()
  })

  test('names can be shortened as long as they mean one command, and have their modes', async () => {
    const session = await TypedSession.open(sim, pair())
    expect(await session.run('li')).toContain('li: ambiguous command, could be listUsers, listAttributes, listTokens\n')
    expect(await session.run('nonsense')).toContain('nonsense: command not found')
    expect(await session.run('syncUser 4 1')).toContain('syncUser: command is available only in server mode\n')
    expect(await session.run('server 7')).toContain('Invalid server number 7\n')
    expect(await session.run('help loginHSM')).toContain('loginHSM <user-type> <user-name> <password | -hpswd>')
    await session.run('server 0', /server0>$/)
    expect(await session.run('quit', PROMPT)).toContain('quit: command is available only in global mode\n')
    await session.kill()
  })
})

describe('the utility without a terminal', () => {
  const piped = (config: string, input: string): Promise<{ output: string; code: number | null }> =>
    new Promise((resolve) => {
      const child = spawn(sim.ready.managementUtility, [config], { env: {}, stdio: ['pipe', 'pipe', 'inherit'] })
      let output = ''
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk
      })
      child.on('close', (code) => resolve({ output, code }))
      child.stdin.end(input)
    })

  test('takes commands from a here-document', async () => {
    const [a, b] = pair()
    const { code, output } = await piped(
      await writeConfig(sim.dir, [a, b]),
      'loginHSM CO admin TEST-officer-1\nlogoutHSM\nquit\n',
    )
    expect(code).toBe(0)
    expect(output).toContain(`aws-cloudhsm>loginHSM success on server 0(${a})\n`)
    expect(output).toMatch(/aws-cloudhsm>\ndisconnecting from servers, please wait\.\.\.\n$/)
  })

  test('refuses a missing and a malformed configuration before any prompt', async () => {
    expect(await piped('/nonexistent.cfg', '')).toEqual({
      code: 1,
      output: 'Failed to open the configuration file /nonexistent.cfg\n',
    })
    const config = await writeConfig(sim.dir, ['127.0.0.1'], (entry) => ({ ...entry, port: 'many' }))
    expect(await piped(config, '')).toEqual({
      code: 1,
      output: `Failed to parse the configuration file ${config}: servers[0]: no port\n`,
    })
  })

  test('passes over entries that are switched off', async () => {
    const [a, b] = [addresses[0] ?? '', addresses[1] ?? '']
    const config = await writeConfig(sim.dir, [a, b], (entry, index) => ({
      ...entry,
      name: `server${index}`,
      enable: index === 0 ? 'no' : 'yes',
    }))
    const { output } = await piped(config, 'quit\n')
    expect(output).toContain(`Connecting to server 'server1': hostname '${b}', port 2225...\n`)
    expect(output).toContain('E2E enabled on server 0(server1)\n')
    expect(output).not.toContain("'server0'")
  })
})
