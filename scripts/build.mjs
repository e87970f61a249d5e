// Compiles; writes oclif.manifest.json, so that starting one command does not load all of them, and the page of --help,
// so that showing it loads none.
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const node = (...args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  if (status === 0) return stdout
  process.stderr.write(`${stdout}${stderr}`)
  process.exit(status ?? 1)
}

// A file whose source is gone must not live on as a command or a test.
rmSync(join(root, 'dist'), { recursive: true, force: true })
node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.json')
node('node_modules/oclif/bin/run.js', 'manifest', '.')

// The page is made while there is none: then the command framework answers. Its version line belongs to this machine.
const help = node('bin/run.js', '--help')
const version = node('bin/run.js', '--version').trim()
writeFileSync(join(root, 'dist/src/help.txt'), help.replace(version, '{version}'))
