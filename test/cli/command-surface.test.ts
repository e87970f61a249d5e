import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'

/** Flags that several commands share. */
const DISCOVERY = ['region', 'all-regions', 'profile', 'targets', 'role-arn', 'endpoint-url']
const UTILITY = ['cmu', 'cloudhsm-cli', 'concurrency', 'silence-timeout']
const STORE = ['store', 'store-passphrase', 'store-recipient', 'store-identity']
const TARGET = [
  ...['utility', 'source', 'destination', 'user', 'leave-out', 'reason', 'accept-unproven-clone', 'lockout-limit'],
]
const REOPEN = ['rotation', 'most-recent', 'lockout-limit', 'create-missing']
const RUN = [
  ...['lock', 'officer', 'officer-password', 'retry-officer', 'current-password', 'new-password', 'propagate'],
  ...['accept-no-way-back', 'overwrite-other', 'pause-before', 'wait-for-drain', 'max-errors'],
  ...['allow-unreachable', 'reason', 'before-change', 'after-finalize', 'accept-new-serials'],
]
const REPAIR = [
  ...['from', 'password', 'to-current', 'dry-run', 'config', 'lock', 'yes', 'officer', 'officer-password'],
  ...['retry-officer', 'pause-before', 'wait-for-drain', 'allow-unreachable', 'reason', 'before-change'],
  ...['after-finalize', 'accept-new-serials', 'allow-kmsuser', 'accept-unproven-clone', 'lockout-limit'],
  ...['utility', 'source', 'destination', 'user'],
]

/** What scripts are written against. A name may be added here, and none taken away or changed. */
const SURFACE: Readonly<Record<string, readonly string[]>> = {
  'clusters list': DISCOVERY,
  'clusters verify': ['CLUSTER', ...DISCOVERY],
  'config check': ['FILE', ...DISCOVERY],
  'config generate': [
    ...['source', 'destination', 'out', 'base', 'utility', 'hsm-ca-cert', 'dry-run', 'skip-inactive', 'leave-out'],
    ...['accept-unproven-clone', ...DISCOVERY],
  ],
  'rotate list': [],
  'rotate plan': ['out', 'config', 'create-missing', 'allow-kmsuser', ...TARGET, ...UTILITY, ...DISCOVERY],
  'rotate recover': ['config', 'lock', ...TARGET, ...STORE, ...UTILITY, ...DISCOVERY],
  'rotate resume': [...REOPEN, ...RUN, ...STORE, ...UTILITY, ...DISCOVERY],
  'rotate rollback': [...REOPEN, ...RUN, ...STORE, ...UTILITY, ...DISCOVERY],
  'rotate start': [
    ...['plan', 'config', 'create-missing', 'allow-kmsuser', 'dry-run', 'yes'],
    ...[...TARGET, ...RUN.filter((flag) => flag !== 'reason'), ...STORE, ...UTILITY, ...DISCOVERY],
  ],
  'rotate status': ['rotation'],
  'rotate unlock': ['rotation', 'lock', 'yes'],
  'store get': ['user', 'stage', 'to', 'force', ...STORE],
  'users drift': ['config', 'lockout-limit', ...UTILITY],
  'users list': ['config', ...UTILITY],
  'users repair': [...REPAIR, ...STORE, ...UTILITY, ...DISCOVERY],
  'users prove': ['config', 'user', 'password', 'lockout-limit', ...UTILITY],
}

interface Manifest {
  readonly commands: Readonly<Record<string, { readonly args: object; readonly flags: object }>>
}

test('commands, arguments and flags are the ones that scripts rely on', () => {
  const path = fileURLToPath(new URL('../../../oclif.manifest.json', import.meta.url))
  const { commands } = JSON.parse(readFileSync(path, 'utf8')) as Manifest
  const surface = Object.entries(commands).map(([id, { args, flags }]) => [
    id.replace(':', ' '),
    [...Object.keys(args).map((name) => name.toUpperCase()), ...Object.keys(flags)].sort(),
  ])
  const expected = Object.entries(SURFACE).map(([command, names]) => [command, ['json', ...names].sort()])
  expect(Object.fromEntries(surface)).toEqual(Object.fromEntries(expected))
})
