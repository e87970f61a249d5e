import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from '@jest/globals'
import { Secret } from '../../../../src/domain/secret.js'
import { consoleFailureOf, consoleOn, gone, rosterOfFleet } from '../../../helpers/cli-bench.js'
import { type RunningFleet, startSimulator } from '../../../helpers/simulator.js'
import { A, cliFleet } from '../../../simulator/support/cloudhsm-cli.js'

const DRIVER = fileURLToPath(new URL('../../../helpers/cli-change.js', import.meta.url))
const OFFICER_PASSWORD = 'TEST-officer-1'
const NEW = 'TEST-new-12'

let sim: RunningFleet
let child: ChildProcess | null = null
afterEach(async () => {
  child?.kill('SIGKILL')
  child = null
  await sim.stop()
})

const start = async () => {
  sim = await startSimulator(cliFleet())
  const roster = (await rosterOfFleet(sim)).filter(({ clusterId }) => clusterId === A)
  return { roster, program: sim.ready.cloudhsmCli }
}

const holding = async (): Promise<(boolean | null)[]> =>
  (await sim.check('CU:app_crypto', NEW)).hsms.slice(0, 3).map(({ match }) => match)

test('a change that is under way when we are killed is finished by the program', async () => {
  const { roster, program } = await start()
  const work = { program, roster, officerPassword: OFFICER_PASSWORD, newPassword: NEW }
  const driver = spawn(process.execPath, [DRIVER, JSON.stringify(work)], { stdio: ['pipe', 'pipe', 'inherit'] })
  child = driver
  const lines = createInterface({ input: driver.stdout })[Symbol.asyncIterator]()
  const [, pid] = /^ready (\d+)$/.exec(`${(await lines.next()).value}`) ?? []
  await sim.fault('slow', '--ms', '3000')
  driver.stdin.write('go\n')
  expect((await lines.next()).value).toBe('silent')
  const before = await holding()
  driver.kill('SIGKILL')
  await gone(Number(pid))
  expect(before).toEqual([false, false, false])
  expect(await holding()).toEqual([true, true, true])
})

test('a change that takes longer than we wait is finished, and the program told to quit', async () => {
  const { roster, program } = await start()
  const limits = { startupMs: 20_000, commandMs: 1_000, goodbyeMs: 100 }
  const session = await consoleOn(program, roster, { limits }).open(roster)
  await session.login({ type: 'CO', name: 'admin' }, new Secret(OFFICER_PASSWORD), session.hsmIds)
  await sim.fault('slow', '--ms', '3000')
  const change = session.changePassword({ type: 'CU', name: 'app_crypto' }, new Secret(NEW))
  expect((await consoleFailureOf(change)).kind).toBe('silent')
  await session.close()
  const before = await holding()
  await gone(session.process.pid)
  expect(before).toEqual([false, false, false])
  expect(await holding()).toEqual([true, true, true])
})
