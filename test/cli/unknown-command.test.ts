import { expect, test } from '@jest/globals'
import { suggestCommands } from '../../src/cli/unknown-command.js'

const IDS = ['rotate:start', 'rotate:status', 'users:list']

test.each([
  [
    ['rotate', 'sttaus'],
    ['did you mean lockstep rotate status?', 'lockstep rotate --help'],
  ],
  [['rotate', 'frobnicate'], ['lockstep rotate --help']],
  [
    ['user', 'list'],
    ['did you mean lockstep users list?', 'lockstep --help'],
  ],
  [[], ['lockstep --help']],
])('%j is answered by what exists', (words, suggestions) => {
  expect(suggestCommands(words, IDS)).toEqual(suggestions)
})
