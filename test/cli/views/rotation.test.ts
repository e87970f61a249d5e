import { describe, expect, test } from '@jest/globals'
import { renderPause, renderRotation } from '../../../src/cli/views/rotation.js'
import type { ClusterId, RegionName } from '../../../src/domain/ids.js'
import { rotationDocument } from '../../../src/domain/rotation/outcome.js'
import { rotationOf } from '../../../src/domain/rotation/rotation.js'
import { pointOfNoReturn } from '../../../src/domain/rotation/way-back.js'
import { rollbackOutlook } from '../../../src/use-cases/rotation/open/rollback-outlook.js'
import {
  AWS_AGREES,
  back,
  change,
  copies,
  copy,
  DONE,
  type Line,
  ledgerAfter,
  loggedIn,
  login,
  PROMOTED,
  REFUSED,
  STORED,
  STORED_WITH_CURRENT,
  TOLD,
} from '../../helpers/journal-lines.js'
import { type FactsGiven, hsm, planOver, ROTATION, rosterOf } from '../../helpers/rotation.js'

const [a, b, c] = [hsm('a'), hsm('b'), hsm('c')]
const RESUME = `lockstep rotate resume --rotation ${ROTATION}`
const ROLLBACK = `lockstep rotate rollback --rotation ${ROTATION}`

/** What people are shown of a rotation over a, and b and c: the matrix and its end, and how it goes on. */
const shown = (lines: readonly Line[], facts: FactsGiven = {}) => {
  const ledger = ledgerAfter(lines, facts, rosterOf(1, 2))
  const document = rotationDocument(rotationOf(ledger))
  return { matrix: renderRotation(document), pause: renderPause(document, rollbackOutlook(ledger)) }
}
const alone = { ...planOver(rosterOf(1, 0)), destinations: [] }
const giveNew = (hsmId: typeof a): Line[] => [
  [change(hsmId), DONE],
  [login(hsmId), DONE],
]
const CHANGED: readonly Line[] = [STORED, copies('accepted'), ...giveNew(a)]

