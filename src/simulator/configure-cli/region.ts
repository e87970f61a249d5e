import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * The Region that is asked where `--region` is missing: the environment's, the profile's, us-east-1.
 * Source: AWS CloudHSM User Guide, parameters of the configure tool.
 */
export const regionFrom = (env: NodeJS.ProcessEnv): string =>
  env['AWS_DEFAULT_REGION'] || env['AWS_REGION'] || profileRegion(env) || 'us-east-1'

const profileRegion = (env: NodeJS.ProcessEnv): string | null => {
  const profile = env['AWS_PROFILE'] || 'default'
  let text: string
  try {
    text = readFileSync(env['AWS_CONFIG_FILE'] || join(homedir(), '.aws/config'), 'utf8')
  } catch {
    return null
  }
  let here = false
  for (const line of text.split('\n')) {
    const [, section] = /^\s*\[(?:profile\s+)?([^\]]+)\]/.exec(line) ?? []
    if (section !== undefined) here = section.trim() === profile
    const [, region] = /^\s*region\s*=\s*(\S+)/.exec(line) ?? []
    if (here && region) return region
  }
  return null
}
