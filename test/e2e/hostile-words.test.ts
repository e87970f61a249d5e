import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { lockstepOnTerminal } from '../helpers/lockstep-on-terminal.js'
import { testFamily } from '../helpers/payments.js'
import { SCRIPTS, type ScriptedHsm, type ScriptStep, scriptedUtility } from '../helpers/scripted-utility.js'
import { sharedFleet } from '../helpers/shared-fleet.js'

const fleet = sharedFleet({
  hostile: testFamily('hostile'),
  cli: testFamily('cli', { hsmType: 'hsm2m.medium' }),
})

/** Moves the cursor, sets the title, makes a link, turns the reading direction round: each with a mark of its own. */
const HOSTILE = [
  'x\u001b[2J\u001b[1;1Hy',
  'x\u001b]0;TITLE\u0007y',
  'x\u001b]8;;http://evil\u001b\\y',
  'x\u009b31my',
  '\u202eyx',
  'x\ry',
]
/** As an operator may see them. */
const SHOWN = [
  'x\\x1b[2J\\x1b[1;1Hy',
  'x\\x1b]0;TITLE\\x07y',
  'x\\x1b]8;;http://evil\\x1b\\y',
  'x\\x9b31my',
  '\\u202eyx',
  'x\\ry',
]

/** What is left of a screen without line ends and without the colours of this program and its framework. */
const steeringIn = (screen: string): string[] => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are looked for
  const own = screen.replaceAll(/\r\n|\u001b\[(?:0|1|22|31|39|90)m|\u001b\[\?25[hl]/g, '')
  return own.match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu) ?? []
}

test('names from an HSM reach the terminal escaped: list, drift, JSON, and the conversation in an error', async () => {
  const place = await fleet.at('hostile')
  const cmu = await scriptedUtility(place.folder)
  const generated = await place.run(['config', 'generate', ...place.clusterFlags, '--out=merged.cfg', '--json'])
  const servers = generated.json.servers as { hsmId: string; eniIp: string }[]
  const script = (names: (index: number) => readonly string[]) =>
    place.write(
      'utility.json',
      JSON.stringify(
        Object.fromEntries(
          servers.map((server, index) => [
            server.eniIp,
            [...SCRIPTS.cmu.opening(server), ...SCRIPTS.cmu.listing(server, names(index))],
          ]),
        ),
      ),
    )
  const env = { ...place.env, LOCKSTEP_CMU: cmu }
  const onTerminal = (args: readonly string[]) => lockstepOnTerminal(args, { env, cwd: place.folder })

  // Given: every HSM lists them, one HSM one fewer
  await script((index) => (index === 0 ? HOSTILE : HOSTILE.slice(1)))
  const list = await onTerminal(['users', 'list', '--config=merged.cfg'])
  const drift = await onTerminal(['users', 'drift', '--config=merged.cfg'])
  const json = await onTerminal(['users', 'list', '--config=merged.cfg', '--json'])
  expect([list.exitCode, drift.exitCode, json.exitCode]).toEqual([0, 6, 0])
  for (const shown of SHOWN) expect(list.screen).toContain(`CU:${shown}`)
  expect(drift.screen).toContain(`CU:${SHOWN[0]}`)
  for (const { screen } of [list, drift, json]) expect(steeringIn(screen)).toEqual([])
  const documented = JSON.parse(json.screen).servers[0].users.map(({ name }: { name: string }) => name)
  expect(documented).toEqual(HOSTILE)

  // Given: a row that cannot be read
  await script(() => ['bad name\u001b]0;TITLE\u0007\u202e'])
  const refused = await onTerminal(['users', 'list', '--config=merged.cfg'])
  expect(refused.exitCode).not.toBe(0)
  expect(refused.screen).toContain('bad name\\x1b]0;TITLE\\x07\\u202e')
  expect(steeringIn(refused.screen)).toEqual([])
})

