import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { managementUtility } from '../../../../src/adapters/utilities/cmu/console.js'
import { ConsoleFailure } from '../../../../src/domain/hsm-console.js'
import type { RosterEntry } from '../../../../src/domain/roster.js'
import { Secret } from '../../../../src/domain/secret.js'
import { operatorErrorOf } from '../../../helpers/errors.js'
import { rosterOf } from '../../../helpers/rotation.js'
import { tempFolders } from '../../../helpers/temp-folder.js'

const SCRIPTED = fileURLToPath(new URL('../../../../../fixtures/utilities/scripted.mjs', import.meta.url))
const newFolder = tempFolders()
const [server] = rosterOf(1, 1) as [RosterEntry, RosterEntry]
const { hsmId, eniIp } = server

type Step = {
  say?: string
  bytes?: string
  split?: string
  hear?: string
  echo?: boolean
  exit?: number
  stuck?: boolean
}
const PROMPT = 'aws-cloudhsm>'
const GREETING: Step[] = [
  {
    say: `Connected to server '${eniIp}': hostname '${eniIp}', port 2225.\nE2E enabled on server 0(${eniIp})\n${PROMPT}`,
  },
]
const info = (id: string, state = 'Connected'): Step[] => [
  { hear: '^info server 0$' },
  {
    say: `Id Name Hostname Port State Partition LoginState\n0\t${eniIp}\t${eniIp}  2225 ${state}  ${id} Not logged in\n${PROMPT}`,
  },
]
const OPENED: Step[] = [...GREETING, ...info(hsmId)]
const PASSWORD = new Secret('TEST-SECRET-session')
const APP = { type: 'CU', name: 'app' } as const

/** A console whose utility follows `steps`; its temporary files lie in `folder`. */
const scripted = async (steps: readonly Step[], silenceMs = 5_000, workFolder = tmpdir()) => {
  const folder = await newFolder()
  await writeFile(join(folder, 'utility.json'), JSON.stringify(steps))
  const node = join(folder, 'node.sh')
  await writeFile(node, `#!/bin/sh\nexec ${process.execPath} ${SCRIPTED} "$@"\n`)
  await chmod(node, 0o755)
  const console = managementUtility({
    path: node,
    configFor: () => ({ servers: [] }),
    workFolder,
    limits: { startupMs: silenceMs, commandMs: silenceMs, goodbyeMs: 500 },
    environment: { HOME: folder, PATH: process.env['PATH'], CANARY: 'TEST-SECRET-environment' },
    now: () => new Date(),
  })
  return console
}

