import type { Roster } from '../../src/domain/roster.js'
import { Secret } from '../../src/domain/secret.js'
import { consoleOn } from './cli-bench.js'

/**
 * A program of its own that changes a password through the adapter, to be killed in the middle of it. Its argument is
 * `{program, roster, officerPassword, newPassword}` in JSON; it says what it has come to, one word a line, and goes on
 * from `ready` when a line is typed.
 */
const { program, roster, officerPassword, newPassword } = JSON.parse(process.argv[2] ?? '{}') as {
  program: string
  roster: Roster
  officerPassword: string
  newPassword: string
}
const limits = { startupMs: 20_000, commandMs: 1_000, goodbyeMs: 60_000 }
const session = await consoleOn(program, roster, { limits }).open(roster)
await session.login({ type: 'CO', name: 'admin' }, new Secret(officerPassword), session.hsmIds)
process.stdout.write(`ready ${session.process.pid}\n`)
await new Promise((resolve) => process.stdin.once('data', resolve))
try {
  await session.changePassword({ type: 'CU', name: 'app_crypto' }, new Secret(newPassword))
} catch {
  // Nothing was heard for a second since the password was typed.
  process.stdout.write('silent\n')
}
await session.close()
