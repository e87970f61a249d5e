import { describe, expect, test } from '@jest/globals'
import { journalShelf } from '../../src/adapters/journal-file/shelf.js'
import { OperatorError, refusal, usageError } from '../../src/domain/errors.js'
import type { JournalEvent } from '../../src/domain/rotation/journal-entry.js'
import { Secret } from '../../src/domain/secret.js'
import type { Wiring } from '../../src/wiring.js'
import { back, PROMOTED, RESUMED, STORED, TOLD } from '../helpers/journal-lines.js'
import { type FactsGiven, factsOf, hsm, ROTATION, rosterOf } from '../helpers/rotation.js'
import { run } from '../helpers/run-command.js'
import { tempFolders } from '../helpers/temp-folder.js'

const newFolder = tempFolders()
const AGAIN = ['--officer', 'admin', '--officer-password', 'env:OFFICER', '--store', 'file:credentials.age']
const STORE_LOCKED = refusal('STORE_LOCKED', 'file:credentials.age cannot be opened with this passphrase')

/** Takes up a rotation with this journal, where something stands in the way before anything is asked of an HSM. */
const takingUp = async (
  lines: readonly JournalEvent[],
  { facts = {}, wiring = {} }: { facts?: FactsGiven; wiring?: Partial<Wiring> } = {},
) => {
  const shelf = journalShelf(await newFolder(), () => new Date('2026-03-01T03:15:00Z'))
  const { journal } = await shelf.create(factsOf(rosterOf(1, 1), facts))
  for (const line of lines) await journal.append(line)
  await journal.close()
  const replaced: Partial<Wiring> = {
    journals: async () => shelf,
    rotationNow: async () => () => null,
    secrets: async () => ({ resolve: async () => new Secret('TEST-officer-1') }),
    openStore: async () => {
      throw STORE_LOCKED
    },
    clusterSource: async () => {
      throw new Error('AWS is not asked')
    },
    ...wiring,
  }
  return (command: string, ...more: readonly string[]) =>
    run(['rotate', command, '--rotation', ROTATION, ...AGAIN, ...more], replaced)
}
const failing = (error: Error): Partial<Wiring> => ({
  secrets: async () => ({
    resolve: async () => {
      throw error
    },
  }),
})

describe.each(['resume', 'rollback'])('rotate %s of a rotation that has changed something', (command) => {
  test.each([
    ['a store that cannot be opened', {}, 'STORE_LOCKED'],
    ['a secret that cannot be had', failing(refusal('SECRET_COMMAND', 'the vault is sealed')), 'SECRET_COMMAND'],
    [
      'AWS credentials that are missing',
      failing(refusal('SECRET_UNREADABLE', 'no AWS credentials were found')),
      'SECRET_UNREADABLE',
    ],
  ])('%s: exit 4, the document with the error, and words that say paused', async (_, wiring, code) => {
    const again = await takingUp([STORED], { wiring })
    const { stdout, exitCode } = await again(command, '--json')
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([
      4,
      {
        rotationId: ROTATION,
        procedure: 'rotate',
        direction: 'forward',
        outcome: 'paused',
        stage: 'rehearse',
        error: { code },
      },
    ])
    const words = await again(command)
    expect(words.exitCode).toBe(4)
    expect(words.stderr).toMatch(new RegExp(`^Paused at rehearse: .*\\nCode: ${code}$`, 'm'))
    expect(words.stdout).toContain(`${ROTATION}: paused at rehearse`)
    expect(words.stdout + words.stderr).not.toMatch(/nothing (has |was )?changed/i)
  })

  test('a value that is wrong is a wrong value still', async () => {
    const again = await takingUp([STORED], { wiring: failing(usageError('SECRET_VARIABLE', 'OFFICER is not set')) })
    const { stdout, exitCode } = await again(command, '--json')
    expect([exitCode, JSON.parse(stdout).error.code, JSON.parse(stdout).rotationId]).toEqual([
      2,
      'SECRET_VARIABLE',
      ROTATION,
    ])
  })

  test('another run that works on it is told as such', async () => {
    const locked = new OperatorError('LOCKED', 'somebody works on it', { exitCode: 5 })
    const again = await takingUp([STORED], { wiring: failing(locked) })
    expect((await again(command, '--json')).exitCode).toBe(5)
  })
})