const failureOf = async (work: Promise<unknown>): Promise<ConsoleFailure> => {
  const error = await work.then(
    () => new Error('a ConsoleFailure was expected'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof ConsoleFailure) return error
  throw error
}

describe('opening a session', () => {
  test('proves which HSM answers before anything else is said', async () => {
    const session = await (await scripted([...OPENED, { hear: '^quit$' }, { exit: 0 }])).open([server])
    expect(session.hsmIds).toEqual([hsmId])
    await session.close()
  })

  test('another HSM behind the address is refused', async () => {
    const failure = await failureOf((await scripted([...GREETING, ...info('hsm-zzzzzzzzzzz')])).open([server]))
    expect(failure.kind).toBe('wrong-hsm')
    expect(failure.message).toContain(`should be ${hsmId} but hsm-zzzzzzzzzzz`)
  })

  test('an HSM that is listed but not connected is refused', async () => {
    const failure = await failureOf((await scripted([...GREETING, ...info(hsmId, 'Disconnected')])).open([server]))
    expect(failure.kind).toBe('unreachable')
  })

  test('limited commands mode is refused although a prompt follows', async () => {
    const limited = [
      {
        say: `Connected to server '${eniIp}': hostname '${eniIp}', port 2225.\nrunning in limited commands mode\n${PROMPT}`,
      },
    ]
    expect((await failureOf((await scripted(limited)).open([server]))).kind).toBe('limited')
  })

  test('a failed connection is named, whatever the utility does afterwards', async () => {
    const refused = [
      {
        say: `Connection to server ${eniIp}(${eniIp}) on port 2225 failed:Connection refused\nConnection to one of servers failed, exiting...\n`,
      },
      { exit: 1 },
    ]
    const failure = await failureOf((await scripted(refused)).open([server]))
    expect(failure).toMatchObject({ kind: 'unreachable', hsmIds: [hsmId] })
  })

  test('a utility that says nothing counts as unreachable once the time is over', async () => {
    expect((await failureOf((await scripted([], 200)).open([server]))).kind).toBe('unreachable')
  })

  test('words that are not known before the first prompt stop it', async () => {
    const failure = await failureOf((await scripted([{ say: 'Segmentation fault\n' }, { exit: 139 }])).open([server]))
    expect(failure.kind).toBe('not-understood')
    expect(failure.transcript).toContain('Segmentation fault')
  })

  test('a prompt that arrives one byte at a time, among terminal sequences, is found', async () => {
    const steps: Step[] = [
      { split: `\u001b[1mConnected to server '${eniIp}': hostname '${eniIp}', port 2225.\u001b[0m\r\n${PROMPT} ` },
      ...info(hsmId),
      { hear: '^quit$' },
      { exit: 0 },
    ]
    await (await (await scripted(steps)).open([server])).close()
  })
})

describe('a session', () => {
  test('types a password only at its prompt and never shows it', async () => {
    const steps: Step[] = [
      ...OPENED,
      { hear: '^loginHSM CU app -hpswd$' },
      { say: 'Enter password:' },
      // A program that fails to switch its echo off shows the password; nothing of it may come back.
      { hear: '^TEST-SECRET-session$', echo: true },
      { say: `strange words about TEST-SECRET-session\n${PROMPT}` },
    ]
    const session = await (await scripted(steps)).open([server])
    const answer = (await session.login(APP, PASSWORD, [hsmId])).get(hsmId)
    await session.close()
    expect(answer?.kind).toBe('unclear')
    expect(JSON.stringify(answer)).not.toContain('TEST-SECRET-session')
  })

  test('answers the menu after a failure with abort, and tells why', async () => {
    const steps: Step[] = [
      ...OPENED,
      { hear: '^changePswd CU app -hpswd$' },
      { say: 'Enter new password: ' },
      { hear: '^TEST-SECRET-session$', echo: false },
      { say: '\nRe-enter new password: ' },
      { hear: '^TEST-SECRET-session$', echo: false },
      { say: '\n****CAUTION****\n\nDo you want to continue(y/n)?' },
      { hear: '^y$' },
      {
        say:
          'Changing password for app(CU) on 1 nodes\n' +
          'changePswd failed: HSM Error: Deletion or Changing password of a logged in User is denied\n' +
          `Changing password on node 0(${eniIp}) failed\n\nRetry/Ignore/Abort?(R/I/A):`,
      },
      { hear: '^A$' },
      { say: PROMPT },
      { hear: '^quit$' },
      { exit: 0 },
    ]
    const session = await (await scripted(steps)).open([server])
    expect((await session.changePassword(APP, PASSWORD)).get(hsmId)).toEqual({
      kind: 'refused',
      reason: 'user-logged-in',
      text: 'changePswd failed: HSM Error: Deletion or Changing password of a logged in User is denied',
    })
    await session.close()
  })

  test('a success without a line per server is accepted where the guide shows none', async () => {
    const steps: Step[] = [
      ...OPENED,
      { hear: '^changePswd CU app -hpswd$' },
      { say: 'Enter new password: ' },
      { hear: '.', echo: false },
      { say: '\nRe-enter new password: ' },
      { hear: '.', echo: false },
      { say: '\nDo you want to continue(y/n)?' },
      { hear: '^y$' },
      { say: `Changing password for app(CU) on 1 nodes\n${PROMPT}` },
    ]
    const session = await (await scripted(steps)).open([server])
    expect((await session.changePassword(APP, PASSWORD)).get(hsmId)).toEqual({ kind: 'done' })
    await session.close()
  })

  test('a success of a server it was not given is not understood', async () => {
    const steps: Step[] = [
      ...OPENED,
      { hear: '^loginHSM' },
      { say: 'Enter password:' },
      { hear: '.', echo: false },
      { say: `\nloginHSM success on server 3(10.9.9.9)\n${PROMPT}` },
    ]
    const session = await (await scripted(steps)).open([server])
    expect((await failureOf(session.login(APP, PASSWORD, [hsmId]))).kind).toBe('not-understood')
    await session.close()
  })

  test('a question it does not know ends it, and the conversation comes back without the password', async () => {
    const steps: Step[] = [
      ...OPENED,
      { hear: '^loginHSM' },
      { say: 'Enter password:' },
      { hear: '.', echo: true },
      { say: '\nDo you want to continue(y/n)?' },
    ]
    const session = await (await scripted(steps)).open([server])
    const failure = await failureOf(session.login(APP, PASSWORD, [hsmId]))
    await session.close()
    expect(failure.kind).toBe('not-understood')
    expect(failure.transcript).toContain('Do you want to continue')
    expect(failure.transcript).not.toContain('TEST-SECRET-session')
  })

  test.each([
    ['silent', [], 'silent'],
    ['ended', [{ exit: 0 }], 'ended'],
  ] as const)('a utility that is %s in the middle of a command leaves the effect unknown', async (_, last, kind) => {
    const steps: Step[] = [...OPENED, { hear: '^listUsers$' }, { say: 'Users on server 0' }, ...last]
    const session = await (await scripted(steps, 1_000)).open([server])
    expect((await failureOf(session.listUsers())).kind).toBe(kind)
    await session.close()
  })

  test('names in bytes that are no text, and those that steer a terminal, stay names', async () => {
    const row = (id: number, name: string) => Buffer.from(`  ${id}\tCU   ${name}   NO   0   NO\r\n`, 'latin1')
    const listing = Buffer.concat([
      Buffer.from(`Users on server 0(${eniIp}):\r\nNumber of users found:3\r\n`),
      row(1, 'x\xff\xfey'),
      row(2, 'x\u001b]0;title\u0007y'),
      row(3, 'aws-cloudhsm>'),
    ])
    const steps: Step[] = [...OPENED, { hear: '^listUsers$' }, { bytes: listing.toString('base64') }, { split: PROMPT }]
    const session = await (await scripted(steps)).open([server])
    const names = (await session.listUsers()).get(hsmId)?.map(({ name }) => name)
    await session.close()
    expect(names).toEqual(['x\ufffd\ufffdy', 'x\u001b]0;title\u0007y', 'aws-cloudhsm>'])
  })

  test('a line that does not end ends the talk, and the utility with it', async () => {
    const steps: Step[] = [...OPENED, { hear: '^listUsers$' }, { say: 'x'.repeat(1024 * 1024) }, { stuck: true }]
    const session = await (await scripted(steps)).open([server])
    const { pid } = session.process
    expect((await failureOf(session.listUsers())).message).toBe('the utility printed a line of more than 64 KiB')
    await session.close()
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  test('leaves nothing behind: no folder of its own, and a stuck utility is ended', async () => {
    const steps: Step[] = [...OPENED, { stuck: true }]
    const workFolder = await newFolder()
    const session = await (await scripted(steps, 5_000, workFolder)).open([server])
    const { pid } = session.process
    const during = await readdir(workFolder)
    await session.close()
    expect(during).toHaveLength(1)
    expect(await readdir(workFolder)).toEqual([])
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })
})

describe('a login on some servers of a session', () => {
  const servers = rosterOf(1, 2)
  const [, second, third] = servers as [RosterEntry, RosterEntry, RosterEntry]
  const connected = servers.map(({ eniIp: ip }) => `Connected to server '${ip}': hostname '${ip}', port 2225.\n`)
  const opened: Step[] = [
    { say: `${connected.join('')}${PROMPT}` },
    ...servers.flatMap(({ eniIp: ip, hsmId: id }, index) => [
      { hear: `^info server ${index}$` },
      {
        say: `Id Name Hostname Port State Partition LoginState\n${index}\t${ip}\t${ip}  2225 Connected  ${id} Not logged in\n${PROMPT}`,
      },
    ]),
  ]
  const enter = (serverId: number): Step[] => [
    { hear: `^server ${serverId}$` },
    { say: `\nServer is in 'E2' mode...\nserver${serverId}>` },
  ]
  const typed = (serverId: number, said: string, prompt = `server${serverId}>`): Step[] => [
    ...enter(serverId),
    { hear: '^loginHSM CU app -hpswd$' },
    { say: 'Enter password:' },
    { hear: '^TEST-SECRET-session$', echo: false },
    { say: `\n${said}\n${prompt}` },
  ]
  const leave: Step[] = [{ hear: '^exit$' }, { say: PROMPT }]
  const loginOnBoth = async (steps: readonly Step[]) => {
    const session = await (await scripted([...opened, ...steps, { hear: '^quit$' }, { exit: 0 }])).open(servers)
    try {
      return await session.login(APP, PASSWORD, [second.hsmId, third.hsmId])
    } finally {
      await session.close()
    }
  }

  test('is made in server mode, where the line of success names no server', async () => {
    const answers = await loginOnBoth([
      ...typed(1, 'loginHSM success'),
      ...leave,
      ...typed(2, `loginHSM success on server 2(${third.eniIp})`),
      ...leave,
    ])
    expect([...answers]).toEqual([
      [second.hsmId, { kind: 'done' }],
      [third.hsmId, { kind: 'done' }],
    ])
  })

  test('ends at the first server that refuses', async () => {
    const answers = await loginOnBoth([...typed(1, 'loginHSM failed: HSM Error: RET_USER_LOGIN_FAILURE'), ...leave])
    expect(answers.get(second.hsmId)).toEqual({
      kind: 'refused',
      reason: 'login-refused',
      text: 'loginHSM failed: HSM Error: RET_USER_LOGIN_FAILURE',
    })
    expect(answers.get(third.hsmId)?.kind).toBe('unclear')
  })

  test.each([
    '',
    'loginHSM',
    'changePswd success',
    'loginHSM success\nError: E2E setup failed',
  ])('is not believed on the words %j', async (said) => {
    const answers = await loginOnBoth([...typed(1, said), ...leave])
    expect(answers.get(second.hsmId)?.kind).toBe('unclear')
  })

  test.each([
    ['a line of success of another server', 'loginHSM success on server 0(127.0.9.1)', 'server1>'],
    ['the prompt of another server', 'loginHSM success', 'server2>'],
  ])('is not understood with %s', async (_what, said, prompt) => {
    expect((await failureOf(loginOnBoth(typed(1, said, prompt)))).kind).toBe('not-understood')
  })
})

describe('the program itself', () => {
  const consoleAt = (path: string) =>
    managementUtility({
      path,
      configFor: () => ({}),
      limits: { startupMs: 1, commandMs: 1, goodbyeMs: 1 },
      environment: {},
      now: () => new Date(),
    })

  test('that is missing is named', async () => {
    const error = await operatorErrorOf(() => consoleAt('/nowhere/cloudhsm_mgmt_util').open([server]))
    expect(error.code).toBe('UTILITY_NOT_FOUND')
    expect(error.message).toBe('there is no management utility at "/nowhere/cloudhsm_mgmt_util"')
  })

  test('that is a folder, or may not be run, is named', async () => {
    const folder = await newFolder()
    await mkdir(join(folder, 'program'))
    const directory = await operatorErrorOf(() => consoleAt(join(folder, 'program')).open([server]))
    expect(directory.code).toBe('UTILITY_NOT_EXECUTABLE')
    await writeFile(join(folder, 'text'), '', { mode: 0o644 })
    const text = await operatorErrorOf(() => consoleAt(join(folder, 'text')).open([server]))
    expect(text.code).toBe('UTILITY_NOT_EXECUTABLE')
  })
})
