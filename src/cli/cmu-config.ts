import type { LoadedConfig } from '../domain/config-files.js'
import { refusal } from '../domain/errors.js'

/**
 * A configuration for a command that works through cloudhsm_mgmt_util alone.
 * @param path as it was typed
 * @throws {OperatorError} `UTILITY_NOT_SUPPORTED` (exit 3)
 */
export const requireCmuConfig = (path: string, loaded: LoadedConfig): LoadedConfig & { readonly utility: 'cmu' } => {
  if (loaded.utility === 'cmu') return loaded
  throw refusal(
    'UTILITY_NOT_SUPPORTED',
    `${path} is a configuration of ${loaded.utility}, and this command works through cloudhsm_mgmt_util only`,
    [`lockstep config generate --utility cmu, where all HSMs are hsm1.medium`],
  )
}
