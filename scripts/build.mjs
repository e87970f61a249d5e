// Compiles to dist/src and dist/test, and bundles the programs into dist/app: loading one of them from hundreds of small
// files takes longer than what it does. Then writes oclif.manifest.json, so that starting one command does not load all of
// them, and the page of --help, so that showing it loads none.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const node = (...args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  if (status === 0) return stdout
  process.stderr.write(`${stdout}${stderr}`)
  process.exit(status ?? 1)
}

const commands = () =>
  readdirSync(join(root, 'dist/src/commands'), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.js'))
    .map((entry) => join(entry.parentPath, entry.name))

/** Every file that is started or looked for by its name keeps its place below dist/app; what they share is beside them. */
const bundle = async () => {
  const programs = [
    'cli/start.js',
    ...['cli', 'cmu', 'cloudhsm-cli', 'configure-cli'].map((name) => `simulator/${name}/main.js`),
  ]
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [...programs.map((file) => join(root, 'dist/src', file)), ...commands()],
    outdir: 'dist/app',
    outbase: 'dist/src',
    chunkNames: 'shared/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // Native code is loaded from its own package.
    external: ['@lydell/node-pty'],
    // Names stay as they are, so that a stack trace can be read.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    metafile: true,
    // Packages that are not modules ask for others by require.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module';const require = makeRequire(import.meta.url);",
    },
    logLevel: 'warning',
  })
  writeFileSync(join(root, 'dist/app/licenses.txt'), licensesOf(Object.keys(metafile.inputs)))
}

/** The licences of the packages that are part of the bundle. */
const licensesOf = (inputs) => {
  const folders = new Set(inputs.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []))
  return [...folders]
    .sort()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
      const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry))
      const text = file === undefined ? '' : `\n${readFileSync(join(root, folder, file), 'utf8').trim()}\n`
      return `${name} ${version}: ${license}\n${text}`
    })
    .join(`\n${'-'.repeat(80)}\n`)
}

// A file whose source is gone must not live on as a command or a test.
rmSync(join(root, 'dist'), { recursive: true, force: true })
node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.json')
await bundle()
node('node_modules/oclif/bin/run.js', 'manifest', '.')

// The page is made while there is none: then the command framework answers. Its version line belongs to this machine.
const help = node('bin/run.js', '--help')
const version = node('bin/run.js', '--version').trim()
writeFileSync(join(root, 'dist/app/help.txt'), help.replace(version, '{version}'))
