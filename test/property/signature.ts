import type { World } from './world.js'

/** What differs although nothing does. */
const PASSING: readonly string[] = ['at', 'startedAt', 'observedAt', 'pid']

/**
 * Everything that what follows depends on, in words: worlds that have it in common go on alike, but for the moments at
 * which things happen.
 */
export const signatureOf = (world: World): string => {
  const { fleet, store, journals, refusedLogins, locks, orphans, time } = world
  const hsms = fleet.clusters.flatMap(({ appliances }) =>
    appliances.map(({ hsmId, saysId, state, unreachable, limited, hsm }) => ({
      ...{ hsmId, saysId, state, unreachable, limited },
      users: hsm.users.map(({ id, name, password, failures, locked }) => [
        ...[id, name, failures, locked],
        password?.digest.toString('base64').slice(0, 8),
        fleet.users.map((user) => (user.name === name ? hsm.matches(user.type, name, user.new.reveal()) : null)),
      ]),
      conditions: { ...hsm.conditions, sessionsElsewhere: [...hsm.conditions.sessionsElsewhere] },
      key: hsm.maskingKey[0],
    })),
  )
  const { pending, current, previous, promoted } = store.versions
  const kept = [pending, current, previous].map((version) =>
    version === null ? null : [...version.users].map(([user, secret]) => [user, secret.reveal()]),
  )
  const told = [...journals].map(([rotationId, { entries }]) => [rotationId, entries.map(({ event }) => event)])
  const held = [...locks.keys()]
  const under = { orphans: orphans.size, waiting: time.waiting }
  return JSON.stringify([hsms, kept, promoted, told, [...refusedLogins], held, under], (key, value) =>
    PASSING.includes(key) ? undefined : value,
  )
}
