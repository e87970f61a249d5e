import type { HsmId } from '../../src/domain/ids.js'
import { keyOf } from '../../src/simulator/hsm/user.js'
import { BY_HAND, Fleet } from './fleet.js'
import type { Condition } from './story-arbitrary.js'
import type { World } from './world.js'

/**
 * Makes a condition come true on one HSM.
 * @param index of the HSM, or of the cluster where one is added
 * @returns what ends it; null where it stays
 */
export const makeTrue = (world: World, what: Condition, index: number, userIndex: number): (() => void) | null => {
  const { fleet, witness } = world
  const appliance = fleet.nth(index)
  const { hsm } = appliance
  const user = fleet.user(userIndex)
  const cell = `${appliance.hsmId} ${user.key}`
  switch (what) {
    case 'unreachable':
      appliance.unreachable = true
      return () => {
        appliance.unreachable = false
      }
    case 'limited':
      appliance.limited = true
      return () => {
        appliance.limited = false
      }
    case 'degraded':
      appliance.state = 'DEGRADED'
      return () => {
        appliance.state = 'ACTIVE'
      }
    case 'logged-in': {
      const sessions = hsm.conditions.sessionsElsewhere
      const key = keyOf(user.type, user.name)
      sessions.set(key, 1)
      world.time.after(20_000 * world.noise() * 4, () => sessions.delete(key))
      return () => sessions.delete(key)
    }
    case 'quorum':
      hsm.conditions.quorum = 2
      return () => {
        hsm.conditions.quorum = 0
      }
    case 'limited-write':
      hsm.conditions.limitedWrite = true
      return () => {
        hsm.conditions.limitedWrite = false
      }
    case 'sync-refuses':
      hsm.conditions.syncRefuses = true
      return () => {
        hsm.conditions.syncRefuses = false
      }
    case 'strange-masking-key':
      Fleet.maskWith(appliance, false)
      return () => Fleet.maskWith(appliance, true)
    case 'foreign-failure': {
      const found = hsm.find(user.type, user.name)
      // Another client may lock a user by itself; that is nobody's doing here.
      if (found === undefined || found.failures + 1 >= fleet.lockoutLimit - 1) return null
      hsm.setFailures(found, found.failures + 1)
      witness.logins.addForeign(cell)
      return null
    }
    case 'hsm-added':
    case 'old-hsm-added': {
      const joined = fleet.add(index, what === 'old-hsm-added')
      if (joined !== null) witness.joined(joined.added, joined.like)
      return null
    }
    case 'replaced':
    case 'old-replaced':
      witness.joined(fleet.replace(appliance, what === 'old-replaced'), appliance)
      return null
    case 'impostor':
      appliance.saysId = `${appliance.hsmId}x` as HsmId
      return () => {
        appliance.saysId = appliance.hsmId
        world.disturbances += 1
      }
    case 'set-password':
    case 'set-old-password': {
      const password = what === 'set-password' ? BY_HAND : user.old.reveal()
      if (fleet.setPassword(appliance, user, password)) witness.sawByHand(appliance, user)
      return null
    }
    case 'user-deleted':
    case 'user-deleted-everywhere':
    case 'user-made-anew':
    case 'user-made-anew-everywhere': {
      const isAnew = what.startsWith('user-made-anew')
      for (const one of what.endsWith('-everywhere') ? fleet.named : [appliance]) {
        const isDeleted = fleet.deleteUser(one, user)
        const isMade = isAnew && fleet.makeUser(one, user, BY_HAND)
        if (isDeleted || isMade) witness.sawByHand(one, user)
      }
      return null
    }
    case 'user-locked': {
      const found = hsm.find(user.type, user.name)
      if (found === undefined || found.locked) return null
      witness.logins.addForeign(cell, fleet.lockoutLimit - found.failures)
      hsm.setFailures(found, fleet.lockoutLimit)
      return null
    }
    case 'users-unlocked':
      world.unlock(user)
      return null
  }
}
