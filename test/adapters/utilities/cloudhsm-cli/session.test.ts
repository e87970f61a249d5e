import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { HsmSession } from '../../../../src/domain/hsm-console.js'
import type { ClusterId } from '../../../../src/domain/ids.js'
import type { RosterEntry } from '../../../../src/domain/roster.js'
import { Secret } from '../../../../src/domain/secret.js'
import { consoleFailureOf, consoleOn, gone } from '../../../helpers/cli-bench.js'
import { operatorErrorOf } from '../../../helpers/errors.js'
import { rosterOf } from '../../../helpers/rotation.js'
import { tempFolders } from '../../../helpers/temp-folder.js'

const SCRIPTED = fileURLToPath(new URL('../../../../../fixtures/utilities/scripted.mjs', import.meta.url))
const newFolder = tempFolders()
const roster = rosterOf(1, 1)
const [server, other] = roster as [RosterEntry, RosterEntry]
const { hsmId, clusterId } = server

type Step = { say?: string; split?: string; hear?: string; echo?: boolean; exit?: number; stuck?: boolean }
const PROMPT = 'aws-cloudhsm > '
const json = (data: unknown, code = 0): string => `${JSON.stringify({ error_code: code, data }, null, 2)}\n`
const answer = (data: unknown, code = 0): Step => ({ say: `${json(data, code)}${PROMPT}` })
const serials = (...numbers: string[]) => ({ hsms: numbers.map((number) => ({ 'serial-number': number })) })
const info = (id: string = clusterId, ...numbers: string[]): Step[] => [
  { hear: `^cluster hsm-info --cluster-id ${id}$` },
  answer(serials(...(numbers.length > 0 ? numbers : ['S1']))),
]
const OPENED: Step[] = [{ say: PROMPT }, ...info()]
const PASSWORD = new Secret('TEST-SECRET-session')
const APP = { type: 'CU', name: 'app' } as const
const ECHO = { username: 'app', role: 'crypto-user' }

const LOGIN: Step[] = [
  { hear: `^login --username app --role crypto-user --cluster-id ${clusterId}$` },
  { say: 'Enter password:' },
]
const CHANGE: Step[] = [
  { hear: `^user change-password --username app --role crypto-user --cluster-id ${clusterId}$` },
  { say: 'Enter password:' },
  { hear: '^TEST-SECRET-session$', echo: false },
  { say: '\nConfirm password:' },
  { hear: '^TEST-SECRET-session$', echo: false },
  { say: '\n' },
]

interface ScriptOptions {
  readonly silenceMs?: number
  readonly goodbyeMs?: number
  readonly workFolder?: string
  readonly help?: string
  readonly interactiveHelp?: string
  readonly version?: string
}

const sessions: HsmSession[] = []
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()))
})

/** A console whose program follows `steps` in its interactive mode. */
const scripted = async (steps: readonly Step[], options: ScriptOptions = {}) => {
  const {
    silenceMs = 5_000,
    goodbyeMs = 500,
    help = '',
    interactiveHelp = '      --config <CONFIG>',
    version = 'cloudhsm-cli 5.17.1',
  } = options
  const folder = await newFolder()
  await writeFile(join(folder, 'utility.json'), JSON.stringify(steps))
  const program = join(folder, 'cloudhsm-cli')
  await writeFile(
    program,
    [
      '#!/bin/sh',
      'case "$*" in',
      `--version) echo '${version}';;`,
      `--help) echo '${help}';;`,
      `*--help) echo '${interactiveHelp}';;`,
      `*) echo "$*" > "$HOME/args"; exec ${process.execPath} ${SCRIPTED} "$@";;`,
      'esac',
    ].join('\n'),
  )
  await chmod(program, 0o755)
  const console = consoleOn(program, roster, {
    configFor: () => ({}),
    workFolder: options.workFolder ?? (await newFolder()),
    limits: { startupMs: silenceMs, commandMs: silenceMs, goodbyeMs },
    environment: { HOME: folder, PATH: process.env['PATH'] },
  })
  // Closed after the test, also where a test did not expect it to open.
  return {
    open: async (servers: readonly RosterEntry[]): Promise<HsmSession> => {
      const session = await console.open(servers)
      sessions.push(session)
      return session
    },
  }
}

