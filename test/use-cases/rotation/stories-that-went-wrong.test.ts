import { describe, expect, test } from '@jest/globals'
import { type FleetSpec, USUAL_CLI } from '../../property/fleet-arbitrary.js'
import type { Story, Trouble, Turn, Wishes } from '../../property/story-arbitrary.js'
import { CALM, tellStory } from '../../property/tell-story.js'

// Found by the random stories of test/property, and made small by them.

const trouble = (what: Trouble['what'], more: Partial<Trouble> = {}): Trouble => ({
  at: 0,
  what,
  hsm: 0,
  user: 0,
  lasting: false,
  ...more,
})
const turn = (more: Partial<Turn>): Turn => ({ ...CALM, ...more })

interface Wanted {
  readonly fleet?: Partial<Omit<FleetSpec, 'behaviour' | 'cli'>> & {
    readonly behaviour?: Partial<FleetSpec['behaviour']>
    readonly cli?: Partial<FleetSpec['cli']>
  }
  readonly repair?: Story['repair']
  readonly wishes?: Partial<Wishes>
  readonly turns: readonly Turn[]
  readonly ending?: Story['ending']['action']
  /** What others have changed since may be overwritten in the end. */
  readonly overwriteOther?: boolean
  /** Which of several things that are advised is done; the first one unless it is said. */
  readonly choices?: readonly number[]
  /** How long things take. */
  readonly noise?: number
}

/** Tells a story; the promises must hold. @returns how each invocation ended */
const told = async ({
  fleet = {},
  repair = null,
  wishes = {},
  turns,
  ending = 'resume',
  overwriteOther = false,
  choices = [0],
  noise = 1,
}: Wanted): Promise<string[]> => {
  const { violations, trace } = await tellStory({
    fleet: {
      utility: 'cmu',
      clusters: [1, 2],
      officers: 'one',
      olderCluster: null,
      leftOut: 0,
      users: 1,
      lockoutLimit: 5,
      recordsDiffer: false,
      oddities: [],
      ...fleet,
      behaviour: {
        syncUserExisting: 'overwrite',
        syncUserMatches: 'id',
        syncUserOntoLoggedIn: 'deny',
        userReplicateExisting: 'overwrite',
        loginResetsFailures: false,
        syncResetsFailures: false,
        ...fleet.behaviour,
      },
      cli: { ...USUAL_CLI, ...fleet.cli },
    },
    repair,
    wishes: {
      current: 'unknown',
      acceptNoWayBack: false,
      createMissing: false,
      concurrency: 1,
      maxErrors: 0,
      drainMs: 0,
      mayStayBehind: null,
      ...wishes,
    },
    turns,
    ending: { action: ending, propagate: 'auto', overwriteOther, choices },
    noise,
  })
  expect(violations).toEqual([])
  return trace.map(({ action, outcome, code }) => `${action}: ${code ?? outcome}`)
}

/** syncUser reports success and changes nothing. */
const ignoring = { behaviour: { syncUserExisting: 'ignore' } } as const

test('a user is not copied to an HSM where another one has its ID', async () => {
  const fleet = { oddities: [{ kind: 'taken-id', hsm: 1, user: 0 }] } as const
  const ended = await told({ fleet, wishes: { createMissing: true }, turns: [CALM] })
  expect(ended.slice(0, 2)).toEqual(['start: ID_TAKEN', 'start: ID_TAKEN'])
  // An officer has made it there.
  expect(ended.at(-1)).toBe('start: completed')
})

test('a user with several IDs is not created by a copy', async () => {
  const oddities = [
    { kind: 'missing', hsm: 2, user: 0 },
    { kind: 'other-id', hsm: 1, user: 0 },
  ] as const
  const ended = await told({ fleet: { oddities }, wishes: { createMissing: true }, turns: [CALM] })
  expect(ended.slice(0, 2)).toEqual(['start: USER_MISSING', 'start: USER_MISSING'])
  // An officer has made it there.
  expect(ended.at(-1)).toBe('start: completed')
})

describe('a rollback by syncUser', () => {
  test('is not believed before a copy was seen to overwrite', async () => {
    const turns = [turn({ pauseBefore: 'canary' })]
    expect(await told({ fleet: ignoring, turns, ending: 'rollback' })).toEqual([
      'start: PAUSED_AS_ASKED',
      'rollback: NO_WAY_BACK',
      'resume: completed',
    ])
  })

  test('ends old where the copy overwrites, also before the canary', async () => {
    const turns = [turn({ pauseBefore: 'canary' })]
    expect(await told({ turns, ending: 'rollback' })).toEqual(['start: PAUSED_AS_ASKED', 'rollback: rolled-back'])
  })

  test('that stopped before it began leaves a rotation that resume can end', async () => {
    const turns = [
      turn({ pauseBefore: 'canary' }),
      turn({ action: 'rollback', troubles: [trouble('strange-masking-key', { lasting: true })] }),
    ]
    expect(await told({ turns })).toEqual(['start: PAUSED_AS_ASKED', 'rollback: NOT_UNDERSTOOD', 'resume: completed'])
  })
})

