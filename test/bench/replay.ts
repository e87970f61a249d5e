import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { journalShelf } from '../../src/adapters/journal-file/shelf.js'
import type { UserKey } from '../../src/domain/hsm-user.js'
import type { ClusterId, EniIp, HsmId, RegionName, RotationId, ServerId } from '../../src/domain/ids.js'
import type { JournalEvent, RotationFacts } from '../../src/domain/rotation/journal-entry.js'
import { assignParts, type PlannedCluster } from '../../src/domain/rotation/plan.js'
import { STAGES } from '../../src/domain/rotation/stage.js'
import { interleaved, type Measure, median, spreadOf } from './measure.js'
import { weighedLockstep } from './program.js'

const CLUSTERS = 4
const HSMS_PER_CLUSTER = 28

/** How long it takes to know a finished rotation again from its journal, and what that weighs. */
export const replay = async (rounds: number, users: number): Promise<Measure[]> => {
  const home = await mkdtemp(join(tmpdir(), 'lockstep-bench-'))
  try {
    const [whole, quarter] = [join(home, 'whole'), join(home, 'quarter')]
    const lines = await writeFinishedJournal(whole, users)
    await writeFinishedJournal(quarter, users / 4)
    const replayed = (dir: string) => () => weighedLockstep(['rotate', 'list', '--json'], { LOCKSTEP_STATE_DIR: dir })
    const empty = replayed(join(home, 'empty'))
    const taken = await interleaved(rounds, { whole: replayed(whole), quarter: replayed(quarter), empty })
    const ms = Object.fromEntries(
      Object.entries(taken).map(([name, runs]) => [name, runs.map((ran) => ran.ms)]),
    ) as Record<keyof typeof taken, number[]>
    const size = `${CLUSTERS} clusters × ${HSMS_PER_CLUSTER} HSMs × ${users} users, ${lines} lines`
    const net = (values: readonly number[]): number => Math.max(1, median(values) - median(ms.empty))
    return [
      {
        name: 'replay of a finished journal',
        value: median(ms.whole) / 1000,
        unit: 's',
        bar: 3,
        kind: 'most',
        how: `rotate list ${spreadOf(ms.whole)}, ${size}`,
      },
      {
        name: 'peak memory of that replay',
        value: Math.max(...taken.whole.map(({ peakMb }) => peakMb)),
        unit: 'MB',
        bar: 400,
        kind: 'most',
        how: 'resident',
      },
      {
        name: 'replay of four times as many cells',
        value: net(ms.whole) / net(ms.quarter),
        unit: 'x',
        bar: 4.8,
        kind: 'most',
        how: `linear is 4 x; without start-up ${Math.round(net(ms.whole))} ms against ${Math.round(net(ms.quarter))} ms`,
      },
    ]
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

/**
 * Writes the journal of a rotation that went through, by the adapter that writes real ones.
 * @returns how many lines it has
 */
const writeFinishedJournal = async (stateDir: string, userCount: number): Promise<number> => {
  const facts = factsOf(userCount)
  const { plan } = facts
  const { journal } = await journalShelf(join(stateDir, 'rotations'), () => new Date()).create(facts)
  const process = { pid: 4711, startedAt: '2026-03-01T03:15:00.000Z' }
  let lines = 1
  const append = async (events: readonly JournalEvent[]): Promise<void> => {
    // Side by side: they share one write.
    await Promise.all(events.map((event) => journal.append(event)))
    lines += events.length
  }
  await append([
    { type: 'store', act: 'put-pending', phase: 'intent' },
    { type: 'store', act: 'put-pending', phase: 'read-back', withCurrent: false },
    { type: 'copies', verdict: 'overwrites', evidence: 'the new credential logged in after syncUser' },
    { type: 'propagation', method: 'sync', evidence: 'the new credential logged in after syncUser' },
  ])
  for (const { hsmId } of plan.roster) {
    const events: JournalEvent[] = []
    const ask = (intent: Extract<JournalEvent, { type: 'intent' }>['intent']): void => {
      events.push({ type: 'intent', intent, process })
      events.push({ type: 'answer', to: lines + events.length, answer: { kind: 'done' } })
    }
    for (const { key: user } of plan.users) {
      if (hsmId === plan.parts.first) ask({ act: 'change', user, hsmIds: [hsmId], credential: 'new' })
      else ask({ act: 'copy', user, from: plan.parts.first, hsmIds: [hsmId], credential: 'new', rehearsal: false })
    }
    for (const { key: user } of plan.users) ask({ act: 'login', user, hsmIds: [hsmId], credential: 'new' })
    await append(events)
  }
  await append(plan.roster.map(({ hsmId }) => ({ type: 'listed', hsms: [{ hsmId, counted: true }] })))
  await append([
    { type: 'aws', differences: [] },
    { type: 'store', act: 'promote', phase: 'intent' },
    { type: 'store', act: 'promote', phase: 'read-back' },
    { type: 'applications-told', failure: null },
  ])
  const stages = STAGES.filter((stage) => stage !== 'preflight')
  await append(stages.map((stage) => ({ type: 'stage-completed' as const, stage })))
  await append([{ type: 'finished', outcome: 'completed' }])
  await journal.close()
  return lines
}

const factsOf = (userCount: number): RotationFacts => {
  const regions = ['us-east-1', 'eu-west-1', 'ap-southeast-2', 'sa-east-1'] as RegionName[]
  const clusters: PlannedCluster[] = regions.slice(0, CLUSTERS).map((region, index) => ({
    clusterId: `cluster-${'abcd'[index]?.repeat(11)}` as ClusterId,
    region,
    profile: null,
    hsmType: 'hsm1.medium',
  }))
  const roster = clusters.flatMap(({ clusterId, region }, place) =>
    Array.from({ length: HSMS_PER_CLUSTER }, (_, index) => ({
      serverId: (place * HSMS_PER_CLUSTER + index) as ServerId,
      hsmId: `hsm-${'abcd'[place]?.repeat(9)}${'abcdefghijklmnopqrstuvwxyz23'[index]}a` as HsmId,
      eniIp: `10.${place}.0.${index + 10}` as EniIp,
      clusterId,
      region,
      role: place === 0 ? ('source' as const) : ('destination' as const),
    })),
  )
  const [source, ...destinations] = clusters
  if (source === undefined) throw new Error('a rotation has a source')
  const users = Array.from({ length: userCount }, (_, index) => {
    const name = `app_${String(index).padStart(4, '0')}`
    return { type: 'CU' as const, name, key: `CU:${name}` as UserKey, userId: index + 3, idsAgree: true }
  })
  return {
    rotationId: 'r-20260301-031500-k7q2' as RotationId,
    procedure: 'rotate',
    plan: {
      utility: 'cmu',
      source,
      destinations,
      leftOut: [],
      family: 'bench',
      users,
      roster,
      parts: assignParts(roster, 'cmu'),
    },
    observed: [],
    debts: [],
    lostClusters: [],
    acceptedNoWayBack: false,
    createMissing: false,
    recovered: false,
    store: 'file:credentials.age',
    newCredential: 'generated',
    from: null,
    config: { sha256: null, utility: 'cmu', document: { servers: [] } },
    operator: { user: 'bench', host: 'bench', pid: 4711 },
    version: '0.0.0',
  }
}
