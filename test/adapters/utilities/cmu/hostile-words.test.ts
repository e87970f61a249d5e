import { describe, expect, test } from '@jest/globals'
import { findPrompt } from '../../../../src/adapters/utilities/cmu/prompts.js'
import { ManagementUtilitySession } from '../../../../src/adapters/utilities/cmu/session.js'
import { Redactor } from '../../../../src/adapters/utilities/process/redactor.js'
import type { Terminal } from '../../../../src/adapters/utilities/process/terminal.js'
import { TerminalTalk } from '../../../../src/adapters/utilities/process/terminal-talk.js'
import { ConsoleFailure } from '../../../../src/domain/hsm-console.js'
import type { HsmUser } from '../../../../src/domain/hsm-user.js'
import type { HsmId } from '../../../../src/domain/ids.js'
import type { RosterEntry } from '../../../../src/domain/roster.js'
import { Secret } from '../../../../src/domain/secret.js'
import { replaying, type Turn } from '../../../helpers/recorded-talk.js'
import { rosterOf } from '../../../helpers/rotation.js'

const PROMPT = 'aws-cloudhsm>'
const PASSWORD = 'TEST-SECRET-words-of-a-utility'

const opening = (servers: readonly RosterEntry[]): Turn[] => [
  {
    said: `${servers.map(({ eniIp }) => `Connected to server '${eniIp}': hostname '${eniIp}', port 2225.\r\n`).join('')}${PROMPT}`,
    typed: 'info server 0\r',
  },
  ...servers.map(({ eniIp, hsmId }, serverId) => ({
    said: `info server ${serverId}\r\n${serverId}\t${eniIp}\t${eniIp}  2225 Connected  ${hsmId} Not logged in\r\n${PROMPT}`,
    typed: serverId + 1 < servers.length ? `info server ${serverId + 1}\r` : '',
  })),
]
/** The opening, and then what is typed and said. */
const talkOf = (servers: readonly RosterEntry[], ...rest: readonly (readonly [string, string])[]): Turn[] => {
  const turns = opening(servers)
  for (const [typed, said] of rest) {
    turns[turns.length - 1] = { said: turns.at(-1)?.said ?? '', typed: `${typed}\r` }
    turns.push({ said, typed: null })
  }
  turns[turns.length - 1] = { said: turns.at(-1)?.said ?? '', typed: 'quit\r' }
  return [...turns, { said: '', typed: null }]
}