describe('an HSM that was added', () => {
  test.each(['hsm-added', 'old-hsm-added'] as const)('before a rollback is part of it: %s', async (what) => {
    const turns = [turn({ pauseBefore: 'restore-point' }), turn({ action: 'rollback', troubles: [trouble(what)] })]
    expect(await told({ fleet: { clusters: [2, 2] }, turns })).toEqual([
      'start: PAUSED_AS_ASKED',
      'rollback: rolled-back',
    ])
  })

  test('while a rollback is under way is taken along by the next one', async () => {
    const added = trouble('hsm-added', { at: 300 })
    const turns = [turn({ pauseBefore: 'restore-point' }), turn({ action: 'rollback', troubles: [added] })]
    expect(await told({ fleet: { clusters: [2, 2] }, turns })).toEqual([
      'start: PAUSED_AS_ASKED',
      'rollback: ROSTER_CHANGED',
      'resume: rolled-back',
    ])
  })

  test.each(['restore-point', 'finalize'] as const)('before %s gets the new credential too', async (pauseBefore) => {
    const turns = [turn({ pauseBefore }), turn({ troubles: [trouble('old-hsm-added')] })]
    expect(await told({ turns })).toEqual(['start: PAUSED_AS_ASKED', 'resume: completed'])
  })

  test('to a rotation with debts gets it when they are settled', async () => {
    const behind = [trouble('unreachable', { hsm: 2 })]
    const turns = [turn({ troubles: behind }), turn({ troubles: [trouble('old-hsm-added')] })]
    const ended = await told({ wishes: { mayStayBehind: 2, current: 'given' }, turns })
    expect(ended).toEqual(['start: completed-with-debt', 'resume: completed'])
  })
})

test('an HSM that was replaced for good is left out with consent, and the one in its place comes along', async () => {
  const replaced = turn({ troubles: [trouble('replaced', { hsm: 2 })] })
  const turns = [turn({ pauseBefore: 'verify' }), replaced]
  expect(await told({ wishes: { mayStayBehind: 2 }, turns })).toEqual(['start: PAUSED_AS_ASKED', 'resume: completed'])
  const asked = ['resume: ROSTER_CHANGED', 'resume: ROSTER_CHANGED']
  expect(await told({ turns })).toEqual(['start: PAUSED_AS_ASKED', ...asked, 'resume: completed'])
})

test('a rotation that was recovered with nothing new is closed by rollback', async () => {
  const turns = [turn({ pauseBefore: 'change' }), turn({ action: 'recover' })]
  expect(await told({ turns, ending: 'rollback' })).toEqual([
    'start: PAUSED_AS_ASKED',
    'recover: RECOVERED',
    'rollback: rolled-back',
  ])
})

test('failed logins that clients made between two invocations pause the next one, once', async () => {
  const turns = [
    turn({ pauseBefore: 'verify' }),
    turn({ troubles: [1, 2].map(() => trouble('foreign-failure', { hsm: 1 })) }),
  ]
  expect(await told({ turns })).toEqual([
    'start: PAUSED_AS_ASKED',
    'resume: CLIENT_USES_OTHER_PASSWORD',
    'resume: completed',
  ])
})

test('a login after changePswd does not show that syncUser overwrites', async () => {
  const canary = 1
  const turns = [
    turn({ pauseBefore: 'canary' }),
    turn({ troubles: [1, 2, 3].map(() => trouble('foreign-failure', { hsm: canary })) }),
  ]
  expect(await told({ fleet: ignoring, turns })).toEqual([
    'start: PAUSED_AS_ASKED',
    'resume: CLIENT_USES_OTHER_PASSWORD',
    'resume: completed',
  ])
})

test('the HSM that is changed first may stay behind: another one has its part', async () => {
  const unreachable = trouble('unreachable', { lasting: true })
  const turns = [turn({ pauseBefore: 'change' }), turn({ troubles: [unreachable] })]
  const ended = await told({ wishes: { mayStayBehind: 0, current: 'given' }, turns })
  expect(ended).toEqual(['start: PAUSED_AS_ASKED', 'resume: completed-with-debt', 'resume: completed'])
})

