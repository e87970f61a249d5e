import { readSettings } from '../cloudhsm-cli/settings.js'
import { changedConfig } from './change-config.js'
import { clusterAddresses, credentialsFrom } from './cluster-addresses.js'
import { readCliConfig, writeCliConfig } from './config-file.js'
import { HELP, type Options, readOptions, UsageError } from './options.js'
import { regionFrom } from './region.js'

/** Exit codes. None is documented; 2 is usual for the real program's argument parser. */
const EXIT_CODE = { done: 0, failed: 1, usage: 2 } as const

/**
 * The program `configure-cli`, which writes the configuration of CloudHSM CLI. Its wrapper passes the simulator's settings
 * first; what follows are the real program's arguments.
 */
const main = async ([settingsPath = '', ...words]: readonly string[], env: NodeJS.ProcessEnv): Promise<number> => {
  try {
    const options = readOptions(words)
    if (!options) {
      process.stdout.write(HELP)
      return EXIT_CODE.done
    }
    const { cliConfigPath } = readSettings(settingsPath, env)
    const config = readCliConfig(cliConfigPath)
    writeCliConfig(cliConfigPath, changedConfig(config, options, await addressesFor(options, env)))
    return EXIT_CODE.done
  } catch (error) {
    if (error instanceof UsageError) process.stderr.write(error.message)
    else process.stderr.write(`Error: "${(error as Error).message}"\n`)
    return error instanceof UsageError ? EXIT_CODE.usage : EXIT_CODE.failed
  }
}

const addressesFor = async ({ subcommand, values }: Options, env: NodeJS.ProcessEnv): Promise<readonly string[]> => {
  const clusterId = values.get('--cluster-id')?.[0]
  if (clusterId === undefined || subcommand === 'remove-cluster') return []
  return clusterAddresses(clusterId, {
    region: values.get('--region')?.[0] ?? regionFrom(env),
    endpoint: values.get('--endpoint')?.[0] ?? (env['AWS_ENDPOINT_URL'] || null),
    credentials: credentialsFrom(env),
  })
}

process.exitCode = await main(process.argv.slice(2), process.env)
