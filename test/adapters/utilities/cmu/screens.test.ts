import { describe, expect, test } from '@jest/globals'
import { findPrompt } from '../../../../src/adapters/utilities/cmu/prompts.js'
import { parseBanner } from '../../../../src/adapters/utilities/cmu/screens/banner.js'
import {
  failedServers,
  hasFailure,
  parseSyncUser,
  refusalIn,
  successfulServers,
} from '../../../../src/adapters/utilities/cmu/screens/command-result.js'
import { parseInfoServer } from '../../../../src/adapters/utilities/cmu/screens/info-server.js'
import { parseListUsers } from '../../../../src/adapters/utilities/cmu/screens/list-users.js'
import { parseMValue } from '../../../../src/adapters/utilities/cmu/screens/m-value.js'
import { NotUnderstood } from '../../../../src/adapters/utilities/process/not-understood.js'

describe('the listing of users', () => {
  const listing = [
    'Users on server 0(10.0.2.9):',
    'Number of users found:2',
    '',
    '    User Id             User Type       User Name                          MofnPubKey    LoginFailureCnt         2FA',
    '         1\t\tCO              admin                                    NO               0               NO',
    '         4              CU              app_crypto                              YES               3              YES',
  ].join('\n')

  test('columns are separated by blanks or TABs', () => {
    expect(parseListUsers(listing)).toEqual([
      {
        serverId: 0,
        label: '10.0.2.9',
        users: [
          {
            userId: 1,
            type: 'CO',
            name: 'admin',
            mofnPubKey: false,
            loginFailureCount: 0,
            twoFactor: false,
            locked: null,
            inconsistent: [],
          },
          {
            userId: 4,
            type: 'CU',
            name: 'app_crypto',
            mofnPubKey: true,
            loginFailureCount: 3,
            twoFactor: true,
            locked: null,
            inconsistent: [],
          },
        ],
      },
    ])
  })

  test('each server of a global listing keeps its own rows', () => {
    const both = `${listing}\n\n${listing.replace('server 0(10.0.2.9)', 'server 1(10.0.3.11)')}`
    expect(parseListUsers(both).map(({ serverId, label, users }) => [serverId, label, users.length])).toEqual([
      [0, '10.0.2.9', 2],
      [1, '10.0.3.11', 2],
    ])
  })

  test('fewer rows than announced are not understood', () => {
    expect(() => parseListUsers(listing.split('\n').slice(0, -1).join('\n'))).toThrow(
      new NotUnderstood('server 0 announced 2 users and listed 1'),
    )
  })

  test('a row with another number of columns is not understood', () => {
    expect(() => parseListUsers(listing.replace('admin ', 'admin extra '))).toThrow(NotUnderstood)
  })
})

describe('what is printed while connecting', () => {
  test('connected and failed servers are named by address', () => {
    const banner = parseBanner(
      "Connecting to server 'a': hostname '10.0.2.9', port 2225...\n" +
        "Connected to server 'a': hostname '10.0.2.9', port 2225.\n" +
        'Connection to server 10.0.3.11(10.0.3.11) on port 2225 failed:Connection timed out\n' +
        'Connection to one of servers failed, exiting...',
    )
    expect(banner).toEqual({
      connected: [{ label: 'a', hostname: '10.0.2.9' }],
      failed: ['10.0.3.11'],
      limited: false,
    })
  })

  test('limited commands mode is seen although a prompt follows', () => {
    expect(parseBanner('running in limited commands mode').limited).toBe(true)
  })
})

test('the HSM ID is read from "info server", whatever the first column says', () => {
  const text =
    'Id\tName            Hostname        Port   State       Partition        LoginState\n' +
    "0\t10.0.0.1        10.0.0.1        2225   Connected   hsm-udw2tkfg3ab  Logged in as 'testuser(CU)'"
  expect(parseInfoServer(text)).toEqual({ hostname: '10.0.0.1', state: 'Connected', hsmId: 'hsm-udw2tkfg3ab' })
})

test('an "info server" without an HSM ID is not understood', () => {
  expect(() => parseInfoServer('Id Name Hostname Port State Partition LoginState')).toThrow(NotUnderstood)
})