describe('after the journal was lost', () => {
  const recover = turn({ action: 'recover' })

  test('an HSM that is new already does not show what syncUser does', async () => {
    const turns = [turn({ pauseBefore: 'spread' }), recover]
    const ended = await told({ fleet: { ...ignoring, clusters: [1, 3] }, turns })
    expect(ended).toEqual(['start: PAUSED_AS_ASKED', 'recover: RECOVERED', 'resume: completed'])
  })

  test('a CURRENT that was never in force is no way back', async () => {
    const turns = [turn({ pauseBefore: 'verify' }), recover]
    const ended = await told({ wishes: { current: 'kept-wrong' }, turns, ending: 'rollback' })
    expect(ended).toEqual([
      'start: PAUSED_AS_ASKED',
      'recover: RECOVERED',
      'rollback: NO_WAY_BACK',
      'resume: completed',
    ])
  })

  test('a CURRENT that somebody logged in with is one', async () => {
    const turns = [turn({ pauseBefore: 'verify' }), recover]
    const ended = await told({ wishes: { current: 'given' }, turns, ending: 'rollback' })
    expect(ended).toEqual(['start: PAUSED_AS_ASKED', 'recover: RECOVERED', 'rollback: rolled-back'])
  })

  test('a change that was done and is refused once in error may be new: nothing is discarded for it', async () => {
    const turns = [
      turn({}),
      turn({ action: 'recover' }),
      turn({ troubles: [trouble('refuse-login-counted', { at: 374 })] }),
      turn({ action: 'rollback' }),
    ]
    const fleet = { clusters: [3, 3], lockoutLimit: 3, behaviour: { syncUserExisting: 'refuse' } } as const
    expect((await told({ fleet, turns, noise: 0 })).slice(2)).toEqual([
      'resume: NEW_CREDENTIAL_REFUSED',
      'rollback: NO_WAY_BACK',
      'resume: completed',
    ])
  })

  test('one refusal that may be an error, where no login is left to ask again, is not enough to discard what may be new', async () => {
    const turns = [
      turn({ pauseBefore: 'verify' }),
      turn({ action: 'recover', pauseBefore: 'store-pending', troubles: [trouble('refuse-login', { lasting: true })] }),
      turn({ action: 'rollback' }),
    ]
    const fleet = { utility: 'cloudhsm-cli', clusters: [1], lockoutLimit: 3, cli: USUAL_CLI } as const
    const wishes = { current: 'unknown', acceptNoWayBack: true } as const
    expect((await told({ fleet, wishes, turns, noise: 0 })).slice(1)).toEqual([
      'recover: RECOVERED',
      'rollback: LOGIN_BUDGET',
      'resume: completed',
    ])
  })

  test('a recovery that was killed after its first line is resumed', async () => {
    const killed = turn({ action: 'recover', troubles: [trouble('journal-fails-after')] })
    const turns = [turn({ pauseBefore: 'finalize' }), killed]
    expect(await told({ turns })).toEqual([
      'start: PAUSED_AS_ASKED',
      'recover: JOURNAL_UNWRITABLE',
      'resume: completed',
    ])
  })

  test('a user that is missing on an HSM is still copied there', async () => {
    const fleet = { oddities: [{ kind: 'missing', hsm: 2, user: 0 }] } as const
    const turns = [turn({ pauseBefore: 'change' }), recover]
    const ended = await told({ fleet, wishes: { createMissing: true }, turns })
    expect(ended).toEqual(['start: PAUSED_AS_ASKED', 'recover: RECOVERED', 'resume: completed'])
  })

  test('the cells are asked once nothing can take effect late any more', async () => {
    // Every command of the rotation in turn is the one that takes effect late.
    for (let at = 300; at < 1000; at += 10) {
      const late = turn({ propagate: 'change', troubles: [trouble('late', { at })] })
      const ended = await told({ fleet: { users: 2 }, wishes: { current: 'given' }, turns: [late, recover] })
      expect(ended.at(-1)).toMatch(/completed$|NOTHING_PENDING$/)
    }
  })
})

test('a user that was missing is copied to an HSM that was out of sight meanwhile, never changed there', async () => {
  const fleet = { clusters: [2, 2], oddities: [{ kind: 'missing', hsm: 3, user: 0 }] } as const
  const turns = [
    turn({ troubles: [trouble('quorum', { at: 400 })] }),
    turn({ troubles: [trouble('unreachable', { hsm: 3 })] }),
  ]
  expect(await told({ fleet, wishes: { createMissing: true, current: 'given' }, turns })).toEqual([
    'start: QUORUM_REQUIRED',
    'resume: HSM_UNREACHABLE',
    'resume: completed',
  ])
})

test('the attributes are compared although the HSM that was changed first stays behind', async () => {
  const turns = [turn({ pauseBefore: 'verify' }), turn({ troubles: [trouble('unreachable')] })]
  expect(await told({ fleet: { clusters: [1, 1] }, wishes: { mayStayBehind: 0, current: 'given' }, turns })).toEqual([
    'start: PAUSED_AS_ASKED',
    'resume: completed-with-debt',
    'resume: completed',
  ])
})

test('a rollback takes an HSM back that was added, and built from one that held the new credential', async () => {
  const turns = [turn({ pauseBefore: 'verify' }), turn({ pauseBefore: 'verify', troubles: [trouble('hsm-added')] })]
  const ended = await told({ fleet: { clusters: [1, 1] }, wishes: { current: 'given' }, turns, ending: 'rollback' })
  expect(ended).toEqual(['start: PAUSED_AS_ASKED', 'resume: PAUSED_AS_ASKED', 'rollback: rolled-back'])
})

test('an HSM that was added and is out of reach is not said to lack anybody', async () => {
  const turns = [
    turn({ troubles: [trouble('old-hsm-added')] }),
    turn({ troubles: [trouble('unreachable', { hsm: 2, lasting: true })] }),
  ]
  expect(await told({ fleet: { clusters: [1, 1] }, wishes: { current: 'given' }, turns })).toEqual([
    'start: ROSTER_CHANGED',
    'resume: HSM_UNREACHABLE',
    'resume: completed',
  ])
})

