import { randomBytes } from 'node:crypto'
import { deriveId } from '../fleet/identifiers.js'
import type { MaskingKey } from '../hsm/masked-object.js'
import { type StoredPassword, storePassword } from '../hsm/password.js'
import type { User } from '../hsm/user.js'
import { Problem } from '../problem.js'
import type { Appliance } from '../server/appliance.js'
import type { LineFault } from '../server/line-faults.js'
import type { FaultName, FaultOptions } from './catalogue.js'
import { numberOf, operationOf, type TypedUser, typedUser, usersFrom } from './options.js'

/** Switches one kind of fault on or off at one HSM. */
export type Switch = (appliance: Appliance, options: FaultOptions, on: boolean) => void | Promise<void>

export const lineFault =
  (kind: LineFault['kind']): Switch =>
  (appliance, options, on) => {
    const operation = operationOf(options)
    const user = options.user === undefined ? null : typedUser(options.user).key
    if (!on) return appliance.faults.remove(kind, operation, user)
    appliance.faults.add({
      kind,
      operation,
      user,
      nth: numberOf(options, 'nth'),
      from: numberOf(options, 'from'),
      ms: numberOf(options, 'ms', 0) ?? 0,
      executes: options.executes ?? false,
      counted: options.counted ?? false,
    })
  }

const condition =
  (name: 'full' | 'syncRefuses'): Switch =>
  ({ hsm }, _options, on) => {
    hsm.conditions[name] = on
  }

/** What a fault took away, per HSM, to be brought back by `--off`. */
const removedUsers = new WeakMap<Appliance, Map<string, User>>()
const lastPasswords = new WeakMap<Appliance, Map<string, StoredPassword | null>>()
const familyKeys = new WeakMap<Appliance, MaskingKey>()

const shelf = <T>(shelves: WeakMap<Appliance, Map<string, T>>, appliance: Appliance): Map<string, T> => {
  const map = shelves.get(appliance) ?? new Map<string, T>()
  shelves.set(appliance, map)
  return map
}

const wanted = (options: FaultOptions): TypedUser => typedUser(options.user ?? '')

/** By kind. Those that name a user pass over HSMs that do not have it. */
const SWITCHES: Partial<Record<FaultName, Switch>> = {
  unreachable: (appliance, _options, on) => (on ? appliance.detach() : appliance.attach()),
  silent: lineFault('silent'),
  slow: lineFault('slow'),
  limited: lineFault('limited'),
  'refuse-login': lineFault('refuse-login'),
  refuse: lineFault('refuse'),
  drop: lineFault('drop'),
  'die-after': lineFault('die-after'),
  late: lineFault('late'),
  quorum: ({ hsm }, options, on) => {
    hsm.conditions.quorum = on ? (numberOf(options, 'count', 2) ?? 2) : 0
  },
  full: condition('full'),
  'sync-refuse': condition('syncRefuses'),
  'logged-in': ({ hsm }, options, on) => {
    const { type, name, key } = wanted(options)
    const sessions = hsm.conditions.sessionsElsewhere
    if (!on) sessions.delete(key)
    else if (hsm.find(type, name)) sessions.set(key, (sessions.get(key) ?? 0) + 1)
  },
  'missing-user': (appliance, options, on) => {
    const { type, name, key } = wanted(options)
    const removed = shelf(removedUsers, appliance)
    const user = on ? appliance.hsm.find(type, name) : removed.get(key)
    if (!user) return
    if (on) {
      removed.set(key, user)
      appliance.hsm.remove(user)
    } else if (!appliance.hsm.find(type, name)) appliance.hsm.put(user)
  },
  failures: ({ hsm }, options, on) => {
    const { type, name } = wanted(options)
    const user = hsm.find(type, name)
    if (user) hsm.setFailures(user, on ? (numberOf(options, 'count', 0) ?? 0) : 0)
  },
  'set-password': (appliance, options, on) => {
    const { type, name, key } = wanted(options)
    const user = appliance.hsm.find(type, name)
    if (!user) return
    const last = shelf(lastPasswords, appliance)
    if (on) {
      last.set(key, user.password)
      user.password = storePassword(options.password ?? '')
    } else user.password = last.get(key) ?? user.password
  },
  'wrong-masking-key': (appliance, _options, on) => {
    const own = familyKeys.get(appliance) ?? appliance.hsm.maskingKey
    familyKeys.set(appliance, own)
    appliance.hsm.maskingKey = on ? randomBytes(32) : own
  },
  degraded: (appliance, { state }, on) => {
    appliance.state = on ? (state ?? 'DEGRADED') : 'ACTIVE'
  },
  replaced: (appliance, options, on) => {
    appliance.hsmId = on ? deriveId('hsm', appliance.hsmId, 'replaced') : appliance.slot
    if (!on || options['aws-too']) appliance.reportedId = appliance.hsmId
    if (on && usersFrom(options) === 'original') appliance.hsm.replaceUsers(appliance.original)
    // The one that was there takes its connections along.
    appliance.cut()
  },
}

/**
 * Switches a fault of HSMs.
 * @throws {Problem} a bad option, or a user that none of the HSMs has
 */
export const switchHsmFault = async (
  kind: FaultName,
  appliances: readonly Appliance[],
  options: FaultOptions,
  on: boolean,
): Promise<void> => {
  const flip = SWITCHES[kind]
  if (!flip) throw new Problem('UNKNOWN_FAULT', `fault ${kind} does not strike HSMs`)
  if (on && options.user !== undefined) refuseUnknownUser(appliances, typedUser(options.user))
  await Promise.all(appliances.map((appliance) => flip(appliance, options, on)))
}

const refuseUnknownUser = (appliances: readonly Appliance[], { type, name }: TypedUser): void => {
  if (appliances.some(({ hsm }) => hsm.find(type, name))) return
  throw new Problem('USER_NOT_FOUND', `none of the HSMs has a user ${type}:${name}`)
}
