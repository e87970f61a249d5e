import { randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import type { HsmBehaviour } from '../../../src/simulator/hsm/behaviour.js'
import { Hsm, type Session } from '../../../src/simulator/hsm/hsm.js'
import { storePassword } from '../../../src/simulator/hsm/password.js'
import type { HsmReply } from '../../../src/simulator/hsm/status.js'
import type { User, UserType } from '../../../src/simulator/hsm/user.js'

const BEHAVIOUR: HsmBehaviour = {
  syncUserExisting: 'overwrite',
  syncUserMatches: 'id',
  syncUserOntoLoggedIn: 'deny',
  userReplicateExisting: 'overwrite',
  quorumGatesOwnPassword: false,
  loginResetsFailures: true,
  loginWithoutSecondFactor: 'refuse',
  syncResetsFailures: false,
  lockoutLimit: 5,
}
const FAMILY_KEY = randomBytes(32)

const user = (id: number, type: UserType, name: string, password: string | null): User => ({
  id,
  type,
  name,
  password: password === null ? null : storePassword(password),
  mofnPubKey: false,
  twoFactor: false,
  failures: 0,
  locked: false,
})

const hsmWith = (change: Partial<HsmBehaviour> = {}, users: readonly User[] = USERS, key = FAMILY_KEY): Hsm =>
  new Hsm(key, { ...BEHAVIOUR, ...change }, users)

const USERS = [
  user(1, 'CO', 'admin', 'TEST-officer-1'),
  user(2, 'AU', 'app_user', null),
  user(3, 'CU', 'app_crypto', 'TEST-old-1'),
  user(4, 'CU', 'app_batch', 'TEST-old-2'),
]

const officer = (hsm: Hsm): Session => {
  const session = hsm.open()
  expect(hsm.login(session, 'CO', 'admin', 'TEST-officer-1').ok).toBe(true)
  return session
}

const reason = (reply: HsmReply<object>): string => (reply.ok ? 'done' : reply.status.text)
const find = (hsm: Hsm, name: string): User => {
  const found = hsm.users.find((entry) => entry.name === name)
  if (!found) throw new Error(`no user ${name}`)
  return found
}

describe('an HSM and logins', () => {
  test('names fold case, types do not', () => {
    const hsm = hsmWith()
    expect(reason(hsm.login(hsm.open(), 'CU', 'APP_crypto', 'TEST-old-1'))).toBe('done')
    expect(reason(hsm.login(hsm.open(), 'cu', 'app_crypto', 'TEST-old-1'))).toContain("doesn't exist")
    expect(reason(hsm.login(hsm.open(), 'CO', 'app_crypto', 'TEST-old-1'))).toContain("doesn't exist")
  })

  test('the fifth failure locks, and the right password is refused from then on', () => {
    const hsm = hsmWith()
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      expect(reason(hsm.login(hsm.open(), 'CU', 'app_crypto', 'TEST-wrong-1'))).toBe(
        'HSM Error: RET_USER_LOGIN_FAILURE',
      )
      expect(find(hsm, 'app_crypto')).toMatchObject({ failures: attempt, locked: attempt === 5 })
    }
    expect(reason(hsm.login(hsm.open(), 'CU', 'app_crypto', 'TEST-old-1'))).toBe('HSM Error: RET_USER_LOGIN_FAILURE')
    expect(find(hsm, 'app_crypto')).toMatchObject({ failures: 5, locked: true })
  })

  test('a change by an officer unlocks', () => {
    const hsm = hsmWith()
    hsm.setFailures(find(hsm, 'app_crypto'), 5)
    expect(reason(hsm.changePassword(officer(hsm), 'CU', 'app_crypto', 'TEST-new-1'))).toBe('done')
    expect(find(hsm, 'app_crypto')).toMatchObject({ failures: 0, locked: false })
    expect(reason(hsm.login(hsm.open(), 'CU', 'app_crypto', 'TEST-new-1'))).toBe('done')
  })

  test.each([
    [true, 0],
    [false, 3],
  ])('a good login with loginResetsFailures %s leaves the count at %i', (loginResetsFailures, left) => {
    const hsm = hsmWith({ loginResetsFailures })
    hsm.setFailures(find(hsm, 'app_crypto'), 3)
    expect(reason(hsm.login(hsm.open(), 'CU', 'app_crypto', 'TEST-old-1'))).toBe('done')
    expect(find(hsm, 'app_crypto').failures).toBe(left)
  })

  test('comparing a password is no login', () => {
    const hsm = hsmWith()
    expect(hsm.matches('CU', 'app_crypto', 'TEST-wrong-1')).toBe(false)
    expect(hsm.matches('CU', 'app_crypto', 'TEST-old-1')).toBe(true)
    expect(hsm.matches('CU', 'nobody', 'TEST-old-1')).toBeNull()
    expect(find(hsm, 'app_crypto').failures).toBe(0)
    expect(hsm.logins.size).toBe(0)
  })

  test('sessions count while they are open', () => {
    const hsm = hsmWith()
    const [first, second] = [hsm.open(), hsm.open()]
    hsm.login(first, 'CU', 'app_crypto', 'TEST-old-1')
    hsm.login(second, 'CU', 'app_crypto', 'TEST-old-1')
    expect(hsm.sessionsOf(find(hsm, 'app_crypto'))).toBe(2)
    hsm.logout(first)
    hsm.close(second)
    expect(hsm.sessionsOf(find(hsm, 'app_crypto'))).toBe(0)
  })
})