describe('by cloudhsm-cli', () => {
  test('a copy that the only HSM of a cluster was lost behind may have been carried out', async () => {
    const fleet = { ...cli, clusters: [1, 3, 1, 3], users: 2 }
    const turns = [turn({ retryOfficer: true, troubles: [trouble('lose-one-after', { at: 571, hsm: 1 })] })]
    expect(await told({ fleet, turns, noise: 0 })).toEqual(['start: NOT_UNDERSTOOD', 'resume: completed'])
  })

  test('an HSM that was lost before a login is not said to have taken it', async () => {
    const oddities = [
      { kind: 'drifted', hsm: 20, user: 0 },
      { kind: 'drifted', hsm: 0, user: 0 },
    ] as const
    const blind = { cliConfigOption: false, cliDiscovery: false, cliLoginRefusedByOne: 'success' } as const
    const fleet = { ...cli, clusters: [3, 4], oddities, cli: blind }
    const turns = [turn({ retryOfficer: true, troubles: [trouble('lose-one-after', { at: 127, hsm: 14 })] })]
    expect(await told({ fleet, wishes: { current: 'given' }, turns, noise: 0 })).toEqual([
      'start: HSM_SILENT',
      'start: completed',
    ])
  })

  const cli = { utility: 'cloudhsm-cli', clusters: [1, 1] } as const
  const refusing = { ...cli, behaviour: { userReplicateExisting: 'refuse' } } as const

  test('a rotation that was to copy alone goes on by changes once the operator allows them', async () => {
    const turns = [turn({ propagate: 'sync' })]
    expect(await told({ fleet: refusing, wishes: { current: 'given' }, turns })).toEqual([
      'start: SYNC_REFUSED',
      'resume: completed',
    ])
  })

  test('a program that cannot copy is refused where the rehearsal would copy, until a newer one is there', async () => {
    const fleet = { ...cli, cli: { cliVersion: '5.14.0' } }
    const ended = await told({ fleet, wishes: { acceptNoWayBack: true }, turns: [turn({ propagate: 'change' })] })
    expect(ended).toEqual(['start: CLI_TOO_OLD', 'start: CLI_TOO_OLD', 'start: completed'])
  })

  test('clusters that hold different passwords and refuse copies are changed once the operator says so', async () => {
    const fleet = { ...refusing, oddities: [{ kind: 'drifted', hsm: 0, user: 0 }] } as const
    expect(await told({ fleet, wishes: { acceptNoWayBack: true }, turns: [CALM] })).toEqual([
      'start: HSM_REFUSED',
      'resume: HSM_REFUSED',
      'resume: completed',
    ])
  })

  test.each(['resume', 'rollback'] as const)('an HSM that joined a cluster is taken along by a %s', async (action) => {
    const turns = [turn({ troubles: [trouble('hsm-added', { at: 560 })] }), turn({ action })]
    const fleet = { ...cli, clusters: [2, 1] }
    expect(await told({ fleet, wishes: { current: 'given' }, turns, ending: action })).toEqual([
      'start: WRONG_HSM',
      `${action}: ${action === 'resume' ? 'completed' : 'rolled-back'}`,
    ])
  })

  test('a quorum on one HSM alone leaves the answer of a copy open', async () => {
    const fleet = { ...cli, clusters: [2, 2, 1] }
    const turns = [turn({ troubles: [trouble('quorum', { at: 522, hsm: 3 })] })]
    expect(await told({ fleet, wishes: { current: 'given' }, turns })).toEqual([
      'start: PARTLY_DONE',
      'resume: completed',
    ])
  })

  test('a login on a whole cluster does not tell what each of its HSMs holds once the journal is lost', async () => {
    const fleet = {
      ...cli,
      clusters: [1, 1, 1],
      cli: { cliConfigOption: false, cliDiscovery: false, cliLoginRefusedByOne: 'success' },
    } as const
    const turns = [turn({ troubles: [trouble('hsm-added')] }), turn({ action: 'recover' })]
    expect(await told({ fleet, wishes: { current: 'given' }, turns })).toEqual([
      'start: ROSTER_CHANGED',
      'recover: RECOVERED',
      'resume: completed',
    ])
  })

  test('a rehearsal may make a user that was missing, on some HSMs of the cluster', async () => {
    const missing = [1, 2].map((hsm) => ({ kind: 'missing', hsm, user: 0 }) as const)
    const turns = [turn({ troubles: [trouble('strange-masking-key', { hsm: 1 })] })]
    const fleet = { ...cli, clusters: [1, 2], oddities: missing }
    expect(await told({ fleet, wishes: { current: 'given', createMissing: true }, turns })).toEqual([
      'start: PARTLY_DONE',
      'resume: completed',
    ])
  })

  test('a cluster that refuses the new credential does not show that each of its HSMs gave it up', async () => {
    const fleet = { ...cli, clusters: [2, 1], behaviour: { userReplicateExisting: 'ignore' } } as const
    const turns = [turn({ troubles: [trouble('quorum', { at: 400 })] })]
    expect(await told({ fleet, wishes: { acceptNoWayBack: true }, turns, ending: 'rollback' })).toEqual([
      'start: PARTLY_DONE',
      'rollback: NO_WAY_BACK',
      'resume: completed',
    ])
  })

  test('a cluster whose HSMs hold different passwords is changed once the operator says so', async () => {
    const fleet = { ...refusing, clusters: [1, 2], oddities: [{ kind: 'drifted', hsm: 1, user: 0 }] } as const
    expect(await told({ fleet, wishes: { acceptNoWayBack: true }, turns: [CALM] })).toEqual([
      'start: PARTLY_DONE',
      'resume: PARTLY_DONE',
      'resume: completed',
    ])
  })

  test('an HSM that was left out and is back is not written to before the journal names it', async () => {
    const fleet = { ...cli, clusters: [2, 1, 1] }
    const turns = [
      turn({ pauseBefore: 'change' }),
      turn({ pauseBefore: 'change', troubles: [trouble('unreachable')] }),
      turn({ troubles: [trouble('no-connection')] }),
    ]
    expect(await told({ fleet, wishes: { current: 'given', mayStayBehind: 0 }, turns })).toEqual([
      'start: PAUSED_AS_ASKED',
      'resume: PAUSED_AS_ASKED',
      'resume: completed',
    ])
  })

  test('one that was left out does not stand for one that is gone, though their number is the same', async () => {
    const limited = trouble('limited', { at: 600, hsm: 1, lasting: true })
    const added = trouble('old-hsm-added', { at: 600, hsm: 1 })
    const turns = [turn({ troubles: [limited, added] }), turn({})]
    const fleet = { ...cli, clusters: [1, 2] }
    const ended = await told({ fleet, wishes: { current: 'given', mayStayBehind: 2 }, turns })
    expect(ended).toEqual(['start: WRONG_HSM', 'resume: HSM_UNREACHABLE', 'resume: completed'])
  })

  test('HSMs that joined every cluster leave none to copy from but one that is written again', async () => {
    const added = [trouble('hsm-added'), trouble('old-hsm-added', { hsm: 1 })]
    const fleet = { ...cli, cli: { cliConfigOption: false, cliDiscovery: false } }
    expect(await told({ fleet, wishes: { current: 'given' }, turns: [turn({ troubles: added })] })).toEqual([
      'start: ROSTER_CHANGED',
      'resume: completed',
    ])
  })

  test('a user that one HSM of a single cluster lacks is made by hand, and then changed', async () => {
    const fleet = {
      ...cli,
      clusters: [2],
      cli: { cliDiscovery: false },
      oddities: [{ kind: 'missing', hsm: 0, user: 0 }] as const,
    }
    const turns = [turn({ troubles: [trouble('lose-one-after', { at: 50 })] })]
    expect(await told({ fleet, wishes: { acceptNoWayBack: true }, turns, noise: 0 })).toEqual([
      'start: USER_MISSING',
      'resume: USER_MISSING',
      'resume: completed',
    ])
  })

  test('a current credential is stored only where it could be proved', async () => {
    const turns = [
      turn({ propagate: 'change', troubles: [trouble('no-connection', { at: 770, lasting: true })] }),
      turn({ action: 'rollback', troubles: [trouble('unreachable', { hsm: 1 })] }),
      turn({ action: 'recover', pauseBefore: 'store-pending', troubles: [trouble('replaced', { at: 193 })] }),
      turn({}),
    ]
    const fleet = { ...cli, clusters: [1, 2] }
    expect(await told({ fleet, wishes: { current: 'given' }, turns, ending: 'rollback', noise: 0 })).toEqual([
      'start: HSM_UNREACHABLE',
      'rollback: HSM_UNREACHABLE',
      'recover: RECOVERED',
      'resume: ROSTER_CHANGED',
      'rollback: NO_WAY_BACK',
      'resume: ROSTER_CHANGED',
      'resume: completed',
    ])
  })

  test('a current credential that the store keeps and one HSM refuses is not asked for again when it is typed', async () => {
    const fleet = {
      ...cli,
      clusters: [1, 1],
      cli: { cliDiscovery: false },
      behaviour: { userReplicateExisting: 'refuse' },
      oddities: [{ kind: 'drifted', hsm: 0, user: 0 }] as const,
    } as const
    expect(await told({ fleet, wishes: { current: 'kept' }, turns: [CALM], choices: [3], noise: 0 })).toEqual([
      'start: NO_WAY_BACK',
      'start: NO_WAY_BACK',
      'start: HSM_REFUSED',
      'resume: CURRENT_REFUSED',
      'rollback: rolled-back',
    ])
  })
})

