import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { notAnswering } from '../../../../src/adapters/utilities/cloudhsm-cli/answering.js'
import { Conversation } from '../../../../src/adapters/utilities/cloudhsm-cli/conversation.js'
import { findCliPrompt } from '../../../../src/adapters/utilities/cloudhsm-cli/prompts.js'
import { clusterParts, SerialNumbers } from '../../../../src/adapters/utilities/cloudhsm-cli/roster-proof.js'
import { CloudHsmCliSession } from '../../../../src/adapters/utilities/cloudhsm-cli/session.js'
import { startInTerminal, type Terminal } from '../../../../src/adapters/utilities/process/terminal.js'
import { TerminalTalk } from '../../../../src/adapters/utilities/process/terminal-talk.js'
import { ConsoleFailure } from '../../../../src/domain/hsm-console.js'
import type { ClusterId } from '../../../../src/domain/ids.js'
import type { RosterEntry } from '../../../../src/domain/roster.js'
import { Secret } from '../../../../src/domain/secret.js'
import { rosterOfFleet } from '../../../helpers/cli-bench.js'
import {
  corrupted,
  type Delivery,
  doneIn,
  recording,
  replaying,
  type Turn,
  wordsOf,
} from '../../../helpers/recorded-talk.js'
import { type RunningFleet, startSimulator } from '../../../helpers/simulator.js'
import { writeCliConfig } from '../../../simulator/support/cloudhsm-cli.js'

const A = 'cluster-aaaaaaaaaaa' as ClusterId
const B = 'cluster-bbbbbbbbbbb' as ClusterId
const OFFICER = { type: 'CO', name: 'admin' } as const
const APP = { type: 'CU', name: 'app_crypto' } as const
const OFFICER_PASSWORD = new Secret('TEST-officer-1')
const NEW_PASSWORD = new Secret('TEST-SECRET-hostile')

type Step = (session: CloudHsmCliSession) => Promise<unknown>

const BEGINNING: readonly Step[] = [
  (session) => session.start(),
  (session) => session.login(OFFICER, OFFICER_PASSWORD, session.hsmIds),
]
const CHANGE: readonly Step[] = [
  ...BEGINNING,
  (session) => session.changePassword(APP, NEW_PASSWORD),
  (session) => session.logout(),
  (session) => session.login(APP, NEW_PASSWORD, session.hsmIds),
]
const COPY: readonly Step[] = [
  ...BEGINNING,
  (session) => session.listUsers(),
  (session) => session.quorum(),
  (session) => session.copyUser({ ...APP, userId: null }, A, B),
]

interface Talk {
  readonly steps: readonly Step[]
  readonly turns: readonly Turn[]
  readonly servers: readonly RosterEntry[]
  readonly results: readonly unknown[]
  /** How much had been said when each step had its answer. */
  readonly ends: readonly number[]
}

const sessionOn = (terminal: Terminal, servers: readonly RosterEntry[], silenceMs: number, settleMs: number) => {
  const talk = new TerminalTalk(terminal, { now: new Date(0), findPrompt: findCliPrompt, settleMs })
  const limits = { startupMs: silenceMs, commandMs: silenceMs, goodbyeMs: 50 }
  const session = new CloudHsmCliSession({
    terminal: talk,
    conversation: new Conversation(talk, servers, limits, async () => undefined),
    program: { path: 'cloudhsm-cli', version: [5, 17, 1], configOption: 'after-interactive' },
    clusters: clusterParts(servers, servers),
    serialNumbers: new SerialNumbers(),
    notAnswering,
    askAlone: null,
  })
  return session
}

/** Runs the steps until one fails. */
const walk = async (terminal: Terminal, { steps, servers }: Talk, silenceMs = 5_000) => {
  const session = sessionOn(terminal, servers, silenceMs, 0)
  const results: unknown[] = []
  let failure: unknown = null
  try {
    for (const step of steps) results.push(await step(session))
  } catch (error) {
    failure = error
  }
  await session.close()
  return { results, failure }
}

const record = async (sim: RunningFleet, servers: readonly RosterEntry[], steps: readonly Step[]): Promise<Talk> => {
  const clusterIds = [...new Set(servers.map(({ clusterId }) => clusterId))]
  const args = ['interactive', '--cluster-id', A, '--config', await writeCliConfig(sim, clusterIds)]
  const pty = startInTerminal(sim.ready.cloudhsmCli, args, { cwd: sim.dir, env: { TERM: 'dumb' } })
  const { terminal, turns } = recording(pty)
  const session = sessionOn(terminal, servers, 20_000, 5)
  const results: unknown[] = []
  const ends: number[] = []
  for (const step of steps) {
    results.push(await step(session))
    ends.push(wordsOf(turns()).trimEnd().length)
  }
  await session.close()
  return { steps, turns: turns(), servers, results, ends }
}

