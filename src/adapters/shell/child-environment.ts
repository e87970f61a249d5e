import { secretVariables } from './secret-variables.js'

/** What any program needs to run where its user is at home. */
const PASSED = /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TERM|TZ|TMPDIR|XDG_\w+|SSH_AUTH_SOCK|GPG_TTY|SSL_CERT_\w+)$/
const PASSED_ANY_CASE = /^(https?_proxy|no_proxy|all_proxy)$/i
/** First letters of what the tools go by that keep secrets for people. */
const PASSED_TOOLS = /^(VAULT|BAO|OP|AWS|AZURE|GOOGLE|CLOUDSDK|BW|PASSWORD_STORE)_/

/**
 * What a command of the operator's sees of our environment: an allow-list, and what `LOCKSTEP_PASS_ENV` names (separated
 * by commas). A variable this program reads a credential from is never part of it.
 * @param argv the words of the command line: they tell which variables hold credentials
 */
export const childEnvironment = (
  env: Readonly<Record<string, string | undefined>>,
  argv: readonly string[] = process.argv,
): Record<string, string> => {
  const named = (env['LOCKSTEP_PASS_ENV'] ?? '').split(',').map((name) => name.trim())
  const withheld = secretVariables(argv)
  const passes = (name: string) =>
    !withheld.includes(name) &&
    (PASSED.test(name) || PASSED_ANY_CASE.test(name) || PASSED_TOOLS.test(name) || named.includes(name))
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value !== undefined && passes(name) ? [[name, value]] : [])),
  )
}
