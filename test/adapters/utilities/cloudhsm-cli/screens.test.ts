import { describe, expect, test } from '@jest/globals'
import { failureText, parseAnswer } from '../../../../src/adapters/utilities/cloudhsm-cli/json-answer.js'
import { versionIn } from '../../../../src/adapters/utilities/cloudhsm-cli/program.js'
import { findCliPrompt } from '../../../../src/adapters/utilities/cloudhsm-cli/prompts.js'
import { parseHsmInfo } from '../../../../src/adapters/utilities/cloudhsm-cli/screens/hsm-info.js'
import { parseQuorumValues } from '../../../../src/adapters/utilities/cloudhsm-cli/screens/quorum-values.js'
import {
  changeResult,
  loginResult,
  replicateResult,
} from '../../../../src/adapters/utilities/cloudhsm-cli/screens/results.js'
import { parseUserList } from '../../../../src/adapters/utilities/cloudhsm-cli/screens/user-list.js'
import { NotUnderstood } from '../../../../src/adapters/utilities/process/not-understood.js'

const json = (data: unknown, code = 0): string => JSON.stringify({ error_code: code, data }, null, 2)
const failed = (data: unknown) => ({ kind: 'answered', errorCode: 1, data }) as const
const done = (data: unknown) => ({ kind: 'answered', errorCode: 0, data }) as const
const APP = { name: 'App', role: 'crypto-user' } as const
const row = (more: object = {}) => ({
  username: 'app',
  role: 'crypto-user',
  locked: 'false',
  mfa: [],
  quorum: [],
  'cluster-coverage': 'full',
  ...more,
})