describe('results of commands', () => {
  test('both forms of a success line are read', () => {
    const text = 'loginHSM success on server 0(10.0.2.9)\nloginHSM on server 1(10.0.3.11) success'
    expect(successfulServers(text, 'loginHSM')).toEqual([
      { serverId: 0, label: '10.0.2.9' },
      { serverId: 1, label: '10.0.3.11' },
    ])
  })

  test('a user name in a sentence is no success line', () => {
    expect(successfulServers('Changing password for loginHSM success(CU) on 1 nodes', 'loginHSM')).toEqual([])
  })

  test.each([
    ['HSM Error: Deletion or Changing password of a logged in User is denied', 'user-logged-in'],
    ['loginHSM failed: HSM Error: RET_USER_LOGIN_FAILURE', 'login-refused'],
    ["HSM Error: user isn't initialized or user with this name doesn't exist", 'no-such-user'],
    ['createUser failed: RET_MXN_AUTH_FAILED', 'quorum'],
    ['user already created, unable to insert object', 'user-exists'],
  ])('%s means %s', (text, reason) => {
    expect(refusalIn(text)).toEqual({ reason, text })
  })

  test('a failure in unknown words is no refusal: what the HSM did stays open', () => {
    expect(refusalIn('changePswd failed: something new')).toBeNull()
    expect(hasFailure('changePswd failed: something new')).toBe(true)
  })

  test('words of success are no refusal', () => {
    expect(refusalIn('Changing password for bob(CU) on 2 nodes\nchangePswd success on server 0(a)')).toBeNull()
  })

  test('the server of a failure is found under the word "node" too', () => {
    expect(failedServers('Changing password on node 3(10.11.12.13) failed')).toEqual([3])
  })
})

describe('the approvals a change needs', () => {
  test('are read per server, for user management alone', () => {
    const text = [
      'MValue of service 3[USER_MGMT] on server 0 : [2]',
      'MValue of service 4[MISC_CO] on server 1 : [3]',
      'MValue of service 3[USER_MGMT] on server 2 : [0]',
    ].join('\n')
    expect([...parseMValue(text)]).toEqual([
      [0, 2],
      [2, 0],
    ])
  })

  test('are not guessed from other words', () => {
    expect([...parseMValue('getMValue failed: HSM Error: operation failed')]).toEqual([])
  })
})

describe('syncUser', () => {
  const codes = (extract: string, insert: string) =>
    `ExtractMaskedObject: ${extract} !\nInsertMaskedObject: ${insert} !\n`

  test('two zero codes and the success line are a success', () => {
    expect(parseSyncUser(`${codes('0x0', '0x0')}syncUser success`)).toEqual({ kind: 'done' })
  })

  test('success codes without the success line are unclear', () => {
    expect(parseSyncUser(codes('0x0', '0x0')).kind).toBe('unclear')
  })

  test('a success line without codes is unclear', () => {
    expect(parseSyncUser('syncUser success').kind).toBe('unclear')
  })

  test('a user that is there already is a refusal', () => {
    const text = `${codes('0x0', '0xb9')}user already created, unable to insert object\nsyncUser failed`
    expect(parseSyncUser(text)).toMatchObject({ kind: 'refused', reason: 'user-exists' })
  })

  test('any other failure leaves open what the destination did', () => {
    expect(parseSyncUser(`${codes('0x0', '0xa8')}syncUser failed`).kind).toBe('unclear')
    expect(parseSyncUser(`${codes('0x0', '0x0')}Connection lost\nsyncUser failed`).kind).toBe('unclear')
  })
})

describe('prompts', () => {
  test.each([
    ['aws-cloudhsm>', 'global', null],
    ['listing\naws-cloudhsm > ', 'global', null],
    ['server0>', 'server', 0],
    ['text\nserver 12> ', 'server', 12],
    ['Enter password:', 'password', null],
    ['\nEnter new password: ', 'newPassword', null],
    ['Re-enter new password: ', 'repeatPassword', null],
    ['Do you want to continue(y/n)?', 'continue', null],
    ['\n\nRetry/Ignore/Abort?(R/I/A):', 'retryIgnoreAbort', null],
    ['Retry/rollBack/Ignore?(R/B/I):', 'retryRollbackIgnore', null],
  ])('%j is the prompt %s', (text, name, serverId) => {
    expect(findPrompt(text)).toMatchObject({ name, serverId })
  })

  test('prompt words inside a line or before more output are no prompt', () => {
    expect(findPrompt('a user called aws-cloudhsm>')).toBeNull()
    expect(findPrompt('aws-cloudhsm>\nConnecting')).toBeNull()
  })
})
