// The main job on simulated clusters: discover, generate, plan, rotate, show, and let the simulator judge.
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const [lockstep, simulator] = ['bin/run.js', 'bin/lockstep-sim.js'].map((file) => join(root, file))
const fleet = join('fixtures', 'fleets', 'hsm2m.yaml')
const home = mkdtempSync(join(tmpdir(), 'lockstep-demo-'))
const dir = join(home, 'simulator')

const say = (text) => process.stdout.write(`${text}\n`)

/** Runs one program as a person would, and stops the demonstration where it fails. */
const run = (program, name, args, env) => {
  say(`\n$ ${name} ${args.join(' ').replaceAll(`${home}/`, '')}`)
  const { status } = spawnSync(process.execPath, [program, ...args], {
    cwd: root,
    env,
    stdio: ['inherit', 'inherit', 'inherit'],
  })
  if (status === 0) return
  throw new Error(`${name} ${args.slice(0, 2).join(' ')} ended with ${status}`)
}

const demonstrate = async () => {
  say(`$ lockstep-sim start --fleet ${fleet} --dir simulator`)
  const child = spawn(process.execPath, [simulator, 'start', '--fleet', join(root, fleet), '--dir', dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  try {
    const line = await Promise.race([
      new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve)),
      ended.then(() => Promise.reject(new Error('the simulator did not start'))),
    ])
    const ready = JSON.parse(line)
    say(`ready: AWS at ${ready.endpoint}`)
    const env = {
      ...process.env,
      ...ready.env,
      LOCKSTEP_STATE_DIR: join(home, 'state'),
      OFFICER: 'TEST-officer-1',
      OLD: 'TEST-old-1',
      // No ":" and no leading "-" in base64url of this length with a letter in front.
      NEW: `D${randomBytes(15).toString('base64url')}`,
      LOCKSTEP_STORE_PASSPHRASE: randomBytes(18).toString('base64url'),
    }
    const regions = ['--region', 'us-east-1', '--region', 'eu-west-1']
    const clusters = ['--source', 'cluster-aaaaaaaaaaa', '--destination', 'cluster-bbbbbbbbbbb']
    const config = join(home, 'merged.cfg')
    const plan = join(home, 'plan.json')
    run(lockstep, 'lockstep', ['clusters', 'list', ...regions], env)
    run(lockstep, 'lockstep', ['config', 'generate', ...clusters, ...regions, '--out', config], env)
    run(lockstep, 'lockstep', ['users', 'list', '--config', config], env)
    run(
      lockstep,
      'lockstep',
      ['rotate', 'plan', ...clusters, ...regions, '--user', 'CU:app_crypto', '--config', config, '--out', plan],
      env,
    )
    run(
      lockstep,
      'lockstep',
      [
        ...[
          'rotate',
          'start',
          '--plan',
          plan,
          '--config',
          config,
          '--officer',
          'admin',
          '--officer-password',
          'env:OFFICER',
        ],
        ...[
          '--new-password',
          'env:NEW',
          '--current-password',
          'env:OLD',
          '--store',
          `file:${join(home, 'credentials.age')}`,
        ],
        '--yes',
      ],
      env,
    )
    const check = ['check', '--dir', dir, '--user', 'CU:app_crypto', '--password', 'env:NEW']
    run(simulator, 'lockstep-sim', check, env)
  } finally {
    child.kill('SIGTERM')
    await ended
    rmSync(home, { recursive: true, force: true })
  }
  say('\nThe simulator is stopped. Every HSM holds the new password, by its own word.')
}

demonstrate().catch((error) => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
})