describe('an answer', () => {
  test('is the JSON from the first brace that begins a line, whatever its layout', () => {
    const expected = { kind: 'answered', errorCode: 0, data: 'Logout successful' }
    expect(parseAnswer(`noise {"a"\n${json('Logout successful')}\n`)).toEqual(expected)
    expect(parseAnswer('{"data":"Logout successful","error_code":0,"new":[{}]}')).toEqual(expected)
  })

  test('braces and quotes inside of texts do not end it', () => {
    expect(parseAnswer(json('a "}" \\" { b'))).toEqual(done('a "}" \\" { b'))
  })

  test.each(
    Array.from({ length: json({ a: ['}{'] }).length - 1 }, (_, index) => index + 1),
  )('cut after %i characters is not understood', (length) => {
    expect(() => parseAnswer(json({ a: ['}{'] }).slice(0, length))).toThrow(NotUnderstood)
  })

  test.each([
    ['another document', `${json('a')}\n${json('b')}`],
    ['a failure', `${json('a')}\nError: "HSM is disconnected"`],
  ])('that %s follows is not understood', (_, text) => {
    expect(() => parseAnswer(text)).toThrow(NotUnderstood)
  })

  test.each([
    '{"data":1}',
    '{"error_code":"0","data":1}',
    '{"error_code":0,}',
    '{}',
  ])('%s is not understood', (text) => {
    expect(() => parseAnswer(text)).toThrow(NotUnderstood)
  })

  test.each([
    ['the code', '{"error_code":1,"error_code":0,"data":{}}'],
    ['the data', '{"error_code":0,"data":"a","data":"b"}'],
    ['a key, written in two ways', '{"error_code":1,"error_\\u0063ode":0,"data":1}'],
    ['a key inside', json({ users: [{ username: 'a' }] }).replace('"username": "a"', '"username":"a", "username":"b"')],
  ])('in which %s stands twice is not understood', (_, text) => {
    expect(() => parseAnswer(text)).toThrow('a key stands twice')
  })

  test('what looks like a key inside of a text is none', () => {
    expect(parseAnswer(json({ a: '"b": 1, "b": 2', c: 'd:' }))).toEqual(done({ a: '"b": 1, "b": 2', c: 'd:' }))
  })

  test('a key that JavaScript gives a meaning has none', () => {
    const answer = parseAnswer('{"error_code":0,"data":{"__proto__":{"users":[]},"constructor":{"name":"x"}}}')
    expect(() => parseUserList((answer as { data: unknown }).data)).toThrow(NotUnderstood)
    expect(() => parseAnswer('{"__proto__":{"error_code":0,"data":1}}')).toThrow(NotUnderstood)
    expect(Object.prototype).not.toHaveProperty('users')
  })

  test.each(['{', '['])('nested without end by %s is not understood', (bracket) => {
    const nested = (depth: number) => `{"error_code":1,"data":${'{"a":['.repeat(depth)}${']}'.repeat(depth)}}`
    expect(parseAnswer(nested(10)).kind).toBe('answered')
    expect(() => parseAnswer(nested(100_000))).toThrow(NotUnderstood)
    expect(() => parseAnswer(`{"data":${bracket.repeat(1_000_000)}`)).toThrow(NotUnderstood)
  })

  test('that succeeds without data has done nothing that is known', () => {
    expect(() => parseAnswer('{"error_code":0}')).toThrow('no "data"')
    for (const data of [null, [], 'done', {}, { user: null }]) {
      expect(() => changeResult(done(data), APP)).toThrow(NotUnderstood)
      expect(() => loginResult(done(data), APP, true)).toThrow(NotUnderstood)
      expect(() => replicateResult(done(data), APP, 3)).toThrow(NotUnderstood)
    }
    for (const data of [undefined, null, [], 'done', 0, true, { users: {} }, { users: [null] }]) {
      expect(() => parseUserList(data)).toThrow(NotUnderstood)
      expect(() => parseHsmInfo(data)).toThrow(NotUnderstood)
      expect(parseQuorumValues(data)).toBeNull()
    }
  })

  test.each([2, -1, 187])('with the unknown code %i has failed', (code) => {
    expect(changeResult(parseAnswer(json({ username: 'app', role: 'crypto-user' }, code)), APP).kind).toBe('unclear')
  })

  test('in which something stands that a terminal obeys is not understood: the name would be another one', () => {
    const shown = json({ username: 'app' })
    expect(() => parseAnswer(shown, shown.replace('app', 'a\u009bpp'))).toThrow(NotUnderstood)
    expect(() => parseAnswer(shown, `\u001b[?2004l${shown}`)).not.toThrow()
  })

  test('without JSON is the text of the error', () => {
    expect(parseAnswer('Error: "HSM is disconnected"\n')).toEqual({ kind: 'plain', text: 'HSM is disconnected' })
    expect(parseAnswer("error: unrecognized subcommand 'x'\n\nUsage: cloudhsm-cli\n")).toEqual({
      kind: 'plain',
      text: "unrecognized subcommand 'x'",
    })
    expect(parseAnswer('\n')).toEqual({ kind: 'plain', text: '' })
  })

  test('that failed is told on one line without control characters', () => {
    expect(failureText(failed('one\n\u001b[2Jtwo'))).toBe('one | [2Jtwo')
    expect(failureText(failed({ code: 187 }))).toBe('{"code":187}')
  })
})

