// Compiles, and writes oclif.manifest.json so that starting one command does not load all of them.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const node = (...args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  if (status === 0) return
  process.stderr.write(`${stdout}${stderr}`)
  process.exit(status ?? 1)
}

// A file whose source is gone must not live on as a command or a test.
rmSync(join(root, 'dist'), { recursive: true, force: true })
node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.json')
node('node_modules/oclif/bin/run.js', 'manifest', '.')
