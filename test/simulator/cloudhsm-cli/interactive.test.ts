import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startSimulator } from '../../helpers/simulator.js'
import { A, B, CLI_PROMPT, CliBench, cliFleet, runProgram, writeCliConfig } from '../support/cloudhsm-cli.js'
import { TypedSession } from '../support/typed-session.js'

let bench: CliBench
beforeAll(async () => {
  const sim = await startSimulator(cliFleet())
  bench = new CliBench(sim, await writeCliConfig(sim, [A, B]))
})
afterAll(() => bench.stop())

const LOGIN = 'login --username admin --role admin'
const logIn = async (session: TypedSession, more = ''): Promise<string> => {
  await session.run(`${LOGIN}${more}`, /\nEnter password:$/)
  return session.run('TEST-officer-1', CLI_PROMPT)
}

describe('at the prompt', () => {
  test('login, change-password and logout; passwords are never echoed', async () => {
    const session = await bench.open('--cluster-id', A)
    expect(session.transcript).toBe('aws-cloudhsm > ')
    expect(await logIn(session)).toBe(
      `\n${JSON.stringify({ error_code: 0, data: { username: 'admin', role: 'admin' } }, null, 2)}\nadmin@${A} > `,
    )
    await session.run('user change-password --username app_crypto \\', /\n> $/)
    await session.run('--role crypto-user', /\nEnter password:$/)
    await session.run('TEST-typed-1', /\nConfirm password:$/)
    expect(await session.run('TEST-typed-1', CLI_PROMPT)).toContain('"username": "app_crypto"')
    expect(await session.run('logout', CLI_PROMPT)).toMatch(/"Logout successful"\n\}\naws-cloudhsm > $/)
    expect(await session.quit()).toBe(0)
    expect(session.transcript).not.toMatch(/TEST-/)
    expect(await bench.holding('CU:app_crypto', 'TEST-typed-1')).toEqual([true, true, true, false, false])
  })

  test('passwords that differ change nothing', async () => {
    const session = await bench.open('--cluster-id', B)
    await logIn(session)
    await session.run('user change-password --username app_batch --role crypto-user', /Enter password:$/)
    await session.run('TEST-one-12', /Confirm password:$/)
    expect(await session.run('TEST-two-12', CLI_PROMPT)).toContain('"error_code": 1')
    for (const tried of ['TEST-one-12', 'TEST-two-12']) {
      expect(await bench.holding('CU:app_batch', tried)).not.toContain(true)
    }
  })

  test('two logins in one process let a user be replicated; the prompt shows the default cluster', async () => {
    const session = await bench.open('--cluster-id', A)
    await session.run(`${LOGIN} --cluster-id ${B}`, /Enter password:$/)
    expect(await session.run('TEST-officer-1', CLI_PROMPT)).toMatch(/\naws-cloudhsm > $/)
    expect(await logIn(session)).toMatch(new RegExp(`\nadmin@${A} > $`))
    const told = await session.run(
      `user replicate --username app_crypto --role crypto-user --source-cluster-id ${A} --destination-cluster-id ${B}`,
      CLI_PROMPT,
    )
    expect(told).toContain('"message": "Successfully replicated user"')
  })

  test('a mistake or a refusal does not end it; a second login is refused', async () => {
    const session = await bench.open('--cluster-id', A)
    expect(await session.run('user lst', CLI_PROMPT)).toContain("error: unrecognized subcommand 'lst'")
    expect(await session.run("user list --cluster-id 'open", CLI_PROMPT)).toContain('error: ')
    expect(await session.run('logout', CLI_PROMPT)).toContain('"error_code": 1')
    await logIn(session)
    expect(await session.run(`${LOGIN} --password TEST-officer-1`, CLI_PROMPT)).toContain('"error_code": 1')
    expect(await session.quit()).toBe(0)
  })

  test('several clusters and no default end it at once', async () => {
    const session = bench.type('interactive', '--config', bench.config)
    expect(await session.ended).toBe(1)
    expect(session.transcript).toContain('multiple clusters provided in configuration file')
  })

  test('a line that is lost makes a command fail on that connection', async () => {
    const session = await bench.open('--cluster-id', A)
    await logIn(session)
    const [hsm] = (await bench.sim.state()).hsms
    await bench.sim.fault('drop', '--hsm', hsm?.hsmId ?? '', '--operation', 'change')
    const change = 'user change-password --username app_batch --role crypto-user --password TEST-lost-12'
    const told = await session.run(change, CLI_PROMPT)
    await bench.sim.fault('drop', '--hsm', hsm?.hsmId ?? '', '--off')
    expect(told).toContain('failed on 1 of 3 connections')
    expect(await bench.holding('CU:app_batch', 'TEST-lost-12')).toEqual([false, true, true, false, false])
  })
})

describe('a login', () => {
  test('that one HSM refuses is taken back on the others, and can be repeated', async () => {
    const session = await bench.open('--cluster-id', B)
    const [, , , hsm] = (await bench.sim.state()).hsms
    await bench.sim.fault('refuse-login', '--hsm', hsm?.hsmId ?? '', '--nth', '1')
    const sessions = async () =>
      (await bench.sim.state()).hsms.filter(({ clusterId }) => clusterId === B).map(({ users }) => users[0]?.sessions)
    const before = await sessions()
    const refused = await logIn(session)
    expect(refused).toContain('"error_code": 1')
    expect(await sessions()).toEqual(before)
    expect(await logIn(session)).toContain('"error_code": 0')
    expect(await sessions()).toEqual(before.map((count) => (count ?? 0) + 1))
    await bench.sim.fault('refuse-login', '--hsm', hsm?.hsmId ?? '', '--off')
    await session.quit()
  })
})

describe('without a terminal', () => {
  test('commands are read from standard input, and failing ones leave exit code 0', async () => {
    const lines = `${LOGIN} --password "TEST-officer-1"\nuser delete --username nobody --role crypto-user\nquit\n`
    const args = ['interactive', '--config', bench.config, '--cluster-id', A]
    const { code, stdout } = await runProgram(bench.sim.ready.cloudhsmCli, args, {}, lines)
    expect(code).toBe(0)
    expect(stdout).toContain('"data": "Specified user does not exist"')
  })

  test('a password is asked for on the terminal beside a here-document', async () => {
    const { cloudhsmCli } = bench.sim.ready
    const script = `printf '${LOGIN}\\nlogout\\n' | '${cloudhsmCli}' interactive --config '${bench.config}' --cluster-id ${A}`
    const session = new TypedSession('/bin/sh', ['-c', script])
    await session.expect(/Enter password:$/)
    session.write('TEST-officer-1\r')
    expect(await session.ended).toBe(0)
    expect(session.transcript).toContain('"data": "Logout successful"')
    expect(session.transcript).not.toContain('TEST-')
  })

  test('a password cannot be asked for where there is none', async () => {
    const args = ['interactive', '--config', bench.config, '--cluster-id', A]
    const { stdout } = await runProgram(bench.sim.ready.cloudhsmCli, args, {}, `${LOGIN}\nTEST-officer-1\n`)
    expect(stdout).toContain('No terminal to ask for a password')
  })
})