test('a copy that leaves the password as it is and one login that is refused in error are no way back', async () => {
  const turns = [
    turn({ troubles: [trouble('no-connection', { at: 319 })] }),
    turn({ action: 'rollback', troubles: [trouble('refuse-login', { at: 132 })] }),
  ]
  const ended = await told({ fleet: { ...ignoring, clusters: [1, 3], users: 8 }, turns, noise: 0 })
  expect(ended).toEqual(['start: HSM_UNREACHABLE', 'rollback: NO_WAY_BACK', 'resume: completed'])
})

test('a rollback whose last HSM with the old credential is gone is given up, and the operator hears of it', async () => {
  const turns = [
    turn({ pauseBefore: 'verify' }),
    turn({ action: 'rollback', troubles: [trouble('unreachable'), trouble('unreachable', { hsm: 1 })] }),
    turn({ troubles: [trouble('replaced', { hsm: 2 })] }),
  ]
  const ended = await told({ turns })
  expect(ended).toEqual([
    'start: PAUSED_AS_ASKED',
    'rollback: HSM_UNREACHABLE',
    'resume: ROSTER_CHANGED',
    'resume: ROSTER_CHANGED',
    'resume: NO_WAY_BACK',
    'resume: completed',
  ])
})

test('a current credential of the store that an HSM does not hold any more is asked for once, and rolled back from', async () => {
  const troubles = [trouble('store-fails-after', { at: 105 }), trouble('set-password', { at: 138 })]
  const fleet = { clusters: [3, 3, 3] }
  expect(
    await told({
      fleet,
      wishes: { current: 'given' },
      turns: [turn({ retryOfficer: true, troubles })],
      choices: [1],
      noise: 0,
    }),
  ).toEqual(['start: STORE_UNREADABLE', 'resume: CURRENT_REFUSED', 'rollback: rolled-back'])
})

