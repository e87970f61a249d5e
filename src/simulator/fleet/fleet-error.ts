/** The fleet file cannot be used. The message says where in the file, and what is wrong there. */
export class FleetError extends Error {
  override readonly name = 'FleetError'

  /** @param path place inside the file, e.g. `families[0].clusters[1].hsms`; empty for the file itself */
  constructor(
    readonly path: string,
    problem: string,
  ) {
    super(path === '' ? problem : `${path}: ${problem}`)
  }
}

/** `families[0].users[1]`, from the keys that lead there. */
export const pathOf = (keys: readonly PropertyKey[]): string =>
  keys.reduce<string>(
    (path, key) => (typeof key === 'number' ? `${path}[${key}]` : `${path}${path && '.'}${String(key)}`),
    '',
  )
