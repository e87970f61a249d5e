// Makes a checkout ready: installs and builds, each only where something is missing or has changed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

const filesBelow = (folder) =>
  readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()

const digest = (files) => {
  const hash = createHash('sha256')
  for (const file of files) hash.update(file).update('\0').update(readFileSync(file)).update('\0')
  return hash.digest('hex')
}

const step = (what, stamp, wanted, args) => {
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  process.stderr.write(`${what} …\n`)
  const { status } = spawnSync(npm, args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (status !== 0) {
    process.stderr.write(`${what} failed: npm ${args.join(' ')}\n`)
    process.exit(status ?? 1)
  }
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, wanted)
}

step('installing packages', join(root, 'node_modules/.ready'), digest([join(root, 'package-lock.json')]), [
  'ci',
  '--no-audit',
  '--no-fund',
])
step(
  'building',
  join(root, 'dist/.ready'),
  digest([
    ...['package.json', 'tsconfig.json', 'scripts/build.mjs'].map((file) => join(root, file)),
    ...filesBelow('src'),
    ...filesBelow('test'),
  ]),
  ['run', '--silent', 'build'],
)