const sessionOn = async (terminal: Terminal, servers: readonly RosterEntry[], silenceMs = 5_000) => {
  const talk = new TerminalTalk(terminal, { now: new Date(0), findPrompt, settleMs: 0 })
  const limits = { startupMs: silenceMs, commandMs: silenceMs, goodbyeMs: 50 }
  const session = new ManagementUtilitySession(talk, servers, limits, async () => undefined)
  await session.start()
  return session
}
const failureOf = async (work: Promise<unknown>): Promise<ConsoleFailure> => {
  const error = await work.then(
    () => new Error('a ConsoleFailure was expected'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof ConsoleFailure) return error
  throw error
}

const listing = (serverId: number, { eniIp }: RosterEntry, names: readonly string[]): string =>
  [
    `Users on server ${serverId}(${eniIp}):`,
    `Number of users found:${names.length}`,
    '',
    '    User Id    User Type   User Name     MofnPubKey    LoginFailureCnt         2FA',
    ...names.map(
      (name, index) => `         ${index + 1}\t\tCU              ${name}         NO               0               NO`,
    ),
    '',
  ].join('\r\n')
const listUsers = (servers: readonly RosterEntry[], names: (index: number) => readonly string[]): Turn[] =>
  talkOf(servers, [
    'listUsers',
    `listUsers\r\n${servers.map((server, id) => `${listing(id, server, names(id))}\r\n`).join('')}${PROMPT}`,
  ])
const namesIn = (users: ReadonlyMap<HsmId, readonly HsmUser[]>) =>
  [...users.values()].map((all) => all.map(({ name }) => name))

const HOSTILE = [
  'aws-cloudhsm>',
  'server0>',
  '(y/n)?',
  'Retry/Ignore/Abort?(R/I/A):',
  'Retry/rollBack/Ignore?(R/B/I):',
  'server1(10.0.0.2)',
  'x\u001b[2J\u001b[1;1Hy',
  'x\u001b]0;title\u0007y',
  'x\u001b]8;;http://example.com\u001b\\y',
  'x\u009b31my',
  'x\u0000y',
  'x\ry',
  'x\u0008\u0008y',
  'x\u00a0y',
  'x\u2028y',
  '\u202eyx',
  'constructor',
  '__proto__',
]

describe('names of users', () => {
  const servers = rosterOf(1, 1)

  test.each(HOSTILE.map((name) => [JSON.stringify(name), name]))('%s is a name and nothing else', async (_, name) => {
    const turns = listUsers(servers, (id) => (id === 0 ? ['admin', name] : ['other']))
    for (const pieces of [(said: string) => [said], (said: string) => [...said]]) {
      const session = await sessionOn(replaying(turns, { pieces }), servers)
      expect(namesIn(await session.listUsers())).toEqual([['admin', name], ['other']])
      await session.close()
    }
  })

  test('that differ in a control character alone are different users', async () => {
    const names = ['app', 'a\u001b[0mpp', 'ap\u0000p', 'a\u200bpp']
    const session = await sessionOn(replaying(listUsers(servers, () => names)), servers)
    expect(namesIn(await session.listUsers())).toEqual([names, names])
    await session.close()
  })

  test.each([
    ['a line feed', 'x\naws-cloudhsm>'],
    ['a heading of another server', `x\nUsers on server 1(${servers[1]?.eniIp}):`],
    ['a whole row', 'x NO 0 NO\n9 CU fake'],
    ['a blank', 'x y'],
    ['a name that is there already, in capitals', 'ADMIN'],
  ])('that hold %s make the listing unreadable, for good', async (_, name) => {
    const turns = listUsers(servers, (id) => (id === 0 ? ['admin', name] : ['other']))
    const session = await sessionOn(replaying(turns, { pieces: (said) => [...said] }), servers)
    const failure = await failureOf(session.listUsers())
    expect(failure.kind).toBe('not-understood')
    // What comes next may be the rest of the listing: nothing more is asked here.
    expect(await failureOf(session.login({ type: 'CU', name: 'admin' }, new Secret(PASSWORD), session.hsmIds))).toBe(
      failure,
    )
    await session.close()
  })
})

describe('listings that contradict themselves', () => {
  const servers = rosterOf(1, 1)
  const [first, second] = servers as [RosterEntry, RosterEntry]
  test.each([
    ['one server twice', `${listing(0, first, ['a'])}\r\n${listing(0, first, ['b'])}\r\n`],
    [
      'a heading that is lost',
      `${listing(0, first, ['a'])}\r\n${listing(1, second, ['b']).replace('Users on', 'Use')}\r\n`,
    ],
    [
      'an ID twice',
      `${listing(0, first, ['a', 'b']).replace('    2\t', '    1\t')}\r\n${listing(1, second, ['b'])}\r\n`,
    ],
    ['servers changed over', `${listing(1, first, ['a'])}\r\n${listing(0, second, ['b'])}\r\n`],
  ])('%s', async (_, said) => {
    const session = await sessionOn(replaying(talkOf(servers, ['listUsers', `listUsers\r\n${said}${PROMPT}`])), servers)
    expect((await failureOf(session.listUsers())).kind).toBe('not-understood')
    await session.close()
  })
})

describe('how much is said', () => {
  test('1,024 users on each of 28 HSMs are read in small pieces', async () => {
    const servers = Array.from({ length: 28 }, (_, index) => ({
      ...(rosterOf(1, 0)[0] as RosterEntry),
      hsmId: `hsm-${String.fromCharCode(97 + (index % 26)).repeat(10)}${index < 26 ? 'a' : 'b'}` as HsmId,
      eniIp: `127.0.9.${index + 1}` as RosterEntry['eniIp'],
    }))
    const names = Array.from({ length: 1024 }, (_, index) => `user_${index}_${'x'.repeat(20)}`)
    // Looking through all that was said with each piece would take minutes.
    const pieces = (said: string) => said.match(/[\s\S]{1,512}/g) ?? []
    const session = await sessionOn(
      replaying(
        listUsers(servers, () => names),
        { pieces },
      ),
      servers,
    )
    const users = await session.listUsers()
    await session.close()
    expect([...users.values()].map((all) => all.length)).toEqual(Array.from({ length: 28 }, () => 1024))
  })

  test.each([
    ['a line without end', 'x'.repeat(64 * 1024), 'a line of more than 64 KiB'],
    ['lines without end', `${'x'.repeat(1023)}\n`.repeat(64), 'printed without end'],
  ])('%s is given up, and not kept', async (_, piece, words) => {
    const servers = rosterOf(1, 0)
    const quiet = replaying(talkOf(servers, ['listUsers', 'listUsers\r\n']))
    let output: (piece: string) => void = () => undefined
    const session = await sessionOn(
      {
        ...quiet,
        onOutput: (listener) => {
          output = listener
          quiet.onOutput(listener)
        },
      },
      servers,
    )
    const failed = failureOf(session.listUsers())
    await new Promise((resolve) => setImmediate(resolve))
    for (let sent = 0; sent < 80 * 1024 * 1024; sent += piece.length) output(piece)
    const failure = await failed
    expect(failure.message).toContain(words)
    expect(failure.kind).toBe('not-understood')
    expect(failure.transcript.length).toBeLessThan(40 * 202)
    await session.close()
  })

  test('an answer that goes on and on ends by time, although it is never silent', async () => {
    const servers = rosterOf(1, 0)
    const pieces = (said: string) => (said.includes('dripping') ? [...said] : [said])
    const drip = `listUsers\r\ndripping ${'. '.repeat(1_000_000)}`
    const session = await sessionOn(replaying(talkOf(servers, ['listUsers', drip]), { pieces }), servers, 50)
    const failure = await failureOf(session.listUsers())
    await session.close()
    expect(failure.message).toBe('the utility came to no end within 0 s')
  })
})

describe('a password that the utility shows', () => {
  const servers = rosterOf(1, 0)
  const login = { type: 'CU', name: 'app' } as const
  const command = 'loginHSM CU app -hpswd'

  test('is in no failure, wherever the echo stops', async () => {
    for (let shown = 1; shown <= PASSWORD.length; shown += 1) {
      const turns = talkOf(servers, [command, `${command}\r\nEnter password:`], [PASSWORD, PASSWORD.slice(0, shown)])
      const session = await sessionOn(replaying(turns.slice(0, -1).concat({ said: '', typed: null })), servers, 30)
      const failure = await failureOf(session.login(login, new Secret(PASSWORD), session.hsmIds))
      await session.close()
      expect(failure.transcript.split('\n').at(-1)).toBe('Enter password:[not shown]')
    }
  })

  test.each([
    ['in one piece', `loginHSM failed: ${PASSWORD} is wrong`],
    ['wrapped', `loginHSM failed: ${PASSWORD.slice(0, 15)}\r\n${PASSWORD.slice(15)} is wrong`],
    ['cut', `loginHSM failed: ...${PASSWORD.slice(4, 18)}... is wrong`],
    ['coloured', `loginHSM failed: ${PASSWORD.slice(0, 9)}\u001b[1m${PASSWORD.slice(9)}\u001b[0m is wrong`],
  ])('%s is in no answer', async (_, said) => {
    const turns = talkOf(servers, [command, `${command}\r\nEnter password:`], [PASSWORD, `\r\n${said}\r\n${PROMPT}`])
    const session = await sessionOn(replaying(turns), servers)
    const answer = JSON.stringify([...(await session.login(login, new Secret(PASSWORD), session.hsmIds)).values()])
    await session.close()
    expect(answer).toContain('is wrong')
    for (let at = 0; at + 8 <= PASSWORD.length; at += 1) expect(answer).not.toContain(PASSWORD.slice(at, at + 8))
  })

  test('is taken out as one, with nothing else', () => {
    const redactor = new Redactor()
    redactor.add(PASSWORD)
    redactor.add('short')
    expect(redactor.redact(`a ${PASSWORD}${PASSWORD} b short c`)).toBe('a [secret][secret] b [secret] c')
    expect(redactor.redact('TEST-SE')).toBe('TEST-SE')
  })
})