describe('an HSM and changes of passwords', () => {
  test('without an officer only the user itself may', () => {
    const hsm = hsmWith()
    const session = hsm.open()
    expect(reason(hsm.changePassword(session, 'CU', 'app_crypto', 'TEST-new-1'))).toContain('not permitted')
    hsm.login(session, 'CU', 'app_crypto', 'TEST-old-1')
    expect(reason(hsm.changePassword(session, 'CU', 'app_batch', 'TEST-new-1'))).toContain('not permitted')
    expect(reason(hsm.changePassword(session, 'CU', 'app_crypto', 'TEST-new-1'))).toBe('done')
  })

  test('a user that is logged in elsewhere is refused, whoever holds the session', () => {
    const hsm = hsmWith()
    const session = officer(hsm)
    const refusal = 'HSM Error: Deletion or Changing password of a logged in User is denied'
    hsm.conditions.sessionsElsewhere.set('CU:app_batch', 1)
    hsm.login(hsm.open(), 'CU', 'app_crypto', 'TEST-old-1')
    expect(reason(hsm.changePassword(session, 'CU', 'app_batch', 'TEST-new-1'))).toBe(refusal)
    expect(reason(hsm.changePassword(session, 'CU', 'app_crypto', 'TEST-new-1'))).toBe(refusal)
    expect(reason(hsm.deleteUser(session, 'CU', 'app_crypto'))).toBe(refusal)
    expect(hsm.matches('CU', 'app_crypto', 'TEST-old-1')).toBe(true)
  })

  test.each(['TEST-1', 'TEST-0123456789-0123456789-012345'])('the length of "%s" is refused', (password) => {
    const hsm = hsmWith()
    expect(reason(hsm.changePassword(officer(hsm), 'CU', 'app_crypto', password))).toBe(
      'min pswd len 7 and max pswd len 32',
    )
  })

  test('drops two-factor and quorum registrations, and activates the first officer', () => {
    const hsm = hsmWith({ loginWithoutSecondFactor: 'accept' }, [
      { ...user(1, 'PRECO', 'admin', 'password'), mofnPubKey: true, twoFactor: true },
      user(2, 'AU', 'app_user', null),
    ])
    const session = hsm.open()
    hsm.login(session, 'PRECO', 'admin', 'password')
    expect(reason(hsm.changePassword(session, 'PRECO', 'admin', 'TEST-officer-9'))).toBe('done')
    expect(find(hsm, 'admin')).toMatchObject({ id: 1, type: 'CO', mofnPubKey: false, twoFactor: false })
  })

  test.each([
    ['refuse', 'HSM Error: RET_USER_LOGIN_FAILURE', 0],
    ['count', 'HSM Error: RET_USER_LOGIN_FAILURE', 1],
    ['accept', 'done', 0],
  ] as const)('a login without the second factor meets %s', (loginWithoutSecondFactor, answer, failures) => {
    const hsm = hsmWith({ loginWithoutSecondFactor }, [{ ...user(1, 'CO', 'admin', 'password'), twoFactor: true }])
    expect(reason(hsm.login(hsm.open(), 'CO', 'admin', 'password'))).toBe(answer)
    expect(find(hsm, 'admin')?.failures).toBe(failures)
  })

  test('needs approvals under a quorum, except for oneself', () => {
    const hsm = hsmWith()
    const session = officer(hsm)
    hsm.conditions.quorum = 2
    expect(reason(hsm.changePassword(session, 'CU', 'app_crypto', 'TEST-new-1'))).toBe('RET_MXN_AUTH_FAILED')
    expect(reason(hsm.createUser(session, 'CU', 'joe', 'TEST-joe-1'))).toBe('RET_MXN_AUTH_FAILED')
    expect(reason(hsm.deleteUser(session, 'CU', 'app_crypto'))).toBe('RET_MXN_AUTH_FAILED')
    expect(reason(hsm.changePassword(session, 'CO', 'admin', 'TEST-officer-9'))).toBe('done')
    expect([hsm.mValue(3), hsm.mValue(4)]).toEqual([2, 0])
  })
})