test('a debt that was proved before it stayed behind is proved again before it is called paid', async () => {
  const turns = [
    turn({ troubles: [trouble('no-connection', { at: 665 })], rival: { at: 0, action: 'start' } }),
    turn({ action: 'recover', troubles: [trouble('set-password', { at: 344, hsm: 11, lasting: true })] }),
    turn({ troubles: [trouble('unreachable', { hsm: 23, lasting: true })], rival: { at: 0, action: 'start' } }),
  ]
  const fleet = { clusters: [3, 1], oddities: [{ kind: 'drifted', hsm: 0, user: 0 }] as const }
  const wishes = { current: 'kept-wrong', mayStayBehind: 15 } as const
  expect((await told({ fleet, wishes, turns, noise: 1_396_157_420 })).slice(-3)).toEqual([
    'resume: completed-with-debt',
    'resume: OTHER_CREDENTIAL',
    'resume: completed',
  ])
})

test('a canary that was rehearsed from an HSM which joined since may hold anything', async () => {
  const turns = [turn({ retryOfficer: true, troubles: [trouble('replaced', { at: 210 })] })]
  const fleet = { clusters: [1, 1], oddities: [{ kind: 'drifted', hsm: 0, user: 0 }] as const }
  expect(await told({ fleet, wishes: { current: 'kept-wrong', acceptNoWayBack: true }, turns, noise: 0 })).toEqual([
    'start: WRONG_HSM',
    'resume: ROSTER_CHANGED',
    'resume: completed',
  ])
})

describe('a user that somebody deletes', () => {
  const deleted = (what: 'user-deleted' | 'user-deleted-everywhere', more: Partial<Turn> = {}) =>
    turn({ troubles: [trouble(what)], ...more })

  test('where it is copied from for a rehearsal is made by hand, and goes on under its new ID', async () => {
    const turns = [turn({ pauseBefore: 'rehearse' }), deleted('user-deleted')]
    const ended = await told({ fleet: { clusters: [1, 1] }, wishes: { current: 'given' }, turns })
    expect(ended.at(-1)).toBe('resume: completed')
  })

  test('everywhere is made by hand everywhere', async () => {
    const turns = [turn({ pauseBefore: 'rehearse' }), deleted('user-deleted-everywhere')]
    expect((await told({ wishes: { acceptNoWayBack: true }, turns })).at(-1)).toBe('resume: completed')
  })

  test('everywhere while the journal is lost is made by hand, and the journal begun anew', async () => {
    const turns = [turn({ pauseBefore: 'spread' }), deleted('user-deleted-everywhere', { action: 'recover' })]
    const ended = await told({ turns, ending: 'recover' })
    expect(ended).toContain('recover: USER_NOT_FOUND')
    expect(ended.at(-1)).toBe('resume: completed')
  })

  test('on the source while the journal is lost hinders no recovery', async () => {
    const turns = [turn({ pauseBefore: 'spread' }), deleted('user-deleted', { action: 'recover' })]
    const ended = await told({ turns, ending: 'recover' })
    expect(ended.slice(1, 3)).toEqual(['recover: RECOVERED', 'recover: RECOVERED'])
    expect(ended.at(-1)).toBe('resume: completed')
  })

  describe('on one HSM of a cluster', () => {
    const fleet = { utility: 'cloudhsm-cli', clusters: [2, 2], behaviour: { userReplicateExisting: 'ignore' } } as const
    const unsynced = turn({ propagate: 'sync' })

    test('is copied there, and the others are changed, before anything is said of them', async () => {
      const turns = [unsynced, deleted('user-deleted')]
      const ended = await told({ fleet, wishes: { current: 'given' }, turns, ending: 'rollback' })
      expect(ended.at(-1)).toBe('rollback: rolled-back')
    })

    test('that goes back by changes and has nothing left to be copied from is made by hand', async () => {
      const turns = [unsynced, deleted('user-deleted', { action: 'rollback' })]
      const ended = await told({ fleet, wishes: { current: 'given' }, turns, ending: 'rollback' })
      expect(ended).toContain('rollback: USER_MISSING')
      expect(ended.at(-1)).toBe('rollback: rolled-back')
    })
  })
})

