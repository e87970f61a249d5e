import { cellKey } from './course.js'
import { isAway } from './fleet.js'
import type { Told, Traced } from './tell-story.js'
import type { World } from './world.js'

const traced = ({ name, action, flags, outcome, code, message }: Traced): string =>
  `${name} ${action}${flags === '' ? '' : ` (${flags})`}: ${outcome}${code === null ? '' : `, ${code}: ${message}`}`

/** What every HSM and the store hold, in words. */
export const truthOf = (world: World): readonly string[] => {
  const { fleet, witness, store, journals } = world
  const course = witness.courseOf([...journals.keys()].at(-1) ?? ('' as never))
  const cells = fleet.named.flatMap((appliance) =>
    fleet.users.map((user) => {
      const held = witness.truth.held(appliance, user)
      const before = course?.before.get(cellKey(appliance, user)) ?? held
      const failures = appliance.hsm.find(user.type, user.name)?.failures ?? 0
      const { state, proof } = world.journal?.ledger.cell(user.key, appliance.hsmId) ?? { state: '-', proof: '-' }
      return [
        `${cellKey(appliance, user)} is ${held}`,
        before === held ? '' : `, was ${before}`,
        `, stated ${state} (${proof})`,
        failures === 0 ? '' : `, ${failures} failed logins`,
        isAway(appliance) ? ', out of reach' : '',
      ].join('')
    }),
  )
  const { pending, current } = store.versions
  const users = fleet.users.map((user) => {
    const secret = current?.users.get(user.key)
    return secret === undefined ? 'none' : secret.equals(user.new) ? 'new' : secret.equals(user.old) ? 'old' : 'wrong'
  })
  return [...cells, `store: PENDING ${pending?.rotationId ?? 'none'}, CURRENT ${users.join(', ')}`]
}

/** Everything that is to be said of a story. */
export const inWords = ({ violations, trace, truth }: Told): string =>
  [...violations, 'what happened:', ...trace.map(traced), 'what is so in the end:', ...truth].join('\n  ')

/** What is wrong with a story without the names in it, so that like is counted with like. */
export const kindOf = ({ violations, trace }: Told): string => {
  const last = trace.at(-1)
  const words = (violations[0] ?? 'nothing')
    .split('\n')[0]
    ?.replace(/hsm-[a-z0-9]+/g, 'HSM')
    .replace(/cluster-[a-z]+/g, 'CLUSTER')
    .replace(/C[UO]:\w+/g, 'USER')
    .replace(/\bi\d+\b/g, 'RUN')
    .replace(/\d\d+/g, 'N')
  return words?.startsWith('3: ') === true
    ? `${words} (${last?.action}: ${last?.code ?? last?.outcome})`
    : (words ?? '')
}