describe('an HSM and users that come and go', () => {
  test('a created user gets the next ID and a deleted one can be brought back under its own', () => {
    const hsm = hsmWith()
    const session = officer(hsm)
    expect(reason(hsm.createUser(session, 'CU', 'joe', 'TEST-joe-1'))).toBe('done')
    expect(find(hsm, 'joe').id).toBe(5)
    const deleted = hsm.deleteUser(session, 'CU', 'app_crypto')
    if (!deleted.ok) throw new Error('not deleted')
    expect(hsm.find('CU', 'app_crypto')).toBeUndefined()
    expect(reason(hsm.restore(session, deleted.undo))).toBe('done')
    expect(find(hsm, 'app_crypto').id).toBe(3)
    expect(hsm.matches('CU', 'app_crypto', 'TEST-old-1')).toBe(true)
  })

  test('a name is given once, in whatever case', () => {
    const hsm = hsmWith()
    expect(reason(hsm.createUser(officer(hsm), 'CO', 'App_Crypto', 'TEST-new-1'))).toContain('already exists')
  })

  test('the service user is nobody to be managed', () => {
    const hsm = hsmWith()
    const session = officer(hsm)
    expect(reason(hsm.changePassword(session, 'AU', 'app_user', 'TEST-new-1'))).toBe('HSM Error: Invalid User Type.')
    expect(reason(hsm.deleteUser(session, 'AU', 'app_user'))).toBe('HSM Error: Invalid User Type.')
  })

  test('a full HSM takes nobody new', () => {
    const hsm = hsmWith()
    hsm.conditions.full = true
    expect(reason(hsm.createUser(officer(hsm), 'CU', 'joe', 'TEST-joe-1'))).toContain('no room')
  })
})

/** Copies a user the way syncUser does. */
const sync = (source: Hsm, destination: Hsm, userId: number): string => {
  const extracted = source.extract(officer(source), userId)
  if (!extracted.ok) return extracted.status.text
  const session = officer(destination)
  const reply = destination.insert(session, extracted.object)
  destination.close(session)
  return reason(reply)
}

/** A source whose app_crypto has the new password. */
const changedSource = (): Hsm => {
  const hsm = hsmWith()
  expect(reason(hsm.changePassword(officer(hsm), 'CU', 'app_crypto', 'TEST-new-1'))).toBe('done')
  return hsm
}

