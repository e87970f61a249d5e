import { readFileSync } from 'node:fs'

/**
 * Runs the program. `--version` is answered without loading the command framework, whose start alone costs
 * several times that of Node.
 * @param entry `import.meta.url` of the file in `bin/`
 */
export const start = async (entry: string): Promise<void> => {
  const argv = process.argv.slice(2)
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-v')) {
    const { name, version } = JSON.parse(readFileSync(new URL('../package.json', entry), 'utf8')) as {
      name: string
      version: string
    }
    process.stdout.write(`${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`)
    return
  }
  const { flush, handle, run } = await import('@oclif/core')
  try {
    await run(argv, entry)
    await flush()
  } catch (error) {
    await handle(asUsage(error as Error & { oclif?: { exit?: number } }))
  }
}

/** oclif ends an unknown command with 127; here every mistake in the command line is 2. */
const asUsage = (error: Error & { oclif?: { exit?: number } }): Error => {
  if (error.oclif?.exit === 127) error.oclif.exit = 2
  return error
}
