import { describe, expect, test } from '@jest/globals'
import type { UnitId } from '../../../../src/domain/ids.js'
import { copyUsers } from '../../../../src/use-cases/rotation/cells/copy.js'
import { login, REFUSED } from '../../../helpers/journal-lines.js'
import { hsm } from '../../../helpers/rotation.js'
import { type BenchGiven, benchOf, endedBy } from '../../../helpers/run-bench.js'

const [a, c] = [hsm('a'), hsm('c')]
const [CLUSTER_A, CLUSTER_B] = ['cluster-aaaaaaaaaaa', 'cluster-bbbbbbbbbbb'] as [UnitId, UnitId]

const copied = async (
  given: BenchGiven = {},
  how: { readonly rehearsal?: boolean; readonly compare?: boolean } = {},
) => {
  const [from, to] = given.utility === 'cloudhsm-cli' ? [CLUSTER_A, CLUSTER_B] : [a, c]
  const bench = benchOf(given)
  const answers: string[] = []
  const ended = await endedBy(async () => {
    const credential = how.rehearsal ? 'current' : 'new'
    const report = await copyUsers(bench.run, { from: () => from, to, users: bench.users, credential, ...how })
    for (const answer of report.answers.values()) answers.push(answer.kind === 'refused' ? answer.reason : answer.kind)
  })
  return { ...bench, ended, answers, heard: bench.fleet.heard }
}

/** The source holds the new credential. */
const fromNew: BenchGiven = { fleet: (its) => its.give(a, 'new') }
const fromNewCluster: BenchGiven = {
  utility: 'cloudhsm-cli',
  fleet: (its) => {
    its.give(a, 'new')
    its.give(hsm('b'), 'new')
  },
}

describe('a copy', () => {
  test('is written down with its origin, made in one session on both, and answered', async () => {
    const { ended, answers, written, heard, fleet } = await copied(fromNew)
    expect([ended, answers, written()]).toEqual(['done', ['done'], ['copy a>c new', 'done']])
    expect(heard).toEqual(['open a c', 'list a c', 'login CO:admin a c', 'copy CU:app a>c'])
    expect(fleet.holds()).toBe('a new, b old, c new, d old')
  })

  test('from cluster to cluster names each HSM it reaches', async () => {
    const { written, fleet } = await copied(fromNewCluster)
    expect(written()).toEqual(['serials SN-a SN-b', 'serials SN-c SN-d', 'copy a>c d new', 'done'])
    expect(fleet.holds()).toBe('a new, b new, c new, d new')
  })

  test('that is a rehearsal says so', async () => {
    const { written } = await copied({}, { rehearsal: true })
    expect(written()).toEqual(['rehearse a>c', 'done'])
  })

  test('lists the target again where it is to be compared', async () => {
    const { heard } = await copied(fromNew, { compare: true })
    expect(heard.slice(-2)).toEqual(['copy CU:app a>c', 'list a c'])
  })

  test('makes a user that is missing', async () => {
    const { ended, fleet } = await copied({
      fleet: (its) => {
        its.give(a, 'new')
        its.remove(c)
      },
    })
    expect([ended, fleet.holds()]).toEqual(['done', 'a new, b old, c new, d old'])
  })

  test('of more users than are worth one conversation is made in two side by side', async () => {
    const users = Array.from({ length: 8 }, (_, nth) => `app_${nth}`)
    const { heard, written } = await copied({ users })
    expect(heard.filter((words) => words.startsWith('open'))).toHaveLength(2)
    expect(written().filter((words) => words === 'done')).toHaveLength(8)
  })
})

describe('a copy that is not made', () => {
  test('because the target refuses to overwrite is for the caller to judge', async () => {
    const { ended, answers, written } = await copied({ ...fromNew, behaviour: { syncUserExisting: 'refuse' } })
    expect([ended, answers, written()]).toEqual(['done', ['user-exists'], ['copy a>c new', 'user-exists']])
  })

  test('without a reason too', async () => {
    const behaviour = { userReplicateExisting: 'refuse' } as const
    const { ended, answers } = await copied({ ...fromNewCluster, behaviour })
    expect([ended, answers]).toEqual(['done', ['copy-refused']])
  })

  test('because the user is logged in there pauses', async () => {
    const { ended, written } = await copied({
      fleet: (its) => {
        its.give(a, 'new')
        its.logIn(c)
      },
    })
    expect([ended, written()]).toEqual(['USER_LOGGED_IN', ['copy a>c new', 'user-logged-in']])
  })

  test('on all HSMs of a cluster is made once more, and then pauses', async () => {
    const { ended, written } = await copied({
      ...fromNewCluster,
      fleet: (its) => {
        fromNewCluster.fleet?.(its)
        its.logIn(hsm('d'))
      },
    })
    expect([ended, written().slice(2)]).toEqual([
      'PARTLY_DONE',
      ['copy a>c d new', 'partly', 'copy a>c d new', 'partly'],
    ])
  })

  test('in part, in a rehearsal, is for the caller to judge', async () => {
    const { ended, answers } = await copied(
      { utility: 'cloudhsm-cli', behaviour: {}, fleet: (its) => its.fail(hsm('d'), 5) },
      { rehearsal: true },
    )
    expect([ended, answers]).toEqual(['done', ['unclear']])
  })

  test('in the middle is unanswered', async () => {
    const { ended, written } = await copied({
      fleet: (its) => its.befall('copy', { breaks: 'ended', carriedOut: true }),
    })
    expect([ended, written()]).toEqual(['ended', ['copy a>c new', 'unanswered']])
  })
})

describe('nothing is copied', () => {
  test('from where the user has another ID than planned', async () => {
    const { ended, written, heard } = await copied({
      fleet: (its) => {
        its.user(a).id = 44
      },
    })
    expect([ended, written(), heard.at(-1)]).toEqual(['USER_ID_CHANGED', [], 'login CO:admin a c'])
  })

  test('from where the user is gone', async () => {
    const { ended } = await copied({ fleet: (its) => its.remove(a) })
    expect(ended).toBe('USER_ID_CHANGED')
  })

  test('onto somebody else who has the ID', async () => {
    const { ended, written } = await copied({
      fleet: (its) => {
        its.remove(c)
        const squatter = its.user(c, 'bystander')
        squatter.id = 4
      },
    })
    expect([ended, written()]).toEqual(['ID_TAKEN', []])
  })

  test('over a cell that somebody else has written, without consent', async () => {
    const { ended, heard } = await copied({
      ...fromNew,
      lines: [
        [login(c), REFUSED],
        [login(c, 'current'), REFUSED],
      ],
    })
    expect([ended, heard]).toEqual(['OTHER_CREDENTIAL', []])
  })
})