describe('a user that somebody makes anew under another ID', () => {
  test('on the first HSM is no origin for copies: the rest is changed', async () => {
    const turns = [
      turn({ pauseBefore: 'change' }),
      turn({ troubles: [trouble('user-made-anew')] }),
      turn({ overwriteOther: true }),
    ]
    const ended = await told({ turns })
    expect(ended.slice(-2)).toEqual(['resume: OTHER_CREDENTIAL', 'resume: completed'])
  })

  test('on every HSM is rotated under that', async () => {
    const turns = [turn({ pauseBefore: 'change' }), turn({ troubles: [trouble('user-made-anew-everywhere')] })]
    const ended = await told({ wishes: { acceptNoWayBack: true }, turns })
    expect(ended).not.toContain('resume: ATTRIBUTES_DIFFER')
    expect(ended.at(-1)).toBe('resume: completed')
  })

  test('is deleted for a rollback that copies it', async () => {
    const turns = [
      turn({ pauseBefore: 'verify' }),
      turn({ troubles: [trouble('user-made-anew')], pauseBefore: 'restore-point', overwriteOther: true }),
    ]
    const ended = await told({ turns, ending: 'rollback' })
    expect(ended).toContain('rollback: ATTRIBUTES_DIFFER')
    expect(ended.at(-1)).toBe('rollback: rolled-back')
  })
})

describe('a user that clients lock on one HSM of a cluster', () => {
  const locked = (hsm: number) => turn({ troubles: [trouble('user-locked', { hsm })] })
  const fleet = { utility: 'cloudhsm-cli', clusters: [2, 2] } as const

  test('that it is copied from for a rehearsal is changed, where that is wanted', async () => {
    const turns = [turn({ pauseBefore: 'rehearse' }), locked(0)]
    const ended = await told({ fleet, wishes: { current: 'given' }, turns })
    expect(ended).toContain('resume: USER_INCONSISTENT')
    expect(ended.at(-1)).toBe('resume: completed')
  })

  test('hinders no recovery', async () => {
    const turns = [turn({ pauseBefore: 'canary' }), { ...locked(2), action: 'recover' as const }]
    const ended = await told({ fleet, wishes: { acceptNoWayBack: true }, turns, ending: 'recover' })
    expect(ended.slice(1, 3)).toEqual(['recover: RECOVERED', 'recover: RECOVERED'])
    expect(ended.at(-1)).toBe('resume: completed')
  })
})

describe('a user that is deleted on one HSM of a cluster behind the listing, where copies refuse one that exists', () => {
  const fleet = {
    utility: 'cloudhsm-cli',
    clusters: [1, 2],
    behaviour: { userReplicateExisting: 'refuse' },
    cli: { cliDiscovery: false },
  } as const

  test('is changed, once the operator wants that: each copy would be taken by one HSM and refused by the other', async () => {
    const turns = [turn({ troubles: [trouble('user-deleted', { at: 744, hsm: 4 })] })]
    const ended = await told({ fleet, wishes: { current: 'given' }, turns, noise: 0 })
    expect(ended.filter((one) => one === 'resume: PARTLY_DONE').length).toBeLessThanOrEqual(2)
    expect(ended[0]).toBe('start: PARTLY_DONE')
    expect(ended.at(-1)).toBe('resume: completed')
  })
})

test('a user deleted on clusters of different HSM types is made by an officer before the rotation is recovered', async () => {
  const turns = [turn({ pauseBefore: 'change' }), turn({ troubles: [trouble('user-deleted')], action: 'recover' })]
  const fleet = { utility: 'cloudhsm-cli', clusters: [1, 2], olderCluster: 0 } as const
  const ended = await told({ fleet, wishes: { current: 'given' }, turns, ending: 'recover' })
  expect(ended).toContain('recover: REPLICATION_UNSUPPORTED')
  expect(ended.at(-1)).toMatch(/completed|rolled-back/)
})

test('a user that a list lacks because an HSM was lost while it was made is not called absent there', async () => {
  const ended = await told({
    fleet: { utility: 'cloudhsm-cli', clusters: [2, 2, 3] },
    wishes: { current: 'given', concurrency: 2 },
    turns: [
      turn({ troubles: [trouble('user-deleted', { at: 376, hsm: 8 })], retryOfficer: true }),
      turn({ troubles: [trouble('lose-one-after', { at: 73 })], action: 'rollback' }),
    ],
    ending: 'rollback',
    noise: 879886374,
  })
  expect(ended.slice(0, 2)).toEqual(['start: USER_MISSING', 'rollback: HSM_UNREACHABLE'])
})

test('a rollback by copies does not begin while nothing that was written is in sight: no copy was seen to give anything back', async () => {
  const ended = await told({
    fleet: { clusters: [1, 2], users: 2, behaviour: { syncUserExisting: 'ignore' } },
    wishes: { current: 'kept-wrong' },
    turns: [
      turn({ troubles: [trouble('unreachable', { at: 493, lasting: true })], retryOfficer: true }),
      turn({ action: 'rollback' }),
    ],
    noise: 0,
  })
  expect(ended.slice(0, 2)).toEqual(['start: CONNECTION_LOST', 'rollback: HSM_UNREACHABLE'])
  expect(ended.at(-1)).toBe('resume: completed')
})