const opened = async (steps: readonly Step[], options: ScriptOptions = {}): Promise<HsmSession> => {
  return (await scripted(steps, options)).open([server])
}

describe('opening a session', () => {
  test.each([
    ['Error: "Failed to initialize hsm1 context"\n', 'Failed to initialize hsm1 context'],
    ['Error: "HSM is disconnected"\n', 'HSM is disconnected'],
    ['', 'the utility ended (exit 1)'],
  ])('a program that ends with %j reaches no HSM', async (say, words) => {
    const failure = await consoleFailureOf((await scripted([{ say }, { exit: 1 }])).open([server]))
    expect(failure).toMatchObject({ kind: 'unreachable', hsmIds: [hsmId] })
    expect(failure.message).toContain(words)
  })

  test('a program that has no use for its configuration says so', async () => {
    const say = 'Error: "Could not read configuration-referenced file hsm_ca_file at location : No such file"\n'
    const failure = await consoleFailureOf((await scripted([{ say }, { exit: 1 }])).open([server]))
    expect(failure.kind).toBe('not-understood')
    expect(failure.message).toContain('hsm_ca_file')
  })

  test('a program that says nothing counts as unreachable once the time is over', async () => {
    const failure = await consoleFailureOf((await scripted([], { silenceMs: 200 })).open([server]))
    expect(failure.kind).toBe('unreachable')
  })

  test.each([
    ['fewer HSMs than asked for', serials(), 'unreachable'],
    ['more HSMs than there are', serials('S1', 'S2'), 'wrong-hsm'],
    ['one serial number twice', serials('S1', 'S1'), 'wrong-hsm'],
    ['no serial numbers', { hsms: [{ model: 'x' }] }, 'not-understood'],
  ])('%s are refused', async (_, data, kind) => {
    const steps: Step[] = [{ say: PROMPT }, { hear: '^cluster hsm-info' }, answer(data)]
    expect((await consoleFailureOf((await scripted(steps)).open([server]))).kind).toBe(kind)
  })

  test('a prompt that arrives one byte at a time, among terminal sequences, is found', async () => {
    const steps: Step[] = [{ split: `\u001b[1mwelcome\u001b[0m\r\n\u001b[?2004h${PROMPT}` }, ...info()]
    expect((await opened(steps)).hsmIds).toEqual([hsmId])
  })

  test.each([
    [
      'before',
      { help: 'Usage: cloudhsm-cli [--config <FILE>]', interactiveHelp: '' },
      /^--config \S+\.cfg interactive /,
    ],
    ['after', { help: '', interactiveHelp: '  --config <FILE>' }, /^interactive .* --config \S+\.cfg$/],
  ])('a configuration is named %s the mode, as the help has it', async (_, help, args) => {
    const seen = join(await newFolder(), 'args')
    await opened(OPENED, { ...help, version: `unknown'; echo "$HOME" > ${seen}; echo '` })
    const home = (await readFile(seen, 'utf8')).trim()
    expect((await readFile(join(home, 'args'), 'utf8')).trim()).toMatch(args)
  })
})

