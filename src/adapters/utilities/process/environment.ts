/** What a utility sees of our environment: enough to run, nothing that could hold a credential. */
const PASSED_ON = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'LD_LIBRARY_PATH', 'TMPDIR']

/** The whole environment of a utility, taken from ours. */
export const utilityEnvironment = (own: Readonly<Record<string, string | undefined>>): Record<string, string> => {
  const env: Record<string, string> = { TERM: 'dumb' }
  for (const name of PASSED_ON) {
    const value = own[name]
    if (value !== undefined) env[name] = value
  }
  return env
}
