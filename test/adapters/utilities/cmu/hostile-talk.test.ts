import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { findPrompt } from '../../../../src/adapters/utilities/cmu/prompts.js'
import { ManagementUtilitySession } from '../../../../src/adapters/utilities/cmu/session.js'
import { startInTerminal, type Terminal } from '../../../../src/adapters/utilities/process/terminal.js'
import { TerminalTalk } from '../../../../src/adapters/utilities/process/terminal-talk.js'
import { ConsoleFailure } from '../../../../src/domain/hsm-console.js'
import type { EniIp, HsmId } from '../../../../src/domain/ids.js'
import type { RosterEntry } from '../../../../src/domain/roster.js'
import { Secret } from '../../../../src/domain/secret.js'
import {
  corrupted,
  type Delivery,
  doneIn,
  recording,
  replaying,
  type Turn,
  wordsOf,
} from '../../../helpers/recorded-talk.js'
import { rosterOf } from '../../../helpers/rotation.js'
import { type RunningFleet, startSimulator } from '../../../helpers/simulator.js'
import { writeConfig } from '../../../simulator/support/typed-session.js'

const OFFICER = { type: 'CO', name: 'admin' } as const
const APP = { type: 'CU', name: 'app_crypto' } as const
const OFFICER_PASSWORD = new Secret('TEST-officer-1')
const NEW_PASSWORD = new Secret('TEST-SECRET-hostile')

type Step = (session: ManagementUtilitySession, servers: readonly RosterEntry[]) => Promise<unknown>

/** What a rotation asks of a session: all of it in one talk. */
const STEPS: readonly Step[] = [
  (session) => session.start(),
  (session) => session.listUsers(),
  (session) => session.login(OFFICER, OFFICER_PASSWORD, session.hsmIds),
  (session) => session.changePassword(APP, NEW_PASSWORD),
  (session, [from, to]) => session.copyUser({ ...APP, userId: 3 }, from?.hsmId as HsmId, to?.hsmId as HsmId),
  (session) => session.logout(),
  (session) => session.login(APP, NEW_PASSWORD, session.hsmIds),
]

interface Talk {
  readonly turns: readonly Turn[]
  readonly servers: readonly RosterEntry[]
  readonly results: readonly unknown[]
  /** How much had been said when each step had its answer. */
  readonly ends: readonly number[]
}

/** Runs the steps until one fails. */
const walk = async (terminal: Terminal, servers: readonly RosterEntry[], silenceMs = 5_000) => {
  const talk = new TerminalTalk(terminal, { now: new Date(0), findPrompt, settleMs: 0 })
  const limits = { startupMs: silenceMs, commandMs: silenceMs, goodbyeMs: 50 }
  const session = new ManagementUtilitySession(talk, servers, limits, async () => undefined)
  const results: unknown[] = []
  let failure: unknown = null
  try {
    for (const step of STEPS) results.push(await step(session, servers))
  } catch (error) {
    failure = error
  }
  await session.close()
  return { results, failure, transcript: talk.transcript() }
}

const record = async (sim: RunningFleet, entries: readonly RosterEntry[]): Promise<Talk> => {
  const config = await writeConfig(
    sim.dir,
    entries.map(({ eniIp }) => eniIp),
  )
  const pty = startInTerminal(sim.ready.managementUtility, [config], { cwd: sim.dir, env: { TERM: 'dumb' } })
  const { terminal, turns } = recording(pty)
  const talk = new TerminalTalk(terminal, { now: new Date(0), findPrompt })
  const limits = { startupMs: 20_000, commandMs: 20_000, goodbyeMs: 2_000 }
  const session = new ManagementUtilitySession(talk, entries, limits, async () => undefined)
  const results: unknown[] = []
  const ends: number[] = []
  for (const step of STEPS) {
    results.push(await step(session, entries))
    ends.push(wordsOf(turns()).trimEnd().length)
  }
  await session.close()
  return { turns: turns(), servers: entries, results, ends }
}

let sim: RunningFleet
const talks: Record<string, Talk> = {}

beforeAll(async () => {
  const clusters = [
    { clusterId: 'cluster-aaaaaaaaaaa', region: 'us-east-1', hsms: 2 },
    { clusterId: 'cluster-bbbbbbbbbbb', region: 'eu-west-1', hsms: 2, clonedFrom: 'cluster-aaaaaaaaaaa' },
  ]
  const users = [
    { ...OFFICER, password: OFFICER_PASSWORD.reveal() },
    { ...APP, password: 'TEST-old-1' },
  ]
  sim = await startSimulator({ version: 1, families: [{ name: 'payments', users, clusters }] })
  const { hsms } = await sim.state()
  const pairOf = (indexes: readonly number[]): RosterEntry[] =>
    indexes.map((index, at) => ({
      ...(rosterOf(2, 0)[at] as RosterEntry),
      hsmId: hsms[index]?.hsmId as HsmId,
      eniIp: hsms[index]?.eniIp as EniIp,
    }))
  talks['done'] = await record(sim, pairOf([0, 2]))
  const refused = pairOf([1, 3])
  await sim.fault('logged-in', '--hsm', refused[1]?.hsmId ?? '', '--user', 'CU:app_crypto')
  await sim.fault('refuse', '--operation', 'insert', '--hsm', refused[1]?.hsmId ?? '')
  talks['refused'] = await record(sim, refused)
})
afterAll(() => sim?.stop())

