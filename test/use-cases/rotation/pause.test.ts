import { describe, expect, test } from '@jest/globals'
import { ConsoleFailure } from '../../../src/domain/hsm-console.js'
import type { HsmId } from '../../../src/domain/ids.js'
import { Pause, throwTogether, withOthersAway } from '../../../src/use-cases/rotation/run/pause.js'
import { refusedBy } from '../../../src/use-cases/rotation/survey/read-users.js'
import { hsm, rosterOf } from '../../helpers/rotation.js'

test('another HSM than AWS reported: what to look at, beside the conversation', () => {
  const failure = new ConsoleFailure('wrong-hsm', `${hsm('b')} answers in its place`, [hsm('a')], 'info server 0')
  const { code, suggestions } = refusedBy([failure])
  expect([code, suggestions[0]]).toEqual(['WRONG_HSM', expect.stringContaining('lockstep clusters list')])
  expect(suggestions.at(-1)).toContain('| info server 0')
})

test('a talk that fell silent: its last lines, not all of it', () => {
  const talk = [
    'aws-cloudhsm>changePswd CU app',
    'CAUTION',
    'Do you want to continue(y/n)?y',
    '',
    'Changing password',
  ].join('\n')
  const asked = 'the utility was silent for 30 s after "changePswd CU app"'
  const { message, suggestions } = refusedBy([new ConsoleFailure('silent', asked, [hsm('a')], talk)])
  expect(message).toBe(`${asked} (${hsm('a')})`)
  expect(suggestions).toEqual([
    'the last lines of the conversation:\n      | Do you want to continue(y/n)?y\n      | Changing password',
  ])
  const odd = refusedBy([new ConsoleFailure('not-understood', 'an answer that nobody knows', [hsm('a')], talk)])
  expect(odd.suggestions[0]).toContain('| CAUTION')
})

test('a cluster of which an HSM is missing: what was said, and nothing of those that are well', () => {
  const said = ['Error: "HSM is disconnected"', 'aws-cloudhsm > cluster hsm-info --cluster-id cluster-a']
  const shown = JSON.stringify(
    { error_code: 0, data: { hsms: [{ vendor: 'Marvell', 'serial-number': 'S1' }] } },
    null,
    2,
  )
  const failure = new ConsoleFailure('unreachable', 'shows 1 HSM of 2', [hsm('a')], [...said, shown].join('\n'))
  expect(refusedBy([failure]).suggestions.at(-1)).toBe(
    `the last lines of the conversation:\n${said.map((line) => `      | ${line}`).join('\n')}`,
  )
})

describe('where it is not seen which HSM does not answer', () => {
  const failure = new ConsoleFailure('silent', 'which does not answer is not seen', [hsm('a'), hsm('b')], '', true)

  test('nobody is told to leave all of them behind', () => {
    const { code, suggestions } = refusedBy([failure])
    expect(code).toBe('HSM_SILENT')
    expect(suggestions.join('\n')).toContain('--allow-unreachable HSM --reason TEXT then goes on without it alone')
    for (const hsmId of failure.hsmIds) expect(suggestions.join('\n')).not.toContain(hsmId)
  })

  test('a command that leaves none behind names no flag', () =>
    expect(refusedBy([failure], true).suggestions.join('\n')).not.toContain('--allow-unreachable'))
})

describe('several HSMs that cannot be reached', () => {
  const roster = rosterOf(2, 3)
  const [a, c, d, e] = 'acde'.split('').map(hsm) as [HsmId, HsmId, HsmId, HsmId]
  const away = (...hsmIds: HsmId[]) =>
    new ConsoleFailure('unreachable', `${hsmIds.join(', ')} cannot be reached`, hsmIds, '')
  const LOST = `no HSM of eu-west-1/cluster-bbbbbbbbbbb can be reached: ${c}, ${d}, ${e}`

  test('of a lost cluster: the cluster and all of them, and one piece of advice for all', () => {
    const { code, message, suggestions } = refusedBy([away(d), away(c), away(e), away(a)], false, roster)
    expect([code, message]).toEqual(['HSM_UNREACHABLE', `${LOST}; ${a} cannot be reached`])
    expect(suggestions).toEqual([
      `where they stay away, go on without them and leave debts: ${[a, c, d, e].map((one) => `--allow-unreachable ${one}`).join(' ')} --reason TEXT`,
    ])
    expect(refusedBy([away(c)], true, roster).suggestions).toEqual([])
  })

  test('in a pause: those that failed together, and those of their cluster that are out of reach as well', () => {
    const caught = (act: () => void): Pause => {
      try {
        act()
      } catch (error) {
        if (error instanceof Pause) return error
      }
      throw new Error('nothing was thrown')
    }
    const together = caught(() => throwTogether([away(c), away(d)], false))
    const flags = (...hsmIds: HsmId[]) => hsmIds.map((one) => `--allow-unreachable ${one}`).join(' ')
    expect(together.suggestions).toEqual([expect.stringContaining(`debts: ${flags(c, d)} --reason`)])
    const all = withOthersAway(together, [c, e], roster, false)
    expect(all.message).toBe(`${c} cannot be reached; ${d} cannot be reached; ${LOST}`)
    expect(all.suggestions).toEqual([expect.stringContaining(`debts: ${flags(c, d, e)} --reason`)])
    const back = caught(() => throwTogether([away(c), away(d)], true))
    expect(withOthersAway(back, [e], roster, true).suggestions).toEqual([])
    const one = caught(() => throwTogether([away(a)], false))
    expect(withOthersAway(one, [a], roster, false)).toBe(one)
  })
})
