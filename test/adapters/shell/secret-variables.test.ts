import { expect, test } from '@jest/globals'
import { secretVariables } from '../../../src/adapters/shell/secret-variables.js'

const OURS = 'LOCKSTEP_STORE_PASSPHRASE'

test.each([
  [['--officer-password', 'env:A'], ['A']],
  [
    ['--officer-password=env:A', '--new-password=CU:app=env:B'],
    ['A', 'B'],
  ],
  [['--officer-password', 'cluster-aaaaaaaaaaa=env:A'], ['A']],
  [['--officer-password=eu-west-1/cluster-aaaaaaaaaaa=env:A'], ['A']],
  [['--officer-password=my profile:eu-west-1/cluster-aaaaaaaaaaa=env:A'], ['A']],
  [['--after-finalize', 'env PATH=env:A make', 'file:x=env:B', 'command:PATH=env:C'], []],
])('of %j', (argv, named) => {
  expect(secretVariables(argv)).toEqual([OURS, ...named])
})