test('names, roles and errors of cloudhsm-cli reach the terminal escaped, or not at all', async () => {
  const place = await fleet.at('cli')
  const { opening, listing, login, failedLogin } = SCRIPTS['cloudhsm-cli']
  const env = { ...place.env, LOCKSTEP_CLOUDHSM_CLI: await scriptedUtility(place.folder, 'cloudhsm-cli') }
  const generated = await place.run(['config', 'generate', ...place.clusterFlags, '--out=merged.cfg', '--json'])
  const servers = generated.json.servers as { hsmId: string; eniIp: string }[]
  const shown = async (steps: (server: ScriptedHsm) => ScriptStep[], args: readonly string[]) => {
    const scripts = servers.map((server) => [server.eniIp, [...opening(server), ...steps(server)]])
    await place.write('utility.json', JSON.stringify(Object.fromEntries(scripts)))
    const ended = await lockstepOnTerminal([...args, '--config=merged.cfg'], { env, cwd: place.folder })
    expect(ended.exitCode).not.toBe(0)
    expect(steeringIn(ended.screen)).toEqual([])
    return ended.screen
  }

  // JSON writes control characters as escapes: what it means is what counts.
  for (const name of HOSTILE) {
    const screen = await shown((server) => listing(server, [name]), ['users', 'list'])
    expect(screen).toMatch(/does not have the known form|control characters stand in the JSON/)
  }
  const roles = (server: ScriptedHsm): ScriptStep[] =>
    listing(server, ['app_crypto']).map((step) => ({
      ...step,
      ...(step.say === undefined ? {} : { say: step.say.replace('crypto-user', 'x\\u001b[2J\\u202ey') }),
    }))
  expect(await shown(roles, ['users', 'list'])).toContain('unknown role "x\\x1b[2J\\u202ey"')

  const refused = (server: ScriptedHsm): ScriptStep[] => [
    ...listing(server, ['app_crypto']),
    ...login('app_crypto'),
    { hear: '.', echo: false },
    { say: failedLogin('x\u001b]0;TITLE\u0007\u202ey\nyes') },
  ]
  const prove = ['users', 'prove', '--user=CU:app_crypto', '--password=env:OLD']
  expect(await shown(refused, prove)).toContain('x | ]0;TITLE | \\u202ey | yes')
})

test('words of AWS and names of files reach the terminal escaped', async () => {
  const place = await fleet.at('hostile')
  const server = createServer((_, response) => {
    response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' })
    response.end(
      JSON.stringify({ __type: 'CloudHsmInvalidRequestException', Message: `no\nError: fake ${HOSTILE.join(' ')}` }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const env = { ...place.env, AWS_ENDPOINT_URL: endpoint }
    const list = await lockstepOnTerminal(['clusters', 'list', '--region=us-east-1'], { env, cwd: place.folder })
    const verify = await lockstepOnTerminal(
      ['clusters', 'verify', 'us-east-1/cluster-aaaaaaaaaaa', 'us-east-1/cluster-bbbbbbbbbbb'],
      { env, cwd: place.folder },
    )
    for (const { exitCode, screen } of [list, verify]) {
      expect(exitCode).not.toBe(0)
      expect(screen).toContain('x\\x1b[2J')
      expect(screen).not.toMatch(/^Error: fake/m)
      expect(steeringIn(screen)).toEqual([])
    }
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  const path = join(place.folder, 'x\u001b]0;TITLE\u0007\u202ey.cfg')
  for (const args of [
    ['users', 'list', `--config=${path}`],
    ['config', 'check', path],
    ['rotate', 'plan\u001b[2J'],
    ['users', 'list', '--fl\u001b[2Jag'],
  ]) {
    const { exitCode, screen } = await lockstepOnTerminal(args, { env: place.env, cwd: place.folder })
    expect(exitCode).not.toBe(0)
    expect(screen).toContain('\\x1b')
    expect(steeringIn(screen)).toEqual([])
  }
})
