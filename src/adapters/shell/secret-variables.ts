/** `env:NAME` as a word of its own, as the value of a flag, or behind the user or the cluster it is for. */
const NAMED =
  /^(?:--[a-z][a-z-]*=)?(?:(?:CU|CO|PCO|PRECO|AU|crypto-user|admin):\w+=|(?:(?:[^:/=]+:)?[^:/=]+\/)?cluster-\w+=)?env:([A-Za-z_][A-Za-z0-9_]*)$/

/**
 * Variables that hold credentials for this program and are none of a child's business: those an argument names as
 * `env:NAME`, and our own.
 */
export const secretVariables = (argv: readonly string[]): readonly string[] => [
  'LOCKSTEP_STORE_PASSPHRASE',
  ...argv.flatMap((word) => NAMED.exec(word)?.[1] ?? []),
]

const taken = new Map<string, string>()

/**
 * Takes these variables out of the environment of this process and keeps their values. Children that inherit it do not
 * get them, whoever starts them (the AWS SDK runs the `credential_process` of a profile), and a diagnostic report of
 * Node does not list them.
 */
export const takeSecretVariables = (argv: readonly string[], env: NodeJS.ProcessEnv = process.env): void => {
  for (const name of secretVariables(argv)) {
    const value = env[name]
    if (value === undefined) continue
    taken.set(name, value)
    delete env[name]
  }
}

/** The value of a variable, whether it was taken out of the environment or not. */
export const secretVariable = (name: string): string | undefined => taken.get(name) ?? process.env[name]
