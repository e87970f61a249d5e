import { expect, test } from '@jest/globals'
import { ConsoleFailure } from '../../../src/domain/hsm-console.js'
import { refusedBy } from '../../../src/use-cases/rotation/survey/read-users.js'
import { hsm } from '../../helpers/rotation.js'

test('another HSM than AWS reported: what to look at, beside the conversation', () => {
  const failure = new ConsoleFailure('wrong-hsm', `${hsm('b')} answers in its place`, [hsm('a')], 'info server 0')
  const { code, suggestions } = refusedBy([failure])
  expect([code, suggestions[0]]).toEqual(['WRONG_HSM', expect.stringContaining('lockstep clusters list')])
  expect(suggestions.at(-1)).toContain('| info server 0')
})