const talkOf = (name: string): Talk => talks[name] as Talk
const through = (talk: Talk, delivery?: Delivery, silenceMs?: number) =>
  walk(replaying(talk.turns, delivery), talk.servers, silenceMs)

describe.each(['done', 'refused'])('a talk of an HSM pair (%s)', (name) => {
  test('replayed as it was recorded has the same answers', async () => {
    const talk = talkOf(name)
    const { results, failure } = await through(talk)
    expect(failure).toBeNull()
    expect(results).toEqual(talk.results)
    expect(JSON.stringify([...(talk.results[3] as Map<string, unknown>).values()])).toContain(name)
  })

  test('that ends at any byte has the answers that were whole by then, and a failure that names no other HSM', async () => {
    const talk = talkOf(name)
    const length = talk.ends.at(-1) ?? 0
    // Both talks begin alike.
    const begin = name === 'done' ? 0 : (talk.ends[2] ?? 0)
    const wrong: unknown[] = []
    for (let cutAt = begin; cutAt < length; cutAt += 1) {
      const { results, failure } = await through(talk, { cutAt })
      const whole = talk.ends.filter((end) => end <= cutAt).length
      try {
        expect(results).toEqual(talk.results.slice(0, whole))
        expect(failure).toBeInstanceOf(ConsoleFailure)
        const known = talk.servers.map(({ hsmId }) => hsmId)
        expect(known).toEqual(expect.arrayContaining([...(failure as ConsoleFailure).hsmIds]))
        expect((failure as ConsoleFailure).transcript).not.toContain('TEST-')
      } catch (error) {
        wrong.push([cutAt, String(error)])
      }
    }
    expect(wrong).toEqual([])
  })

  test('that falls silent ends by time', async () => {
    const talk = talkOf(name)
    const length = talk.ends.at(-1) ?? 0
    const cuts = Array.from({ length: 25 }, (_, index) => Math.floor((index * length) / 25) + 1)
    const ended = await Promise.all(cuts.map((cutAt) => through(talk, { cutAt, stays: true }, 150)))
    for (const { failure } of ended) expect((failure as ConsoleFailure).kind).toMatch(/^(silent|unreachable)$/)
  })

  test('delivered in two pieces, split at any byte, has the same answers', async () => {
    const talk = talkOf(name)
    const longest = Math.max(...talk.turns.map(({ said }) => said.length))
    // Every turn is split at once, so that each byte of each turn has its run.
    for (let at = 1; at < longest; at += 1) {
      const pieces = (said: string) => [said.slice(0, at), said.slice(at)].filter((piece) => piece !== '')
      const { results, failure } = await through(talk, { pieces })
      if (failure !== null) throw new Error(`split at ${at}`, { cause: failure })
      expect(results).toEqual(talk.results)
    }
  })

  test('delivered one byte at a time has the same answers', async () => {
    const talk = talkOf(name)
    const { results, failure } = await through(talk, { pieces: (said) => [...said] })
    expect(failure).toBeNull()
    expect(results).toEqual(talk.results)
  })

  test('with bytes changed, added or lost claims nothing that was not done', async () => {
    const talk = talkOf(name)
    const length = wordsOf(talk.turns).length
    const change = fc.record({
      at: fc.nat(length),
      take: fc.nat(4),
      put: fc.oneof(
        fc.string({ unit: 'binary', maxLength: 6 }),
        fc.constantFrom(
          'aws-cloudhsm>',
          '\r\nserver1>',
          '\n',
          '\u001b[2J',
          '\u0000',
          'Enter password:',
          '(y/n)?',
          '\u009b',
        ),
      ),
    })
    const property = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 5 }), async (changes) => {
      const { results, failure } = await walk(replaying(changes.reduce(corrupted, talk.turns)), talk.servers, 100)
      if (failure !== null) expect(failure).toBeInstanceOf(ConsoleFailure)
      results.forEach((result, index) => {
        expect(doneIn(talk.results[index])).toEqual(expect.arrayContaining(doneIn(result)))
      })
    })
    await fc.assert(property, { numRuns: 40, seed: 20260301 })
  })
})
