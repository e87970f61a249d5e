import { USER } from './cli-rotation.js'
import type { Ended } from './lockstep.js'
import type { Workplace } from './workplace.js'

/** Cells of a document as these helpers read them. */
interface CellDocument {
  readonly cells: readonly {
    readonly user: string
    readonly hsmId: string
    readonly state: string
    readonly proof: string
  }[]
}

/** `state` of each cell of a user, by HSM ID. */
export const stateByHsm = ({ cells }: CellDocument, user = USER): Readonly<Record<string, string>> =>
  Object.fromEntries(cells.flatMap((cell) => (cell.user === user ? [[cell.hsmId, cell.state]] : [])))

/** `proof` of each cell of a user, by HSM ID. */
export const proofByHsm = ({ cells }: CellDocument, user = USER): Readonly<Record<string, string>> =>
  Object.fromEntries(cells.flatMap((cell) => (cell.user === user ? [[cell.hsmId, cell.proof]] : [])))

/** The distinct `state (proof)` of all cells. */
export const kindsOfCells = ({ cells }: CellDocument): readonly string[] => [
  ...new Set(cells.map(({ state, proof }) => `${state} (${proof})`)),
]

/**
 * Cells of which a document says something that is not so, as `hsm: stated (proof)`.
 * @param passwords what `old` and `new` stand for
 */
export const falseClaims = async (
  place: Workplace,
  { cells }: CellDocument,
  passwords: { readonly old: string; readonly new: string },
  user = USER,
): Promise<readonly string[]> => {
  const held = [await place.holds(user, passwords.old), await place.holds(user, passwords.new)]
  const at = new Map((await place.truth()).map(({ hsmId }, index) => [hsmId, held.map((match) => match[index])]))
  const isSo = ({ hsmId, state }: CellDocument['cells'][number]): boolean => {
    const [old, next] = at.get(hsmId) ?? []
    if (state === 'old') return old === true
    if (state === 'new') return next === true
    if (state === 'other') return old === false && next === false
    return state !== 'absent' || old === null
  }
  return cells
    .filter((cell) => cell.user === user && !isSo(cell))
    .map(({ hsmId, state, proof }) => `${hsmId}: ${state} (${proof})`)
}

/** How a command ended, in the three words scripts go by: exit code, outcome, and code of the error. */
export const endOf = ({ exitCode, json }: Ended): readonly [number | null, string | undefined, string | undefined] => [
  exitCode,
  json.outcome,
  json.error?.code,
]

/** Everything an error says: its message and what it advises. */
export const saidBy = ({ json }: Ended): string =>
  json.error === undefined ? '' : [json.error.message, ...json.error.suggestions].join('\n')

/** IDs of the HSMs that hold a password, sorted. */
export const holdersOf = async (place: Workplace, password: string, user = USER): Promise<readonly string[]> => {
  const held = await place.holds(user, password)
  return (await place.truth()).flatMap(({ hsmId }, index) => (held[index] === true ? [hsmId] : [])).sort()
}

/** IDs of all HSMs of a workplace, sorted. */
export const everyHsm = async (place: Workplace): Promise<readonly string[]> =>
  (await place.truth()).map(({ hsmId }) => hsmId).sort()

/** Failed logins in a row of a user as each HSM counts them, by HSM ID. */
export const failuresByHsm = async (place: Workplace, name = 'app_crypto'): Promise<Readonly<Record<string, number>>> =>
  Object.fromEntries(
    (await place.truth()).flatMap(({ hsmId, users }) =>
      users.filter((user) => user.name === name).map(({ failures }) => [hsmId, failures]),
    ),
  )

/** The highest of them. */
export const mostFailures = async (place: Workplace, name = 'app_crypto'): Promise<number> =>
  Math.max(0, ...Object.values(await failuresByHsm(place, name)))

/** Logins of everybody on one HSM, as it counted them from its first day. */
export const loginsOn = async (place: Workplace, hsmId: string): Promise<unknown> =>
  (await place.truth({ counters: true })).find((hsm) => hsm.hsmId === hsmId)?.logins

/** IDs of the HSMs of a cluster, sorted. @param ref `region/cluster-id` */
export const hsmsIn = async (place: Workplace, ref: string): Promise<readonly string[]> =>
  (await place.truth())
    .filter(({ clusterId }) => clusterId === clusterIn(ref))
    .map(({ hsmId }) => hsmId)
    .sort()

/** The ID in `region/cluster-id`. */
export const clusterIn = (ref: string): string => ref.split('/')[1] ?? ''

/** `--hsm` for each of these. */
export const onHsms = (hsmIds: readonly string[]): readonly string[] => hsmIds.flatMap((hsmId) => ['--hsm', hsmId])