describe('the listing of users', () => {
  test('shows what the program says, in the words of the domain', () => {
    const rows = [
      row({ username: 'admin', role: 'admin', quorum: [{ strategy: 'token-sign', status: 'enabled' }] }),
      row({ role: 'crypto_user', locked: 'true', mfa: [{ strategy: 'token-sign', status: 'enabled' }], later: 1 }),
      row({ username: 'first', role: 'unactivated-admin' }),
      row({ username: 'app_user', role: 'internal(APPLIANCE_USER)' }),
    ]
    const unknown = { userId: null, loginFailureCount: null, inconsistent: [] }
    const plain = { ...unknown, mofnPubKey: false, twoFactor: false, locked: false }
    expect(parseUserList({ users: rows })).toEqual([
      { ...plain, type: 'CO', name: 'admin', mofnPubKey: true },
      { ...plain, type: 'CU', name: 'app', twoFactor: true, locked: true },
      { ...plain, type: 'PRECO', name: 'first' },
      { ...plain, type: 'AU', name: 'app_user' },
    ])
  })

  test('before 5.8 there is no quorum', () => {
    const { quorum: _, ...old } = row()
    expect(parseUserList({ users: [old] })).toMatchObject([{ mofnPubKey: false }])
  })

  test.each([
    ['locked', { locked: 'inconsistent' }, { locked: true }],
    ['mfa', { mfa: [{ status: 'inconsistent' }] }, { twoFactor: true }],
    ['quorum', { quorum: [{ status: 'inconsistent' }] }, { mofnPubKey: true }],
    ['cluster-coverage', { 'cluster-coverage': 'inconsistent' }, {}],
  ])('HSMs that disagree about %s are told', (key, more, expected) => {
    expect(parseUserList({ users: [row(more)] })).toMatchObject([{ ...expected, inconsistent: [key] }])
  })

  test('a user whose role is inconsistent is found by either type', () => {
    const users = parseUserList({ users: [row({ role: 'inconsistent' })] })
    expect(users.map(({ type, inconsistent }) => [type, inconsistent])).toEqual([
      ['CO', ['role']],
      ['CU', ['role']],
    ])
  })

  test.each([
    ['an unknown role', { role: 'operator' }],
    ['an unknown state of the lock', { locked: 'maybe' }],
    ['an unknown state of the second factor', { mfa: [{ status: 'pending' }] }],
    ['no coverage', { 'cluster-coverage': undefined }],
    ['a name that moves the cursor', { username: 'a\u001b[2J' }],
    ['no name', { username: '' }],
  ])('%s is not understood', (_, more) => {
    expect(() => parseUserList({ users: [row(more)] })).toThrow(NotUnderstood)
  })
})

describe('what a login came to', () => {
  test('a success names the user', () => {
    expect(loginResult(done({ username: 'app', role: 'crypto_user' }), APP, true)).toEqual({ kind: 'done' })
  })

  test.each([
    ['another user', { username: 'other', role: 'crypto-user' }],
    ['another role', { username: 'app', role: 'admin' }],
    ['nobody', 'Login successful'],
  ])('a success for %s is not understood', (_, data) => {
    expect(() => loginResult(done(data), APP, true)).toThrow(NotUnderstood)
  })

  test('unknown words count as a refusal once a password was typed, and not before', () => {
    expect(loginResult(failed('No entry'), APP, true)).toEqual({
      kind: 'refused',
      reason: 'login-refused',
      text: 'No entry',
    })
    expect(loginResult(failed('No entry'), APP, false).kind).toBe('unclear')
  })

  test.each([
    'Communication with the device was lost',
    'The HSM could not queue the request for processing.',
    'This operation is already in progress. Internal error code: 0x000000BB',
    'Login failed on 1 of 3 connections',
    'HSM is disconnected',
    'Quorum Failed',
    'Received error response code from Server. Response Code: 187',
  ])('"%s" says nothing about the password', (text) => {
    expect(loginResult(failed(text), APP, true)).toEqual({ kind: 'unclear', text })
  })

  test('an error without JSON says nothing about the password', () => {
    expect(loginResult({ kind: 'plain', text: 'x' }, APP, true).kind).toBe('unclear')
  })
})

describe('what a change came to', () => {
  test.each([
    ['Quorum approval is required for this operation', 'quorum'],
    ['Specified user does not exist', 'no-such-user'],
    ['SPECIFIED USER DOES NOT EXIST.', 'no-such-user'],
    ['HSM Error: Deletion or Changing password of a logged in User is denied', 'user-logged-in'],
    ['Specified user is inconsistent across the cluster', 'inconsistent'],
  ])('"%s" is a refusal', (text, reason) => {
    expect(changeResult(failed(text), APP)).toEqual({ kind: 'refused', reason, text })
  })

  test.each([
    'User change password failed on 1 of 3 connections',
    'Failed on 1 of 2 connections: specified user does not exist',
  ])('"%s" was done in part', (text) => {
    expect(changeResult(failed(text), APP)).toEqual({ kind: 'unclear', text, partly: true })
  })

  test.each([
    'User change password failed on 3 of 3 connections',
    'An Admin must be logged in to perform this operation',
    'Something new',
  ])('"%s" leaves open what the HSMs did', (text) => {
    expect(changeResult(failed(text), APP)).toEqual({ kind: 'unclear', text })
  })

  test('known words without JSON leave it open too', () => {
    expect(changeResult({ kind: 'plain', text: 'Specified user does not exist' }, APP).kind).toBe('unclear')
  })
})

