import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { fleetFixture, startSimulator } from '../helpers/simulator.js'
import { writeConfig } from './support/typed-session.js'

const RUNBOOK = fileURLToPath(new URL('../../../test/simulator/runbook.exp', import.meta.url))
const installed = spawnSync('expect', ['-v']).status === 0
// Reported as skipped where the program `expect` is not installed.
const ifInstalled = installed ? test : test.skip

describe('an expect script that knows only the published grammar', () => {
  ifInstalled('logs in, lists users, changes one and syncs it (needs the program "expect")', async () => {
    const sim = await startSimulator(fleetFixture('two-hsms.yaml'))
    try {
      const addresses = (await sim.state()).hsms.map(({ eniIp }) => eniIp)
      const config = await writeConfig(sim.dir, addresses)
      const child = spawn('expect', ['-f', RUNBOOK, sim.ready.managementUtility, config, 'admin', 'app_crypto'], {
        env: {
          PATH: process.env['PATH'],
          TERM: 'dumb',
          OFFICER_PASSWORD: 'TEST-officer-1',
          NEW_PASSWORD: 'TEST-new-1',
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let output = ''
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk
      })
      const code = await new Promise((resolve) => child.once('close', resolve))
      expect({ code, output }).toEqual({ code: 0, output: 'user ID 4\ndone\n' })
      expect((await sim.check('CU:app_crypto', 'TEST-new-1')).hsms.map(({ match }) => match)).toEqual([true, true])
    } finally {
      await sim.stop()
    }
  })
})
