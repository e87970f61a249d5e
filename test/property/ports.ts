import { isDeepStrictEqual } from 'node:util'
import type { Discovery } from '../../src/domain/clone-family.js'
import type { CredentialStore } from '../../src/domain/credential-store.js'
import { EXIT, OperatorError } from '../../src/domain/errors.js'
import type { HsmUserRef } from '../../src/domain/hsm-user.js'
import type { ClusterId, RotationId } from '../../src/domain/ids.js'
import type { LoginPlace } from '../../src/domain/refused-logins.js'
import type { Roster } from '../../src/domain/roster.js'
import { consoleOf } from './console.js'
import type { RecoverPorts, ReopenPorts, StartPorts } from './engine.js'
import type { Invocation } from './invocation.js'
import { shelfOf } from './journals.js'

/**
 * Everything outside, as one invocation reaches it.
 * @param roster every HSM that it may speak to, as it knows when it begins
 */
export const portsOf = (
  invocation: Invocation,
  roster: Roster,
  lockoutLimit: number,
): StartPorts & ReopenPorts & RecoverPorts => {
  const { world } = invocation
  return {
    console: consoleOf(invocation, roster),
    officerOf: (clusterId) => world.fleet.officerOf(clusterId),
    refusedLogins: refusedLoginsOf(invocation),
    lockoutLimit,
    concurrency: world.story.wishes.concurrency,
    stop: invocation.stop,
    locks: locksOf(invocation),
    shelf: shelfOf(invocation),
    store: storeOf(invocation),
    clock: { now: () => world.time.now(), wait: (ms) => invocation.wait(ms) },
    hooks: { run: () => invocation.call(() => invocation.failIf('hook-fails', 'HOOK_FAILED')) },
    operator: operatorOf(invocation),
    progress: () => undefined,
    discover: () => invocation.call(() => discover(invocation), { looks: true }),
    newRotationId: () => `r-20260301-03150${world.journals.size}-${invocation.name}` as RotationId,
    who: { user: 'tester', host: 'here', pid: 1 },
    version: '0.0.0',
    showPlan: async () => undefined,
    leftovers: {
      end: async (process, patienceMs) => {
        const orphan = await invocation.call(() => world.orphans.get(process.pid))
        if (orphan === undefined) return
        if (patienceMs > 0) await Promise.race([orphan.gone(), invocation.wait(patienceMs)])
        orphan.end()
      },
    },
  }
}

/** What may be asked, and how: an engine may say that there is no way back from what it asks about. */
type Question = { readonly noWayBack: boolean }

const operatorOf = (invocation: Invocation): StartPorts['operator'] => ({
  confirm: async (_question: string, { noWayBack }: Question = { noWayBack: false }) => {
    const agrees = !noWayBack || invocation.agreesToNoWayBack
    if (!agrees) invocation.declined = true
    return agrees
  },
})

const discover = (invocation: Invocation): Discovery => {
  invocation.failIf('discover-fails', 'DISCOVERY_FAILED')
  const { fleet } = invocation.world
  invocation.discovered = fleet.named.map(({ hsmId }) => hsmId)
  return { clusters: fleet.reported(), families: [], conflicts: [], problems: [], backups: [], asked: [] }
}

const storeOf = (invocation: Invocation): CredentialStore => {
  const { store, witness } = invocation.world
  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    const struck = invocation.struckBy('store-fails', 'store-fails-after')?.strike
    // The rules of the store are not asynchronous, only its port is.
    const done = await invocation.call(() => (struck === 'store-fails' ? undefined : work()))
    if (struck !== undefined) throw new OperatorError('STORE_UNREADABLE', `${struck}, so the story wants it`)
    return done as T
  }
  const write = (work: () => Promise<void>) =>
    call(async () => {
      const before = store.versions
      await work()
      if (!isDeepStrictEqual(before, store.versions)) invocation.writes += 1
    })
  return {
    description: store.description,
    onThisMachine: store.onThisMachine,
    checkWritable: () => call(() => store.checkWritable()),
    read: (stage) =>
      call(async () => {
        const version = await store.read(stage)
        for (const secret of version?.users.values() ?? []) witness.storeReturned(secret)
        return version
      }),
    putPending: (version, provedCurrent) => write(() => store.putPending(version, provedCurrent)),
    promote: (rotationId) => write(() => store.promote(rotationId)),
    discardPending: (rotationId) => write(() => store.discardPending(rotationId)),
  }
}

const locksOf = (invocation: Invocation): StartPorts['locks'] => {
  const { locks } = invocation.world
  const mine = (clusterId: ClusterId) => locks.get(clusterId) === invocation
  return {
    acquire: (clusterIds) =>
      invocation.call(() => {
        for (const clusterId of clusterIds) {
          const holder = locks.get(clusterId)
          if (holder === undefined || holder.dead) continue
          throw new OperatorError('LOCKED', `${clusterId} is locked by ${holder.name}`, { exitCode: EXIT.locked })
        }
        for (const clusterId of clusterIds) locks.set(clusterId, invocation)
        return {
          name: () => invocation.call(() => undefined),
          assertHeld: async () => {
            if (!clusterIds.every(mine)) throw new OperatorError('LOCK_LOST', 'taken over', { exitCode: EXIT.locked })
          },
          release: () =>
            invocation.call(() => {
              for (const clusterId of clusterIds) if (mine(clusterId)) locks.delete(clusterId)
            }),
        }
      }),
  }
}

const refusedLoginsOf = (invocation: Invocation): StartPorts['refusedLogins'] => {
  const { refusedLogins, time } = invocation.world
  const keyOf = (user: HsmUserRef, { clusterId, hsmId }: LoginPlace) => `${clusterId}/${hsmId} ${user.name}`
  return {
    of: (user, clusterIds) =>
      invocation.call(() =>
        [...refusedLogins].flatMap(([key, noted]) =>
          key.endsWith(` ${user.name}`) && clusterIds.includes(noted.clusterId) ? [noted] : [],
        ),
      ),
    note: (user, places, credential, isCounted = false) =>
      invocation.call(() => {
        for (const place of places) {
          const key = keyOf(user, place)
          const known = refusedLogins.get(key)?.count ?? 0
          const count = isCounted ? Math.max(1, known) : known + 1
          refusedLogins.set(key, { ...place, at: time.now().toISOString(), count, credential })
        }
      }),
    clear: (user, places) =>
      invocation.call(() => {
        for (const place of places) refusedLogins.delete(keyOf(user, place))
      }),
  }
}