let sim: RunningFleet
const talks: Record<string, Talk> = {}

beforeAll(async () => {
  const clusters = [
    { clusterId: A, region: 'us-east-1', hsmType: 'hsm2m.medium', hsms: 1 },
    { clusterId: B, region: 'eu-west-1', hsmType: 'hsm2m.medium', hsms: 1, clonedFrom: A },
  ]
  const users = [
    { ...OFFICER, password: OFFICER_PASSWORD.reveal() },
    { ...APP, password: 'TEST-old-1' },
  ]
  sim = await startSimulator({ version: 1, families: [{ name: 'payments', users, clusters }] })
  const roster = await rosterOfFleet(sim)
  const onA = roster.filter(({ clusterId }) => clusterId === A)
  talks['a copy'] = await record(sim, roster, COPY)
  talks['a change'] = await record(sim, onA, CHANGE)
  await sim.fault('quorum', '--hsm', onA[0]?.hsmId ?? '')
  talks['a refusal'] = await record(sim, onA, BEGINNING.concat(CHANGE.slice(2, 4)))
})
afterAll(() => sim?.stop())

const talkOf = (name: string): Talk => talks[name] as Talk
const through = (talk: Talk, delivery?: Delivery, silenceMs?: number) =>
  walk(replaying(talk.turns, delivery), talk, silenceMs)

describe.each([
  ['a copy', 4, 'done'],
  ['a change', 2, 'done'],
  ['a refusal', 2, 'quorum'],
])('the talk of %s', (name, step, word) => {
  test('replayed as it was recorded, at once or one byte at a time, has the same answers', async () => {
    const talk = talkOf(name)
    for (const delivery of [{}, { pieces: (said: string) => [...said] }]) {
      const { results, failure } = await through(talk, delivery)
      expect(failure).toBeNull()
      expect(results).toEqual(talk.results)
    }
    const result = talk.results[step]
    expect(JSON.stringify(result instanceof Map ? [...result.values()] : result)).toContain(word)
  })

  test('that ends at any byte has the answers that were whole by then, and a failure that names no other HSM', async () => {
    const talk = talkOf(name)
    const known = talk.servers.map(({ hsmId }) => hsmId)
    const wrong: unknown[] = []
    for (let cutAt = 0; cutAt < (talk.ends.at(-1) ?? 0); cutAt += 1) {
      const { results, failure } = await through(talk, { cutAt })
      const whole = talk.ends.filter((end) => end <= cutAt).length
      try {
        expect(results).toEqual(talk.results.slice(0, whole))
        expect(failure).toBeInstanceOf(ConsoleFailure)
        expect(known).toEqual(expect.arrayContaining([...(failure as ConsoleFailure).hsmIds]))
        expect((failure as ConsoleFailure).transcript).not.toContain('TEST-')
      } catch (error) {
        wrong.push([cutAt, String(error)])
      }
    }
    expect(wrong).toEqual([])
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

  test('that falls silent ends by time', async () => {
    const talk = talkOf(name)
    const length = talk.ends.at(-1) ?? 0
    const cuts = Array.from({ length: 15 }, (_, index) => Math.floor((index * length) / 15) + 1)
    const ended = await Promise.all(cuts.map((cutAt) => through(talk, { cutAt, stays: true }, 150)))
    for (const { failure } of ended) expect((failure as ConsoleFailure).kind).toMatch(/^(silent|unreachable)$/)
  })

  test('with bytes changed, added or lost claims nothing that was not done', async () => {
    const talk = talkOf(name)
    const change = fc.record({
      at: fc.nat(wordsOf(talk.turns).length),
      take: fc.nat(4),
      put: fc.oneof(
        fc.string({ unit: 'binary', maxLength: 6 }),
        fc.constantFrom('aws-cloudhsm > ', '\r\nx@y > ', '\n', '\u001b[2J', '\u0000', 'Enter password:', '{', '}', '"'),
        fc.constantFrom(
          '\n{"error_code":0,"data":{"username":"app_crypto","role":"crypto-user"}}\n',
          '\u009b',
          '\u202e',
        ),
      ),
    })
    const property = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 5 }), async (changes) => {
      const { results, failure } = await walk(replaying(changes.reduce(corrupted, talk.turns)), talk, 100)
      if (failure !== null) expect(failure).toBeInstanceOf(ConsoleFailure)
      results.forEach((result, index) => {
        expect(doneIn(talk.results[index])).toEqual(expect.arrayContaining(doneIn(result)))
      })
    })
    await fc.assert(property, { numRuns: 40, seed: 20260301 })
  })
})