test('before anything was changed it is refused, and nothing has changed', async () => {
  const again = await takingUp([])
  const { stdout, exitCode } = await again('resume', '--json')
  expect([exitCode, JSON.parse(stdout).error.code, JSON.parse(stdout).stage]).toEqual([
    3,
    'STORE_LOCKED',
    'store-pending',
  ])
  const words = await again('resume')
  expect([words.exitCode, words.stdout]).toEqual([3, ''])
  expect(words.stderr).toContain('Code: STORE_LOCKED')
})

test('of a rotation that goes back the words say so', async () => {
  const again = await takingUp([STORED, back('none')])
  const { stderr, exitCode } = await again('resume')
  expect(exitCode).toBe(4)
  expect(stderr).toContain('Paused going back at discard: file:credentials.age cannot be opened')
  expect(stderr).toContain(`resume goes on going back: lockstep rotate resume --rotation ${ROTATION}`)
  expect(stderr).not.toContain('rotate rollback')
})

test('of one that is complete but for a debt: exit 4, and no word of a pause', async () => {
  const facts = { debts: [{ hsmId: hsm('b'), reason: 'its rack has no power' }] }
  const login = {
    type: 'login',
    user: factsOf(rosterOf(1, 1)).plan.users[0]?.key as never,
    hsmIds: [hsm('a')],
  } as const
  const holds: JournalEvent = { ...login, credential: 'new', answer: { kind: 'done' } }
  const again = await takingUp([STORED, PROMOTED, TOLD, holds], { facts })
  const { stdout, exitCode } = await again('resume', '--json')
  expect([exitCode, JSON.parse(stdout)]).toMatchObject([
    4,
    { outcome: 'completed-with-debt', error: { code: 'STORE_LOCKED' } },
  ])
  const { stderr } = await again('resume')
  expect(stderr).toContain('A debt remains: file:credentials.age cannot be opened')
  expect(stderr).not.toContain('Paused')
})

describe('flags that say nothing', () => {
  const repair: FactsGiven = { procedure: 'repair', newCredential: 'unknown', from: hsm('a'), store: null }
  test.each([
    ['a reason for nothing', {}, [], ['--reason', 'no-power'], 'REASON_FOR_NOTHING', 'nothing is named that may'],
    ['new serials of a stranger', {}, [], ['--accept-new-serials', 'cluster-ccccccccccc'], 'SERIALS_FOR_NOBODY', 'ccc'],
    ['new serials of no cluster', {}, [], ['--accept-new-serials', 'hsm-a'], 'BAD_CLUSTER_REFERENCE', 'hsm-a'],
    ['a stage that a repair does not have', repair, [], ['--pause-before', 'canary'], 'UNKNOWN_STAGE', 'canary'],
    ['one that a rollback does not have', {}, [back()], ['--pause-before', 'canary'], 'UNKNOWN_STAGE', 'canary'],
    ['one that only a rollback has', {}, [], ['--pause-before', 'restore'], 'UNKNOWN_STAGE', 'restore'],
  ] as const)('%s: exit 2', async (_words, facts, lines, flags, code, naming) => {
    const again = await takingUp([STORED, ...lines], { facts })
    const { stdout, exitCode } = await again('resume', ...flags, '--json')
    const { error } = JSON.parse(stdout)
    expect([exitCode, error.code, error.message]).toEqual([2, code, expect.stringContaining(naming)])
    expect(error.suggestions).not.toEqual([])
  })
})

test('a repair that copies what an HSM holds is taken up without a store', async () => {
  const facts: FactsGiven = { procedure: 'repair', newCredential: 'unknown', from: hsm('a'), store: null }
  // The first that stands in its way now comes after the store.
  const wiring: Partial<Wiring> = {
    rotationPorts: async () => {
      throw refusal('STATE', 'behind the store')
    },
  }
  const again = await takingUp([RESUMED], { facts, wiring })
  expect((await again('resume')).stderr).toContain('Code: STATE')
})