test('a copy that made a user somebody had deleted does not show that copies overwrite', async () => {
  const ended = await told({
    fleet: { clusters: [2, 2, 3], behaviour: { syncUserExisting: 'ignore' } },
    turns: [
      turn({ troubles: [trouble('no-connection', { at: 385 })], pauseBefore: 'finalize' }),
      turn({ troubles: [trouble('user-deleted', { at: 64, hsm: 23 })], retryOfficer: true }),
      turn({ action: 'rollback' }),
    ],
    noise: 0,
  })
  expect(ended).toEqual(['start: HSM_UNREACHABLE', 'resume: completed'])
})

test('a user that is found deleted leaves it open again whether copies overwrite, before a rollback relies on it', async () => {
  const ended = await told({
    fleet: { clusters: [3, 1], behaviour: { syncUserExisting: 'ignore' } },
    turns: [
      turn({
        troubles: [trouble('user-deleted-everywhere', { at: 672 }), trouble('logged-in', { hsm: 22 })],
        retryOfficer: true,
      }),
      turn({ troubles: [trouble('replaced')], pauseBefore: 'store-pending' }),
    ],
    choices: [5, 0],
    noise: 0,
  })
  expect(ended).toEqual([
    'start: USER_MISSING',
    'resume: ROSTER_CHANGED',
    'resume: ROSTER_CHANGED',
    'rollback: NO_WAY_BACK',
    'resume: completed',
  ])
})

test('a lock that clients made once everything is back keeps no rollback from its end', async () => {
  const ended = await told({
    fleet: { clusters: [3, 2] },
    turns: [
      turn({ troubles: [trouble('no-connection', { at: 661 })] }),
      turn({
        action: 'rollback',
        troubles: [trouble('user-locked', { at: 49, lasting: true }), trouble('store-fails-after', { at: 25 })],
        retryOfficer: true,
      }),
    ],
    noise: 0,
  })
  expect(ended).toEqual(['start: HSM_UNREACHABLE', 'rollback: STORE_UNREADABLE', 'resume: rolled-back'])
})

test('an origin of one user is found although another user has been made anew there', async () => {
  const ended = await told({
    fleet: { clusters: [2, 2, 5], users: 2 },
    turns: [
      turn({ retryOfficer: true, troubles: [trouble('user-deleted', { at: 445, user: 1, lasting: true })] }),
      turn({
        action: 'rollback',
        pauseBefore: 'store-pending',
        troubles: [trouble('user-deleted-everywhere', { at: 445 })],
      }),
    ],
    noise: 0,
  })
  expect(ended).toEqual([
    'start: USER_MISSING',
    'rollback: SEVERAL_HSMS_FAILED',
    'resume: NO_WAY_BACK',
    'resume: USER_MISSING',
    'resume: completed',
  ])
})

test('a copy that is tried on an HSM which may never have held the new password shows nothing before it does', async () => {
  const ended = await told({
    fleet: { clusters: [1, 3], ...ignoring },
    turns: [
      turn({ retryOfficer: true, troubles: [trouble('drop', { at: 490 })] }),
      turn({
        action: 'rollback',
        pauseBefore: 'store-pending',
        retryOfficer: true,
        troubles: [trouble('refuse-login', { at: 570 })],
      }),
    ],
    noise: 0,
  })
  expect(ended).toEqual(['start: CONNECTION_LOST', 'rollback: NO_WAY_BACK', 'resume: completed'])
})

test('a rollback says where a user is locked that it would copy, and ends once it is unlocked', async () => {
  const ended = await told({
    fleet: { utility: 'cloudhsm-cli', clusters: [2, 2, 1] },
    turns: [
      turn({ pauseBefore: 'restore-point' }),
      turn({ troubles: [trouble('user-locked', { hsm: 4 })], action: 'rollback' }),
    ],
    ending: 'rollback',
  })
  expect(ended).toContain('rollback: USER_LOCKED')
  expect(ended.at(-1)).toMatch(/: (rolled-back|completed)$/)
})

test('a user may keep an ID that it got because another one has its own', async () => {
  const everywhere = [
    trouble('user-deleted-everywhere', { at: 523, user: 1 }),
    trouble('user-made-anew-everywhere', { at: 596 }),
  ]
  const ended = await told({
    fleet: { clusters: [2, 1], users: 2 },
    wishes: { mayStayBehind: 0 },
    turns: [turn({ troubles: everywhere })],
    noise: 0,
  })
  expect(ended.at(-1)).toBe('resume: completed')
})

test('a repair of a user that was made anew everywhere gives nothing what nobody can show, and ends by another one', async () => {
  const ended = await told({
    fleet: { clusters: [2, 3], oddities: [{ kind: 'drifted', hsm: 6, user: 0 }] },
    repair: { from: 0 },
    wishes: { current: 'given' },
    turns: [
      turn({
        troubles: [trouble('user-made-anew-everywhere', { at: 619, lasting: true })],
        pauseBefore: 'store-pending',
      }),
      turn({ mistypes: true }),
    ],
    overwriteOther: true,
    noise: 0,
  })
  // Nothing is left that could show that it is right what is typed: it is closed, and another repair gives it.
  expect(ended.slice(1, 3)).toEqual(['resume: ORIGIN_LOST', 'resume: ORIGIN_LOST'])
  expect(ended.at(-1)).toBe('repair: completed')
})