describe('what a replication came to', () => {
  const copied = (more: object = {}) => done({ user: row(more), message: 'Successfully replicated user' })

  test('a success shows the user', () => {
    expect(replicateResult(copied(), APP, 3)).toEqual({ kind: 'done' })
    expect(() => replicateResult(done({ message: 'Successfully replicated user' }), APP, 3)).toThrow(NotUnderstood)
    expect(() => replicateResult(copied({ username: 'other' }), APP, 3)).toThrow(NotUnderstood)
  })

  test('a user that is not on all HSMs afterwards is no success', () => {
    expect(replicateResult(copied({ 'cluster-coverage': 'inconsistent' }), APP, 3)).toMatchObject({ kind: 'unclear' })
  })

  test.each([
    [3, 3, 'refused'],
    [1, 3, 'unclear'],
    [2, 2, 'unclear'],
    [0, 0, 'unclear'],
  ])('a failure on %i of %i connections to three HSMs is %s', (count, all, kind) => {
    const text = `User replicate failed on ${count} of ${all} connections`
    expect(replicateResult(failed(text), APP, 3).kind).toBe(kind)
  })
})

describe('prompts', () => {
  test.each([
    ['aws-cloudhsm > ', 'command'],
    ['aws-cloudhsm>', 'command'],
    ['admin-user@cluster-1234abcdefg > ', 'command'],
    ['Enter password:', 'password'],
    ['enter password: ', 'password'],
    ['Confirm password:', 'confirmation'],
    ['Enter signed token file path (press enter if same as the unsigned token file):', 'tokenFile'],
    ['Enter public key PEM file path:', 'publicKey'],
  ])('%j is the prompt %s', (text, name) => {
    expect(findCliPrompt(text, true)).toEqual({ name })
  })

  test('names and texts that read like prompts are none while their answer arrives', () => {
    const users = ['aws-cloudhsm > ', 'Enter password:', 'a@b > '].map((username) => row({ username }))
    const text = `user list\n${json({ users })}`
    for (let end = 0; end <= text.length; end += 1) {
      const heard = text.slice(0, end)
      expect(findCliPrompt(heard.slice(heard.lastIndexOf('\n') + 1), heard.includes('\n'))).toBeNull()
    }
  })

  test('a prompt that is drawn again around what is typed is the old one', () => {
    expect(findCliPrompt('aws-cloudhsm > ', false)).toBeNull()
    expect(findCliPrompt('aws-cloudhsm > ', true)).not.toBeNull()
  })
})

test('serial numbers are sorted; an HSM without one is not understood', () => {
  const hsms = [{ 'serial-number': 'b', model: 'x' }, { 'serial-number': 'a' }]
  expect(parseHsmInfo({ hsms })).toEqual(['a', 'b'])
  expect(() => parseHsmInfo({ hsms: [...hsms, { model: 'x' }] })).toThrow(NotUnderstood)
})

test('the quorum is a number, or an object around it, or unknown', () => {
  expect(parseQuorumValues({ user: 2, quorum: 1 })).toBe(2)
  expect(parseQuorumValues({ user: { value: 3 } })).toBe(3)
  expect(parseQuorumValues({ user: '2' })).toBe(2)
  expect(parseQuorumValues('none')).toBeNull()
})

test('the version is found in whatever stands around it', () => {
  expect(versionIn('cloudhsm-cli 5.17.1\n')).toEqual([5, 17, 1])
  expect(versionIn('CloudHSM CLI, version 5.9.0-1.el9 (10.0.0.1)')).toEqual([5, 9, 0])
  expect(versionIn('')).toBeNull()
})