describe('a user copied to another HSM', () => {
  test('takes its password along and leaves failures and lock where they are', () => {
    const destination = hsmWith()
    destination.setFailures(find(destination, 'app_crypto'), 5)
    expect(sync(changedSource(), destination, 3)).toBe('done')
    expect(destination.matches('CU', 'app_crypto', 'TEST-new-1')).toBe(true)
    expect(find(destination, 'app_crypto')).toMatchObject({ failures: 5, locked: true })
  })

  test('unlocks where syncResetsFailures says so', () => {
    const destination = hsmWith({ syncResetsFailures: true })
    destination.setFailures(find(destination, 'app_crypto'), 5)
    expect(sync(changedSource(), destination, 3)).toBe('done')
    expect(find(destination, 'app_crypto')).toMatchObject({ failures: 0, locked: false })
  })

  test('is refused, or ignored with a word of success, where it exists', () => {
    const refusing = hsmWith({ syncUserExisting: 'refuse' })
    expect(sync(changedSource(), refusing, 3)).toBe('HSM Error: user already created, unable to insert object')
    const ignoring = hsmWith({ syncUserExisting: 'ignore' })
    expect(sync(changedSource(), ignoring, 3)).toBe('done')
    for (const hsm of [refusing, ignoring]) expect(hsm.matches('CU', 'app_crypto', 'TEST-old-1')).toBe(true)
  })

  test('is created where it is missing, whatever the switch', () => {
    const destination = hsmWith(
      { syncUserExisting: 'refuse' },
      USERS.filter(({ name }) => name !== 'app_crypto'),
    )
    expect(sync(changedSource(), destination, 3)).toBe('done')
    expect(find(destination, 'app_crypto').id).toBe(3)
    expect(destination.matches('CU', 'app_crypto', 'TEST-new-1')).toBe(true)
  })

  test('matched by ID it overwrites whoever has that ID', () => {
    const destination = hsmWith({}, [
      user(1, 'CO', 'admin', 'TEST-officer-1'),
      user(3, 'CU', 'somebody', 'TEST-else-1'),
    ])
    expect(sync(changedSource(), destination, 3)).toBe('done')
    expect(destination.find('CU', 'somebody')).toBeUndefined()
    expect(destination.matches('CU', 'app_crypto', 'TEST-new-1')).toBe(true)
  })

  test('matched by ID a name never ends up twice', () => {
    const swapped = [
      user(1, 'CO', 'admin', 'TEST-officer-1'),
      user(3, 'CU', 'app_batch', 'TEST-old-2'),
      user(4, 'CU', 'app_crypto', 'TEST-old-1'),
    ]
    const destination = hsmWith({}, swapped)
    expect(sync(changedSource(), destination, 3)).toContain('already created')
    expect(destination.matches('CU', 'app_batch', 'TEST-old-2')).toBe(true)
  })

  test('matched by name it keeps the ID of the destination', () => {
    const destination = hsmWith({ syncUserMatches: 'name' }, [
      user(1, 'CO', 'admin', 'TEST-officer-1'),
      user(3, 'CU', 'app_batch', 'TEST-old-2'),
      user(4, 'CU', 'app_crypto', 'TEST-old-1'),
    ])
    expect(sync(changedSource(), destination, 3)).toBe('done')
    expect(find(destination, 'app_crypto').id).toBe(4)
    expect(destination.matches('CU', 'app_batch', 'TEST-old-2')).toBe(true)
    expect(destination.matches('CU', 'app_crypto', 'TEST-new-1')).toBe(true)
  })

  test('a user that is logged in there is not overwritten, unless the switch allows it', () => {
    const denying = hsmWith()
    denying.conditions.sessionsElsewhere.set('CU:app_crypto', 1)
    expect(sync(changedSource(), denying, 3)).toContain('logged in User is denied')
    const allowing = hsmWith({ syncUserOntoLoggedIn: 'allow' })
    allowing.conditions.sessionsElsewhere.set('CU:app_crypto', 1)
    expect(sync(changedSource(), allowing, 3)).toBe('done')
  })

  test('cannot be opened by another family', () => {
    const stranger = hsmWith({}, USERS, randomBytes(32))
    expect(sync(changedSource(), stranger, 3)).toBe('HSM Error: masked object cannot be opened')
    expect(stranger.matches('CU', 'app_crypto', 'TEST-old-1')).toBe(true)
  })

  test('travels without its password being readable, and not at all when damaged', () => {
    const source = changedSource()
    const extracted = source.extract(officer(source), 3)
    if (!extracted.ok) throw new Error('not extracted')
    const bytes = Buffer.from(extracted.object, 'base64')
    expect(bytes.toString('latin1')).not.toContain('app_crypto')
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    const destination = hsmWith()
    expect(reason(destination.insert(officer(destination), bytes.toString('base64')))).toContain('cannot be opened')
    expect(reason(destination.insert(officer(destination), 'nonsense'))).toContain('cannot be opened')
  })

  test('needs an officer on both sides', () => {
    const source = changedSource()
    expect(reason(source.extract(source.open(), 3))).toContain('not permitted')
    const extracted = source.extract(officer(source), 3)
    if (!extracted.ok) throw new Error('not extracted')
    const destination = hsmWith()
    expect(reason(destination.insert(destination.open(), extracted.object))).toContain('not permitted')
  })
})
