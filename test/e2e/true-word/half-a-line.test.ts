import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { USER } from '../../helpers/cli-rotation.js'
import { projectPath } from '../../helpers/lockstep.js'
import { endOf, everyHsm } from '../../helpers/observed.js'
import { testFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { story } from '../../helpers/story.js'
import { NEW_PASSWORD } from '../../helpers/workplace.js'

const PRELOADED = `--import=${pathToFileURL(projectPath('test/support/half-a-line.mjs'))}`
const families = {
  once: testFamily('once', { source: 4, destination: 1 }),
  stays: testFamily('stays', { source: 3, destination: 1 }),
}
const fleet = sharedFleet(families)

/** The disk is full while the source's siblings are written side by side. */
const fullDisk = async (name: keyof typeof families, more: Readonly<Record<string, string>> = {}) => {
  const place = await fleet.at(name)
  const [, sibling = ''] = (await place.hsmIds()).source
  const env = { NODE_OPTIONS: PRELOADED, HALF_A_LINE: sibling, ...more }
  const started = await place.start(['--current-password=env:OLD', '--silence-timeout=5'], { env })
  const [journal = ''] = (await place.kept()).rotations
  const text = await readFile(join(place.stateDir, 'rotations', journal), 'utf8')
  const status = await place.status()
  const resumed = await place.resume(['--silence-timeout=2'])
  return { started, text, status, resumed, all: await everyHsm(place), held: await place.holds(USER, NEW_PASSWORD) }
}

describe.each([
  ['once, and somebody frees some space', 'once', {}],
  ['and stays so', 'stays', { DISK_STAYS_FULL: 'yes' }],
] as const)('a disk that is full %s', (_words, name, more) => {
  const left = story(() => fullDisk(name, more))

  test('pauses the rotation', () => expect(endOf(left().started)).toEqual([4, 'paused', 'JOURNAL_UNWRITABLE']))

  test('leaves nothing behind half a line, if it leaves that', () => {
    const lines = left().text.split('\n')
    const broken = lines.findIndex((line) => {
      try {
        JSON.parse(line)
        return false
      } catch {
        return true
      }
    })
    expect(broken).toBe(lines.length - 1)
  })

  test('leaves a journal that can be read', () => {
    expect([left().status.exitCode, left().status.json.outcome]).toEqual([4, 'paused'])
  })

  test('does not keep resume from ending it', () => {
    expect(endOf(left().resumed)).toEqual([0, 'completed', undefined])
    expect(left().held).toEqual(left().all.map(() => true))
  })
})