describe('a rotation that is paused', () => {
  test('says how it goes on, and back', () => {
    const { matrix, pause } = shown(CHANGED)
    expect(matrix).toContain(`${ROTATION}: paused at canary; cluster-aaaaaaaaaaa new 1/1, cluster-bbbbbbbbbbb new 0/2`)
    expect(pause?.split('\n')).toEqual([
      'Paused at canary: the run that worked on it is not finished',
      `new 1/3; eu-west-1 ${b}, eu-west-1 ${c} old`,
      `resume with ${RESUME}`,
      `or go back with ${ROLLBACK}`,
    ])
  })

  test('that is rolled back with debt, says what is owed and how it is paid', () => {
    const owed: Line = { type: 'debt', debt: { hsmId: a, reason: 'Region lost' } }
    const { matrix, pause } = shown([
      ...CHANGED,
      back(),
      owed,
      AWS_AGREES,
      { type: 'store', act: 'discard', phase: 'read-back' },
    ])
    expect(matrix).toContain(`${ROTATION}: rolled-back; cluster-aaaaaaaaaaa old 0/1, cluster-bbbbbbbbbbb old 2/2`)
    expect(matrix).toContain(`debt: ${a} may hold the new password still: Region lost`)
    expect(matrix).not.toContain('not shown to hold')
    expect(pause).toBe(`What stays behind is given what it held before once it is back, by ${RESUME}`)
  })

  test('once it goes back, says that resume does, and no word of a rollback', () => {
    const { matrix, pause } = shown([...CHANGED, back()])
    expect(matrix).toContain(`paused going back at restore; cluster-aaaaaaaaaaa old 0/1, cluster-bbbbbbbbbbb old 2/2`)
    expect(pause).toContain('Paused going back at restore')
    expect(pause).toContain(`resume goes on going back: ${RESUME}`)
    expect(pause).not.toContain('rotate rollback')
  })

  test('where a rollback would be refused, says why in one line, and does not name it', () => {
    const { pause } = shown([STORED, copies('refused'), ...giveNew(a), ...giveNew(b), ...giveNew(c)])
    expect(pause?.split('\n').at(-1)).toMatch(/^no way back: .*does not return the old credential/)
    expect(pause).not.toContain(ROLLBACK)
  })

  test('over a single HSM says that there is nothing to copy from, and no word of copies that do not overwrite', () => {
    const ledger = ledgerAfter([STORED, ...giveNew(a)], { plan: alone }, rosterOf(1, 0))
    expect(rollbackOutlook(ledger)).toMatchObject({
      why: `nothing can be copied back in ${ROTATION}: there is only one HSM, and the current credential is not known`,
    })
    expect(pointOfNoReturn(alone, false)).toBe(
      'there is only one HSM, so nothing can give the old password back once it is changed',
    )
  })

  test('where the current credential would be a way back, says so', () => {
    const { pause } = shown([STORED, copies('refused'), ...giveNew(a)])
    expect(pause?.split('\n').at(-1)).toMatch(/^no way back but with --current-password SECRET: /)
  })

  test('does not name twice what it ends with', () => {
    const suggestions = ['stop the applications', RESUME, ROLLBACK]
    const { pause } = shown([
      ...CHANGED,
      { type: 'paused', stage: 'canary', code: 'USER_LOGGED_IN', message: 'in use', suggestions },
    ])
    expect(pause).toContain('Paused at canary: in use\nCode: USER_LOGGED_IN\nTry this:\n  * stop the applications\n')
    expect(pause?.match(/rotate resume/g)).toHaveLength(1)
    expect(pause?.match(/rotate rollback/g)).toHaveLength(1)
  })

  test('names both commands with the flags they need to be taken', () => {
    const consent = `--allow-unreachable ${b} --reason TEXT`
    const suggestions = [`${RESUME} ${consent}`, `${ROLLBACK} ${consent}`]
    const { pause } = shown([
      ...CHANGED,
      { type: 'paused', stage: 'canary', code: 'ROSTER_CHANGED', message: `${b} is gone`, suggestions },
    ])
    expect(pause?.split('\n').slice(-2)).toEqual([
      `resume with ${RESUME} ${consent}`,
      `or go back with ${ROLLBACK} ${consent}`,
    ])
    expect(pause).not.toContain('Try this')
  })
})

describe('a rotation that is through', () => {
  const THROUGH: readonly Line[] = [STORED, copies('accepted'), ...giveNew(a), ...giveNew(b), ...giveNew(c)]

  test('but for what is owed names the HSMs and clusters, why, and what pays it', () => {
    const lost = { clusterId: 'cluster-ccccccccccc' as ClusterId, region: 'ap-south-1' as RegionName, profile: null }
    const { matrix, pause } = shown([...THROUGH, PROMOTED, TOLD], {
      lostClusters: [
        { ...lost, reason: 'the Region is gone' },
        { ...lost, clusterId: 'cluster-ddddddddddd' as ClusterId, region: null, reason: 'and so is this' },
      ],
    })
    expect(matrix).toContain('completed-with-debt; ')
    expect(matrix).toContain('debt: ap-south-1/cluster-ccccccccccc is left out until it is back: the Region is gone')
    expect(matrix).toContain('debt: cluster-ddddddddddd is left out until it is back: and so is this')
    expect(matrix).not.toContain('by choice')
    expect(pause).toContain(RESUME)
  })

  test('says nothing more', () => expect(shown([...THROUGH, PROMOTED, TOLD]).pause).toBeNull())

  test('going back, what was given without proof is told in words', () => {
    const backAgain: readonly Line[] = [back(), [copy(c, a, 'current'), DONE]]
    const discarded: Line = { type: 'store', act: 'discard', phase: 'read-back' }
    const { matrix } = shown([...CHANGED, ...backAgain, discarded])
    expect(matrix).toContain(`rolled-back; cluster-aaaaaaaaaaa old 1/1`)
    expect(matrix).toContain(
      `given the old password of another HSM without proof that they held it before: CU:app on ${a}`,
    )
    const proved = shown([
      STORED_WITH_CURRENT,
      ...CHANGED,
      back('change'),
      [change(a, 'current'), DONE],
      [login(a, 'current'), DONE],
      discarded,
    ])
    expect(proved.matrix).not.toContain('without proof')
  })

  test('does not say that it was propagated, which the new password was before', () => {
    const settled = { type: 'propagation', method: 'sync', evidence: 'seen' } as const
    expect(shown([STORED_WITH_CURRENT, ...CHANGED, settled]).matrix).toMatch(/^propagated by syncUser$/m)
    const gone = shown([STORED_WITH_CURRENT, ...CHANGED, settled, back('change')]).matrix
    expect(gone).toMatch(/^the new password had been propagated by syncUser$/m)
  })
})

