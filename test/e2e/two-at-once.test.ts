import { describe, expect, test } from '@jest/globals'
import { testFamily } from '../helpers/payments.js'
import { sharedFleet } from '../helpers/shared-fleet.js'
import { NEW_PASSWORD } from '../helpers/workplace.js'

const fleet = sharedFleet(
  {
    twice: testFamily('twice'),
    early: testFamily('early'),
    impatient: testFamily('impatient'),
    late: testFamily('late'),
    starting: testFamily('starting'),
    leaving: testFamily('leaving'),
  },
  {},
  { acceptsNoWayBack: true },
)

/** Does something once, as soon as a line has been seen. */
const once = (line: string, act: (pid: number) => void) => {
  let done = false
  return (text: string, pid: number): void => {
    if (done || !text.includes(line)) return
    done = true
    act(pid)
  }
}

test('a second run is told who works on the cluster, since when and on what (exit 5), and disturbs nothing', async () => {
  const place = await fleet.at('twice')
  // The first one is halted in the middle, so that the second meets it for certain.
  let first: ReturnType<typeof place.start> | undefined
  const halted = await new Promise<number>((resolve) => {
    first = place.start([], {
      onStderr: once('[rehearse] started', (pid) => {
        process.kill(pid, 'SIGSTOP')
        resolve(pid)
      }),
    })
  })
  const second = await place.start()
  process.kill(halted, 'SIGCONT')
  expect(second.exitCode).toBe(5)
  expect(Object.keys(second.json)).toEqual(['error'])
  expect(second.json.error.code).toBe('LOCKED')
  expect(second.json.error.message).toMatch(
    new RegExp(`cluster-twice\\w+ is in use by r-[\\w-]+: .+@.+, process ${halted}, since 20.+Z, last action: .+Z`),
  )
  expect(second.json.error.suggestions.join('\n')).toContain('lockstep rotate status --rotation r-')
  const ended = await first
  expect(ended?.exitCode).toBe(0)
  expect(await place.holds('CU:app_crypto', NEW_PASSWORD)).toEqual([true, true])
  expect((await place.kept()).locks).toEqual([])
})

describe('Ctrl-C', () => {
  test('before anything changed: exit 130, nothing is left behind', async () => {
    const place = await fleet.at('early')
    const before = await place.truth()
    const onStderr = once('[preflight] started', (pid) => process.kill(pid, 'SIGINT'))
    const ended = await place.start([], { onStderr })
    expect(ended.exitCode).toBe(130)
    expect(ended.json.error.code).toBe('INTERRUPTED')
    expect(await place.truth()).toEqual(before)
    expect(await place.kept()).toEqual({ rotations: [], store: false, locks: [] })
  })

  test('twice before anything changed: exit 130 at once', async () => {
    const place = await fleet.at('impatient')
    const hsms = await place.hsmIds()
    const before = await place.truth()
    await fleet.fault('silent', '--hsm', hsms.source[0] ?? '')
    const first = once('[preflight] started', (pid) => process.kill(pid, 'SIGINT'))
    const second = once('press Ctrl-C again', (pid) => process.kill(pid, 'SIGINT'))
    const onStderr = (text: string, pid: number) => {
      first(text, pid)
      second(text, pid)
    }
    const ended = await place.start([], { onStderr })
    expect(ended.exitCode).toBe(130)
    expect(ended.json).toEqual({
      error: { code: 'INTERRUPTED', message: 'interrupted; no HSM was changed', suggestions: [] },
    })
    expect(await place.truth()).toEqual(before)
    expect((await place.run(['rotate', 'list', '--json'])).json).toEqual({ rotations: [] })
  })

  test('in the middle: the HSM in hand is finished, exit 4, and resume completes', async () => {
    const place = await fleet.at('late')
    const onStderr = once('[change] started', (pid) => process.kill(pid, 'SIGINT'))
    const ended = await place.start([], { onStderr })
    expect(ended.exitCode).toBe(4)
    expect(ended.json).toMatchObject({ outcome: 'paused', error: { code: 'INTERRUPTED' } })
    const resumed = await place.resume()
    expect(resumed.exitCode).toBe(0)
    expect(resumed.json.failedLogins).toBe(0)
    expect(await place.holds('CU:app_crypto', NEW_PASSWORD)).toEqual([true, true])
  })

  test('while the program still gathers what it needs: exit 130, and of a rotation that was begun its document and 4', async () => {
    const place = await fleet.at('starting')
    // The command that prints the password interrupts the program that waits for it.
    const interrupting = '--officer-password=command:kill -INT $PPID; sleep 1'
    const started = await place.start([interrupting])
    expect([started.exitCode, started.json.error.code, Object.keys(started.json)]).toEqual([
      130,
      'INTERRUPTED',
      ['error'],
    ])
    expect(await place.kept()).toEqual({ rotations: [], store: false, locks: [] })
    const paused = await place.start(['--pause-before=rehearse'])
    const resumed = await place.resume([interrupting])
    expect([resumed.exitCode, resumed.json.rotationId, resumed.json.stage, resumed.json.error.code]).toEqual([
      4,
      paused.json.rotationId,
      'rehearse',
      'INTERRUPTED',
    ])
  })

  test('twice in the middle: exit 4 at once, with the document of the rotation', async () => {
    const place = await fleet.at('leaving')
    const [first = ''] = (await place.hsmIds()).source
    const begun = once('[change] started', (pid) => {
      void fleet.fault('silent', '--hsm', first).then(() => process.kill(pid, 'SIGINT'))
    })
    const again = once('press Ctrl-C again', (pid) => process.kill(pid, 'SIGINT'))
    const onStderr = (text: string, pid: number) => {
      begun(text, pid)
      again(text, pid)
    }
    // Before the change it stands still until the HSM is silent for certain.
    const ended = await place.start(['--before-change=sleep 2'], { onStderr })
    expect(ended.exitCode).toBe(4)
    expect(ended.json).toMatchObject({ outcome: 'paused', stage: 'change', error: { code: 'INTERRUPTED' } })
    expect(ended.json.error.suggestions).toEqual([`lockstep rotate resume --rotation ${ended.json.rotationId}`])
    await fleet.fault('silent', '--hsm', first, '--off')
  })
})
