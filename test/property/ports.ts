import type { Discovery } from '../../src/domain/clone-family.js'
import type { CredentialStore } from '../../src/domain/credential-store.js'
import { EXIT, OperatorError } from '../../src/domain/errors.js'
import type { HsmUserRef } from '../../src/domain/hsm-user.js'
import type { ClusterId, RotationId } from '../../src/domain/ids.js'
import type { Roster } from '../../src/domain/roster.js'
import type { RecoverPorts } from '../../src/use-cases/rotation/recover-rotation.js'
import type { ReopenPorts } from '../../src/use-cases/rotation/reopen-rotation.js'
import type { StartPorts } from '../../src/use-cases/rotation/start-rotation.js'
import { consoleOf } from './console.js'
import { LOCKOUT_LIMIT } from './fleet.js'
import type { Invocation } from './invocation.js'
import { shelfOf } from './journals.js'

/**
 * Everything outside, as one invocation reaches it.
 * @param roster every HSM that it may speak to, as it knows when it begins
 */
export const portsOf = (invocation: Invocation, roster: Roster): StartPorts & ReopenPorts & RecoverPorts => {
  const { world } = invocation
  return {
    console: consoleOf(invocation, roster),
    officerOf: (clusterId) => world.fleet.officerOf(clusterId),
    refusedLogins: refusedLoginsOf(invocation),
    lockoutLimit: LOCKOUT_LIMIT,
    concurrency: world.story.wishes.concurrency,
    stop: invocation.stop,
    locks: locksOf(invocation),
    shelf: shelfOf(invocation),
    store: storeOf(invocation),
    clock: { now: () => world.time.now(), wait: (ms) => invocation.wait(ms) },
    hooks: { run: () => invocation.call(() => invocation.failIf('hook-fails', 'HOOK_FAILED')) },
    operator: { confirm: async () => true },
    progress: () => undefined,
    discover: () => invocation.call(() => discover(invocation)),
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

const discover = (invocation: Invocation): Discovery => {
  invocation.failIf('discover-fails', 'DISCOVERY_FAILED')
  const { fleet } = invocation.world
  invocation.world.lastDiscovered = fleet.named.map(({ reportedId }) => reportedId)
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
    putPending: (version, provedCurrent) => call(() => store.putPending(version, provedCurrent)),
    promote: (rotationId) => call(() => store.promote(rotationId)),
    discardPending: (rotationId) => call(() => store.discardPending(rotationId)),
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
  const keyOf = (user: HsmUserRef, clusterId: ClusterId) => `${clusterId} ${user.name}`
  return {
    find: (user, clusterIds) =>
      invocation.call(() => {
        const found = clusterIds.flatMap((clusterId) => refusedLogins.get(keyOf(user, clusterId)) ?? [])
        return found.sort((a, b) => b.count - a.count)[0] ?? null
      }),
    note: (user, clusterIds) =>
      invocation.call(() => {
        for (const clusterId of clusterIds) {
          const key = keyOf(user, clusterId)
          const count = (refusedLogins.get(key)?.count ?? 0) + 1
          refusedLogins.set(key, { clusterId, at: time.now().toISOString(), count })
        }
      }),
    clear: (user, clusterIds) =>
      invocation.call(() => {
        for (const clusterId of clusterIds) refusedLogins.delete(keyOf(user, clusterId))
      }),
  }
}