describe('a repair', () => {
  const KEPT: FactsGiven = {
    procedure: 'repair',
    newCredential: 'kept',
    observed: [loggedIn(a, 'new'), loggedIn(b, 'new', REFUSED as never)],
  }
  const COPIED: FactsGiven = { procedure: 'repair', newCredential: 'unknown', from: a, store: null }

  test('has nothing new: its HSMs hold it, or do not', () => {
    const { matrix, pause } = shown([], KEPT)
    expect(matrix).toContain(
      'repair paused at prove; cluster-aaaaaaaaaaa holds it 1/1, cluster-bbbbbbbbbbb holds it 0/2',
    )
    expect(matrix).toContain('gives CURRENT of file:test')
    expect(matrix).toMatch(new RegExp(`${a} +holds it \\(login\\)`))
    expect(`${matrix}${pause}`).not.toMatch(/\bnew\b/)
  })

  test('of a password that nobody knows is copied and not proved', () => {
    const { matrix } = shown(
      [
        [copy(a, b), DONE],
        [copy(a, c), DONE],
      ],
      COPIED,
    )
    expect(matrix).toMatch(new RegExp(`${a} +copied from`))
    expect(matrix).toMatch(new RegExp(`${b} +copied, not proved`))
    expect(matrix).toContain('cluster-bbbbbbbbbbb copied 2/2')
    expect(matrix).toContain(`gives what ${a} holds, by syncUser; not proved: no password was given`)
  })
})

test('rows of many users count what they hold, without the proofs', () => {
  const users = Array.from({ length: 6 }, (_, nth) => ({ key: `CU:u${nth}` }))
  const document = rotationDocument(rotationOf(ledgerAfter(CHANGED, {}, rosterOf(1, 2))))
  const cells = users.flatMap(({ key }) => document.cells.map((cell) => ({ ...cell, user: key as typeof cell.user })))
  const many = renderRotation({ ...document, users: users.map(({ key }) => key) as never, cells })
  expect(many).toMatch(new RegExp(`${a} +new 6`))
  expect(many).toMatch(new RegExp(`${b} +old 6`))
})

describe('a Region that was not seen', () => {
  const unseenRegions = [{ region: 'sa-east-1', profile: 'prod', error: 'no answer' }]
  const facts: FactsGiven = { plan: { ...planOver(rosterOf(1, 2)), unseenRegions } }

  test('is named, with what it means', () => {
    expect(shown(CHANGED, facts).matrix).toContain(
      `not seen when it began: sa-east-1 (profile prod: no answer); members of the family there may still hold the old credential: once AWS answers, ${RESUME}   finds them`,
    )
    expect(shown(CHANGED, { ...facts, procedure: 'repair' }).matrix).toContain(
      'members of the family there may not hold it',
    )
  })

  test('is no matter to what goes back', () => {
    expect(shown([...CHANGED, back()], facts).matrix).not.toContain('sa-east-1')
  })
})
