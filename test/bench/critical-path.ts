/** What a rotation is about, as far as its time depends on it. */
export interface Shape {
  /** HSMs of each cluster, the source first. */
  readonly clusters: readonly number[]
  readonly users: number
}

/** One step of the longest chain, counted in operations of the HSM that is busy longest in it. */
export interface Term {
  readonly stage: string
  readonly operations: number
  readonly made: string
}

/**
 * The longest chain of operations that have to follow one another, whoever drives the HSMs and however many programs
 * they use. Two things are taken for granted, and nothing else:
 *
 * - An HSM does one operation at a time. Different HSMs work side by side: while a target inserts one user, the origin
 *   extracts the next, so copying `u` users takes the target `u` operations and the origin one before them.
 * - The stages of a rotation keep their order, and all users pass one before any enters the next. Each visit of a stage
 *   to an HSM is a conversation: connect, list (the failure counts are read before a login), and the officer's login and
 *   logout where something is written. A proof is a conversation apart: connect, list, then a login and a logout per user.
 *
 * Waves follow one another; the HSMs of a wave go side by side. Extracting is spread over the proved HSMs and never
 * the longest part, as long as a wave has at most three targets per origin. Nothing is charged for programs that
 * start, for the terminal, the journal or AWS.
 */
export const criticalPath = ({ clusters, users: u }: Shape): readonly Term[] => {
  const [source = 0, ...destinations] = clusters
  const write = 4 // connect, list, officer login, officer logout
  const proof = 2 + 2 * u // connect, list, login and logout of each user
  const follow = 1 + write + u + proof
  const followMade = 'first extract, connect, list, login, inserts, logout; connect, list, login and logout per user'
  // The canary is the first destination HSM, the restore point the last: neither is in a wave.
  const waves = [
    { name: "the source's siblings", hsms: source - 1 },
    ...destinations.map((count, index) => ({
      name: `destination ${index + 1}`,
      hsms: count - (index === 0 ? 1 : 0) - (index === destinations.length - 1 ? 1 : 0),
    })),
  ].filter(({ hsms }) => hsms > 0)
  return [
    {
      stage: 'preflight',
      operations: 6,
      made: 'connect, list, login, logout on one HSM; login, logout on the others, which were listed meanwhile',
    },
    {
      stage: 'rehearse',
      operations: 1 + write + u + 1,
      made: 'first extract, connect, list, login, inserts, list again, logout',
    },
    { stage: 'change', operations: write + u, made: 'connect, list, login, changes, logout' },
    { stage: 'prove', operations: proof, made: 'connect, list, login and logout per user' },
    { stage: 'canary', operations: follow + 1, made: `${followMade}; list again` },
    ...waves.map(({ name }) => ({ stage: `spread: ${name}`, operations: follow, made: followMade })),
    { stage: 'verify', operations: 2, made: 'connect, list' },
    { stage: 'restore-point', operations: follow, made: followMade },
  ]
}

/** Operations of the whole chain. */
export const lengthOf = (terms: readonly Term[]): number => terms.reduce((sum, { operations }) => sum + operations, 0)
