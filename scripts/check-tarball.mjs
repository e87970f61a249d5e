// Packs the project, installs the tarball into an empty folder and runs both programs from there: what is missing in
// "files" or in "dependencies" shows here and nowhere else.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const folder = mkdtempSync(join(tmpdir(), 'lockstep-tarball-'))
const home = join(folder, 'empty')
const bin = (name) => join(home, 'node_modules/.bin', name)

class Failed extends Error {}

const run = (what, command, args, { cwd = home, env = process.env, status = 0 } = {}) => {
  const ended = spawnSync(command, args, { cwd, env, encoding: 'utf8' })
  if (ended.status !== status) {
    throw new Failed(`${what} ended with ${ended.status ?? ended.error?.message}:\n${ended.stdout}${ended.stderr}`)
  }
  return ended.stdout
}

const expect = (what, holds) => {
  if (!holds) throw new Failed(what)
}

/** @returns the document of the ready line */
const ready = (child) =>
  new Promise((resolve, reject) => {
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
      if (text.includes('\n')) resolve(JSON.parse(text))
    })
    child.once('close', (status) => reject(new Failed(`lockstep-sim start ended with ${status}`)))
    child.once('error', reject)
  })

const check = async () => {
  mkdirSync(home)
  writeFileSync(join(home, 'package.json'), '{"private": true}\n')
  const [{ filename, version }] = JSON.parse(
    run('npm pack', npm, ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: root }),
  )
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--omit=dev', join(folder, filename)]
  run('npm install', npm, install)

  expect('lockstep --version', run('lockstep --version', bin('lockstep'), ['--version']).includes(version))
  expect('lockstep --help', run('lockstep --help', bin('lockstep'), ['--help']).includes('rotate'))
  const fleet = join(home, 'node_modules/cloudhsm-lockstep/fixtures/fleets/two-regions.yaml')
  const dir = join(folder, 'simulator')
  const simulator = spawn(bin('lockstep-sim'), ['start', '--fleet', fleet, '--dir', dir, '--ends-with-stdin'], {
    cwd: home,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => simulator.once('close', resolve))
  try {
    const { env: simulated } = await ready(simulator)
    const env = {
      ...process.env,
      ...simulated,
      LOCKSTEP_STATE_DIR: join(folder, 'state'),
      OFFICER: 'TEST-officer-1',
      NEW: 'TEST-new-1',
      LOCKSTEP_STORE_PASSPHRASE: 'TEST-passphrase-1',
    }
    const rotate = [
      ...['rotate', 'start', '--source=us-east-1/cluster-aaaaaaaaaaa', '--destination=eu-west-1/cluster-bbbbbbbbbbb'],
      ...['--region=us-east-1', '--region=eu-west-1', '--user=CU:app_crypto', '--new-password=env:NEW'],
      ...['--officer=admin', '--officer-password=env:OFFICER', `--store=file:${join(folder, 'credentials.age')}`],
      ...['--yes', '--json'],
    ]
    const { outcome } = JSON.parse(run('lockstep rotate start', bin('lockstep'), rotate, { env }))
    expect(`rotate start: ${outcome}`, outcome === 'completed')
    run(
      'lockstep-sim check',
      bin('lockstep-sim'),
      ['check', '--dir', dir, '--user=CU:app_crypto', '--password=env:NEW'],
      {
        env,
      },
    )
  } finally {
    simulator.kill('SIGTERM')
    await ended
  }
}

try {
  await check()
  process.stdout.write('the packed tarball installs into an empty folder and rotates a user there\n')
} catch (error) {
  if (!(error instanceof Failed)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
