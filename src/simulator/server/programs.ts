import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CONFIG_VARIABLE } from '../cloudhsm-cli/settings.js'
import { packagedConfig } from '../configure-cli/config-file.js'
import type { FleetBehaviour } from '../fleet/schema.js'
import { Problem } from '../problem.js'

/** The programs that stand in for those of AWS, as wrappers in the simulator's folder. */
export interface Programs {
  readonly managementUtility: string
  readonly cloudhsmCli: string
  readonly configureCli: string
  /** Environment that names them. */
  readonly env: Readonly<Record<string, string>>
  /** Removes what was written. */
  readonly remove: () => void
}

/**
 * Writes wrappers that need nothing from their environment, the settings they pass on, and the configuration that the
 * package of CloudHSM CLI brings along, still without an address.
 * @throws {Problem} the folder cannot be written to
 */
export const writePrograms = (dir: string, behaviour: FleetBehaviour): Programs => {
  const settings = join(dir, 'programs.settings.json')
  const cliConfigPath = join(dir, 'cloudhsm-cli.cfg')
  const wrappers = {
    managementUtility: { path: join(dir, 'cloudhsm_mgmt_util'), program: 'cmu' },
    cloudhsmCli: { path: join(dir, 'cloudhsm-cli'), program: 'cloudhsm-cli' },
    configureCli: { path: join(dir, 'configure-cli'), program: 'configure-cli' },
  }
  const root = packageRoot()
  try {
    writeFileSync(settings, JSON.stringify({ ...behaviour, cliConfigPath }))
    writeFileSync(cliConfigPath, packagedConfig())
    for (const { path, program } of Object.values(wrappers)) {
      const words = [process.execPath, join(root, 'dist/app/simulator', program, 'main.js'), settings]
        .map(quoted)
        .join(' ')
      writeFileSync(path, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 })
    }
  } catch (error) {
    throw new Problem('DIR_UNUSABLE', `cannot write into ${dir}: ${(error as NodeJS.ErrnoException).code}`, [], 2)
  }
  const paths = Object.values(wrappers).map(({ path }) => path)
  return {
    managementUtility: wrappers.managementUtility.path,
    cloudhsmCli: wrappers.cloudhsmCli.path,
    configureCli: wrappers.configureCli.path,
    env: {
      LOCKSTEP_CMU: wrappers.managementUtility.path,
      LOCKSTEP_CLOUDHSM_CLI: wrappers.cloudhsmCli.path,
      [CONFIG_VARIABLE]: cliConfigPath,
    },
    remove: () => {
      for (const file of [settings, cliConfigPath, ...paths]) rmSync(file, { force: true })
    },
  }
}

/** This file runs from where it was compiled to, and from the bundle. */
const packageRoot = (): string => {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`
