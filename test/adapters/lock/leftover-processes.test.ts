import { tmpdir } from 'node:os'
import { expect, test } from '@jest/globals'
import { leftoverProcesses } from '../../../src/adapters/lock/leftover-processes.js'
import { outlivingTerminal } from '../../../src/adapters/utilities/process/outliving.js'
import { startInTerminal } from '../../../src/adapters/utilities/process/terminal.js'
import { gone } from '../../helpers/cli-bench.js'

test('ends a utility together with what it was started through', async () => {
  // Deaf to the hang-up that comes when whatever it was started through is gone.
  const program = 'process.on("SIGHUP", () => 0); console.log("pid", process.pid, "."); setInterval(() => 0, 1000)'
  const { file, args } = outlivingTerminal(process.execPath, ['-e', program])
  const startedAt = new Date().toISOString()
  const terminal = startInTerminal(file, args, { cwd: tmpdir(), env: { PATH: process.env['PATH'] ?? '' } })
  const child = await new Promise<number>((resolve) => {
    let heard = ''
    terminal.onOutput((piece) => {
      heard += piece
      const pid = /pid (\d+) /.exec(heard)?.[1]
      if (pid !== undefined) resolve(Number(pid))
    })
  })
  expect(child).not.toBe(terminal.pid)
  await leftoverProcesses().end({ pid: terminal.pid, startedAt }, 0)
  await gone(child)
  expect(() => process.kill(child, 0)).toThrow('ESRCH')
})