describe('a session', () => {
  test('types a password only at its prompt and never shows it', async () => {
    const session = await opened([
      ...OPENED,
      ...LOGIN,
      // A program that fails to switch its echo off shows the password; nothing of it may come back.
      { hear: '^TEST-SECRET-session$', echo: true },
      answer('strange words about TEST-SECRET-session', 1),
      ...info(),
      { hear: '^quorum' },
      answer({ user: 1, quorum: 1 }),
    ])
    const answers = JSON.stringify([...(await session.login(APP, PASSWORD, [hsmId]))])
    expect(answers).toContain('strange words about [secret]')
  })

  test('that breaks comes back without the password', async () => {
    const session = await opened([
      ...OPENED,
      ...LOGIN,
      { hear: '.', echo: true },
      { say: `{"error_code": 0, "data": {"username": "TEST-SECRET-session", \n${PROMPT}` },
    ])
    const failure = await consoleFailureOf(session.login(APP, PASSWORD, [hsmId]))
    expect(failure.kind).toBe('not-understood')
    expect(`${failure.message}${failure.transcript}${failure.stack}`).not.toContain('TEST-SECRET')
    expect(failure.transcript).toContain('[secret]')
  })

  test('asked for a password again does not type it again', async () => {
    const session = await opened([...OPENED, ...LOGIN, { hear: '.', echo: false }, { say: '\nEnter password:' }])
    expect((await consoleFailureOf(session.login(APP, PASSWORD, [hsmId]))).kind).toBe('not-understood')
  })

  test('asked for a signed token does not wait', async () => {
    const session = await opened([
      ...OPENED,
      ...LOGIN,
      { hear: '.', echo: false },
      { say: '\nEnter signed token file path (press enter if same as the unsigned token file):' },
    ])
    expect((await consoleFailureOf(session.login(APP, PASSWORD, [hsmId]))).kind).toBe('not-understood')
  })

  test('a login that fails before it asks for the password refuses nobody', async () => {
    const steps: Step[] = [...OPENED, { hear: '^login' }, answer('No', 1)]
    const answers = await (await opened(steps)).login(APP, PASSWORD, [hsmId])
    expect([...answers]).toEqual([[hsmId, { kind: 'unclear', text: 'No' }]])
  })

  test('a prompt of a login is known by its form', async () => {
    const session = await opened([
      ...OPENED,
      ...LOGIN,
      { hear: '.', echo: false },
      { say: `\n${json(ECHO)}app@${clusterId} > ` },
      { hear: `^logout --cluster-id ${clusterId}$` },
      answer('Logout successful'),
    ])
    expect([...(await session.login(APP, PASSWORD, [hsmId])).values()]).toEqual([{ kind: 'done' }])
    await session.logout()
    // Nobody is logged in any more: nothing is said.
    await session.logout()
  })

  test('a password that is asked for once is typed once', async () => {
    const session = await opened([...OPENED, ...CHANGE.slice(0, 3), answer(ECHO)])
    expect([...(await session.changePassword(APP, PASSWORD)).values()]).toEqual([{ kind: 'done' }])
  })

  test('a success for another user is not understood', async () => {
    const session = await opened([...OPENED, ...CHANGE, answer({ ...ECHO, username: 'other' })])
    expect((await consoleFailureOf(session.changePassword(APP, PASSWORD))).kind).toBe('not-understood')
  })

  test('an answer in pieces is read as a whole, whatever it reads like in between', async () => {
    const names = ['Enter password:', 'aws-cloudhsm > ', '{', '"}', '\n{'].map((name) => name.replaceAll('\n', ' '))
    const users = names.map((username) => ({
      username,
      role: 'crypto-user',
      locked: 'false',
      mfa: [],
      'cluster-coverage': 'full',
    }))
    const session = await opened([...OPENED, { hear: '^user list' }, { split: `${json({ users })}${PROMPT}` }])
    expect((await session.listUsers()).get(hsmId)?.map(({ name }) => name)).toEqual(names)
  })

  test('1,024 users are read', async () => {
    const users = Array.from({ length: 1_024 }, (_, index) => ({
      username: `user_${index}`,
      role: 'crypto-user',
      locked: 'false',
      mfa: [],
      quorum: [],
      'cluster-coverage': 'full',
    }))
    const session = await opened([...OPENED, { hear: '^user list' }, answer({ users })])
    expect((await session.listUsers()).get(hsmId)).toHaveLength(1_024)
  })

  test('cut at any byte, an answer is never taken for a whole one', async () => {
    const whole = json({ users: [] }).trimEnd()
    const cuts = Array.from({ length: whole.length }, (_, end) => end)
    const steps = cuts.flatMap((end): Step[] => [{ hear: '^user list' }, { say: `${whole.slice(0, end)}\n${PROMPT}` }])
    const session = await opened([...OPENED, ...steps])
    for (const _ of cuts) expect((await consoleFailureOf(session.listUsers())).kind).toBe('not-understood')
  })

  test.each([
    ['an error', answer('HSM is disconnected', 1)],
    ['a plain error', { say: `Error: "HSM is disconnected"\n${PROMPT}` }],
    ['nothing', { say: PROMPT }],
  ])('%s in the place of a listing breaks it', async (_, said) => {
    const session = await opened([...OPENED, { hear: '^user list' }, said])
    expect((await consoleFailureOf(session.listUsers())).kind).toBe('not-understood')
  })

  test.each([
    ['silent', []],
    ['ended', [{ exit: 0 }]],
  ] as const)('a program that is %s in the middle of a listing tells nothing', async (kind, last) => {
    const session = await opened([...OPENED, { hear: '^user list' }, { say: '{' }, ...last], { silenceMs: 1_000 })
    const { pid } = session.process
    expect((await consoleFailureOf(session.listUsers())).kind).toBe(kind)
    await session.close()
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  test('leaves nothing behind: no folder of its own, and a stuck program is ended', async () => {
    const workFolder = await newFolder()
    const session = await opened([...OPENED, { stuck: true }], { workFolder })
    const { pid } = session.process
    expect(await readdir(workFolder)).toHaveLength(1)
    await session.close()
    expect(await readdir(workFolder)).toEqual([])
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })
})

describe('in the middle of a write', () => {
  test('a silent program is left running, with its folder', async () => {
    const workFolder = await newFolder()
    const options = { silenceMs: 1_000, goodbyeMs: 50, workFolder }
    const session = await opened([...OPENED, ...CHANGE, { stuck: true }], options)
    const { pid } = session.process
    expect((await consoleFailureOf(session.changePassword(APP, PASSWORD))).kind).toBe('silent')
    await session.close()
    expect(() => process.kill(pid, 0)).not.toThrow()
    expect(await readdir(workFolder)).toHaveLength(1)
    process.kill(-pid, 'SIGKILL')
    await gone(pid)
  })

  test('a program that answers while it is waited for is told to quit', async () => {
    const session = await opened([...OPENED, ...CHANGE, { exit: 0 }])
    const { pid } = session.process
    expect((await consoleFailureOf(session.changePassword(APP, PASSWORD))).kind).toBe('ended')
    await session.close()
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  test('before the password was typed nothing is in the middle: a silent program is ended', async () => {
    const session = await opened([...OPENED, { hear: '^user change-password' }], { silenceMs: 1_000 })
    const { pid } = session.process
    expect((await consoleFailureOf(session.changePassword(APP, PASSWORD))).kind).toBe('silent')
    await session.close()
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })
})

test('two clusters in one session change no password', async () => {
  const steps: Step[] = [{ say: PROMPT }, ...info(), ...info(other.clusterId, 'S2')]
  const session = await (await scripted(steps)).open(roster)
  expect(session.serials).toEqual([
    { clusterId, hsmIds: [server.hsmId], serials: ['S1'] },
    { clusterId: other.clusterId, hsmIds: [other.hsmId], serials: ['S2'] },
  ])
  await expect(session.changePassword(APP, PASSWORD)).rejects.toThrow('one cluster at a time')
  await expect(
    session.copyUser({ ...APP, userId: null }, clusterId, 'cluster-zzzzzzzzzzz' as ClusterId),
  ).rejects.toThrow('not a cluster of this session')
})

describe('the program itself', () => {
  test('that is missing, or is none, is named', async () => {
    const missing = await operatorErrorOf(() => consoleOn('/nowhere/cloudhsm-cli', roster).open([server]))
    expect(missing.code).toBe('UTILITY_NOT_FOUND')
    expect(missing.message).toBe('there is no CloudHSM CLI at "/nowhere/cloudhsm-cli"')
    expect(missing.suggestions.join()).toContain('set LOCKSTEP_CLOUDHSM_CLI or --cloudhsm-cli to the program')
    const folder = await newFolder()
    await mkdir(join(folder, 'program'))
    const directory = await operatorErrorOf(() => consoleOn(join(folder, 'program'), roster).open([server]))
    expect(directory.code).toBe('UTILITY_NOT_EXECUTABLE')
  })
})
