import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { JournalEntry } from '../../src/domain/rotation/journal-entry.js'
import { testFamily } from '../helpers/payments.js'
import { sharedFleet } from '../helpers/shared-fleet.js'
import { NEW_PASSWORD, type Workplace } from '../helpers/workplace.js'

// Enough for two conversations per HSM.
const names = Array.from({ length: 8 }, (_, index) => `app_${index + 1}`)
const users = names.map((name) => ({ type: 'CU', name, password: `TEST-old-${name}` }))
const userFlags = names.map((name) => `--user=CU:${name}`)
const family = (name: string) => testFamily(name, { source: 2, destination: 2, users })
const fleet = sharedFleet(
  { through: family('through'), dropped: family('dropped'), back: family('back') },
  {},
  { acceptsNoWayBack: true },
)

const journalOf = async ({ stateDir }: Workplace): Promise<JournalEntry[]> => {
  const folder = join(stateDir, 'rotations')
  const [file = ''] = await readdir(folder)
  return (await readFile(join(folder, file), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

const holding = async (place: Workplace, password: (name: string) => string): Promise<boolean> => {
  const held = await Promise.all(names.map((name) => place.holds(`CU:${name}`, password(name))))
  return held.flat().every((match) => match === true)
}

describe('a rotation of many users', () => {
  test('works on an HSM in two conversations, each user in one of them', async () => {
    const place = await fleet.at('through')
    const started = await place.start(userFlags)
    expect(started.exitCode).toBe(0)
    expect(await holding(place, () => NEW_PASSWORD)).toBe(true)
    const conversations = new Map<string, Set<number>>()
    for (const { event } of await journalOf(place)) {
      if (event.type !== 'intent' || event.intent.act !== 'login') continue
      const hsmId = event.intent.hsmIds.join()
      conversations.set(hsmId, (conversations.get(hsmId) ?? new Set()).add(event.process.pid))
    }
    expect([...conversations.values()].map((processes) => processes.size)).toEqual([2, 2, 2, 2])
  })

  test('--concurrency 1 keeps to one session at a time', async () => {
    const place = await fleet.at('through')
    const started = await place.start([...userFlags, '--concurrency=1'], { env: { NEW: 'TEST-new-2' } })
    expect(started.exitCode).toBe(0)
    const [entries, order] = [await journalOf(place), [] as number[]]
    for (const { event } of entries) {
      if (event.type === 'intent' && event.process.pid !== order.at(-1)) order.push(event.process.pid)
    }
    expect(order).toHaveLength(new Set(order).size)
    expect(await holding(place, () => 'TEST-new-2')).toBe(true)
  })

  test('a connection lost in one conversation pauses the run, and resume converges', async () => {
    const place = await fleet.at('dropped')
    const [, sibling = ''] = (await place.hsmIds()).source
    await fleet.fault('drop', '--operation', 'insert', '--executes', '--hsm', sibling)
    const started = await place.start([...userFlags, '--silence-timeout=5'])
    expect([started.exitCode, started.json.stage]).toEqual([4, 'spread'])
    await fleet.fault('drop', '--operation', 'insert', '--hsm', sibling, '--off')
    expect((await place.resume(['--silence-timeout=1'])).exitCode).toBe(0)
    expect(await holding(place, () => NEW_PASSWORD)).toBe(true)
  })

  test('a paused run is rolled back for every user', async () => {
    const place = await fleet.at('back')
    expect((await place.start([...userFlags, '--pause-before=restore-point'])).exitCode).toBe(4)
    const back = await place.rollback()
    expect([back.exitCode, back.json.outcome]).toEqual([6, 'rolled-back'])
    expect(await holding(place, (name) => `TEST-old-${name}`)).toBe(true)
  })
})
