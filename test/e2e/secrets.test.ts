import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { canaryWatch } from '../helpers/canary.js'
import { descendantsOf } from '../helpers/descendants.js'
import { lockstepOnTerminal } from '../helpers/lockstep-on-terminal.js'
import { testFamily } from '../helpers/payments.js'
import { listingOf, openingOf, PROMPT, scriptedUtility } from '../helpers/scripted-utility.js'
import { sharedFleet } from '../helpers/shared-fleet.js'

// Nothing else looks like any eight characters of these, and each needs escaping somewhere.
const NEW = 'nQ7+w/Vx3"Kd&9zR%new1'
const OLD = 'oT4=m?Jb8<Lc$2sY%old2'
const OFFICER = 'fH6~p;Gw5>Ue^1aX%off3'
const canariesIn = canaryWatch([NEW, OLD, OFFICER])

const users = [
  { type: 'CO', name: 'admin', password: OFFICER },
  { type: 'CU', name: 'app_crypto', password: OLD },
]
const families = {
  canary: testFamily('canary', { source: 2, destination: 2, users }),
  failures: testFamily('failures', { users }),
}
const fleet = sharedFleet(families)

/** Files come and go while this looks. */
const unlessGone = <T>(look: () => T, otherwise: T): T => {
  try {
    return look()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return otherwise
    throw error
  }
}

const filesBelow = (folder: string): string[] =>
  unlessGone(() => readdirSync(folder, { withFileTypes: true }), []).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesBelow(path) : entry.isFile() ? [path] : []
  })

test('no password is in a file, in the output, or visible to other processes, while a rotation stops and goes on', async () => {
  const place = await fleet.at('canary')
  await place.write('officer.txt', `${OFFICER}\n`)
  await place.write('old.txt', `${OLD}\n`)
  mkdirSync(join(place.folder, 'reports'))
  const given = [join(place.folder, 'officer.txt'), join(place.folder, 'old.txt')]
  const seen = { programs: new Set<string>(), files: new Set<string>(), leaks: new Set<string>() }
  const look = (pid: number) => {
    for (const { cmdline, environ } of descendantsOf(pid)) {
      seen.programs.add(cmdline.replaceAll('\0', ' '))
      for (const leak of canariesIn(cmdline + environ)) seen.leaks.add(`${leak} in ${cmdline}`)
    }
    for (const path of filesBelow(place.folder)) {
      if (given.includes(path)) continue
      seen.files.add(path)
      const text = unlessGone(() => readFileSync(path, 'latin1'), '')
      for (const leak of canariesIn(text)) seen.leaks.add(`${leak} in ${path}`)
    }
  }
  const watched = async (run: (onStderr: (text: string, pid: number) => void) => ReturnType<typeof place.start>) => {
    let pid = 0
    const timer = setInterval(() => pid > 0 && look(pid), 25)
    try {
      return await run((_text, of) => {
        pid = of
      })
    } finally {
      clearInterval(timer)
    }
  }
  const env = {
    NEW,
    OLD: 'not used here',
    OFFICER: 'not used here',
    DEBUG: '*',
    LOCKSTEP_PASS_ENV: 'NEW,STORE_KEY',
    // Node tells what it knows when it is asked or when a run ends badly; the variables are part of it.
    NODE_OPTIONS: `--report-on-signal --report-uncaught-exception --report-on-fatalerror --report-directory=${join(place.folder, 'reports')}`,
  }
  const [, sibling = ''] = (await place.hsmIds()).source
  await fleet.fault('refuse', '--operation', 'insert', '--hsm', sibling)

  // When: a run stops in the middle, with the conversation in its error, and is taken up again
  const paused = await watched((onStderr) =>
    place.start(
      [
        '--officer-password=file:officer.txt',
        '--new-password=env:NEW',
        '--current-password=command:cat /proc/self/environ > environment.txt; cat old.txt',
        '--before-change=cat /proc/self/environ > hook-environment.txt; kill -USR2 $PPID; sleep 0.3',
      ],
      { env, onStderr },
    ),
  )
  await fleet.fault('refuse', '--operation', 'insert', '--hsm', sibling, '--off')
  const resumed = await watched((onStderr) =>
    place.resume(['--silence-timeout=3'], { env: { OFFICER, DEBUG: '*' }, onStderr }),
  )

  // Then
  expect(paused.exitCode).toBe(4)
  expect(resumed.exitCode).toBe(0)
  expect(await place.holds('CU:app_crypto', NEW)).toEqual([true, true, true, true])
  expect([...seen.leaks]).toEqual([])
  for (const { stdout, stderr } of [paused, resumed]) expect(canariesIn(stdout + stderr)).toEqual([])

  // The watch saw what it was meant to see.
  expect([...seen.programs].filter((program) => program.includes('cmu/main.js')).length).toBeGreaterThan(0)
  expect([...seen.files].some((path) => path.endsWith('.jsonl'))).toBe(true)
  expect(seen.files).toContain(place.storePath)

  expect(readdirSync(join(place.folder, 'reports')).filter((name) => name.endsWith('.json'))).not.toEqual([])

  // A command that fetches one password does not see the others, nor does a hook.
  for (const name of ['environment.txt', 'hook-environment.txt']) {
    const environment = readFileSync(join(place.folder, name), 'latin1')
    expect(environment).toContain('PATH=')
    expect(environment).not.toMatch(/(^|\0)(NEW|STORE_KEY|OFFICER|OLD|DEBUG|NODE_OPTIONS)=/)
  }
})

test('no password is in what a run says when it fails, nor in what it leaves behind', async () => {
  const place = await fleet.at('failures')
  const [first, second] = (await place.truth()) as unknown as { hsmId: string; eniIp: string }[]
  const env = { NEW, OLD, OFFICER }
  const said: string[] = []
  const ran = async (run: ReturnType<typeof place.run>, exitCode: number) => {
    const { exitCode: ended, stdout, stderr } = await run
    said.push(stdout, stderr)
    expect([ended, stdout]).toEqual([exitCode, expect.anything()])
  }

  // The officer is refused, with a canary of another user; the store cannot be written; Node is told to print streams.
  await ran(place.start(['--officer-password=env:NEW'], { env }), 3)
  await ran(place.start(['--retry-officer', `--store=file:${place.folder}/no/store.age`], { env }), 3)
  await ran(place.start([], { env: { ...env, NODE_DEBUG: 'stream,net' } }), 2)
  await ran(place.start([], { env: { ...env, NODE_OPTIONS: '--heapsnapshot-signal=SIGUSR1' } }), 2)

  // The utility shows what is typed, in pieces, and dies in the middle of it.
  await ran(place.run(['config', 'generate', ...place.clusterFlags, '--out=merged.cfg', '--json'], { env }), 0)
  const cmu = await scriptedUtility(place.folder)
  const login = [{ hear: '^loginHSM CU app_crypto -hpswd$' }, { say: 'Enter password:' }]
  const scriptOf = (server: { hsmId: string; eniIp: string }, end: object[]) => [
    ...openingOf(server),
    ...listingOf(server, ['app_crypto']),
    ...login,
    ...end,
  ]
  if (first === undefined || second === undefined) throw new Error('two HSMs were expected')
  await place.write(
    'utility.json',
    JSON.stringify({
      [first.eniIp]: scriptOf(first, [
        { hear: '.', echo: true },
        { split: `\nloginHSM failed: ${OLD} in ${OLD.slice(0, 12)}\n${OLD.slice(12)}\n${PROMPT}` },
      ]),
      [second.eniIp]: scriptOf(second, [{ hear: '.', echo: false }, { split: OLD.slice(0, 13) }, { exit: 134 }]),
    }),
  )
  const prove = ['users', 'prove', '--config=merged.cfg', '--user=CU:app_crypto', '--password=env:OLD', '--json']
  await ran(place.run(prove, { env: { ...env, LOCKSTEP_CMU: cmu } }), 6)
  expect(said.at(-2)).toContain('[secret]')

  // On a terminal, with the password typed: all that reached the screen.
  const typed = await lockstepOnTerminal(
    ['users', 'prove', '--config=merged.cfg', '--user=CU:app_crypto', '--password=prompt'],
    { env: { ...place.env, ...env, DEBUG: '*' }, cwd: place.folder },
    [[/app_crypto:/, OLD]],
  )
  expect([typed.exitCode, typed.screen]).toEqual([0, expect.stringContaining('yes')])
  said.push(typed.screen)

  expect(said.flatMap(canariesIn)).toEqual([])
  const kept = filesBelow(place.folder).filter((path) => !path.endsWith('utility.json'))
  expect(kept.flatMap((path) => canariesIn(readFileSync(path, 'latin1')))).toEqual([])
})

test('the watch finds a secret however it is written', () => {
  const bytes = Buffer.from(NEW)
  for (const written of [
    NEW,
    Buffer.from(`x${NEW}y`).toString('base64'),
    Buffer.from(`xy${NEW}`).toString('base64url'),
    bytes.toString('hex').toUpperCase(),
    encodeURIComponent(NEW),
    JSON.stringify({ NEW }),
    [...NEW].reverse().join(''),
    `${NEW.slice(0, 9)}\u001b[1m\r\n${NEW.slice(9)}`,
    NEW.slice(5, 13),
  ]) {
    expect(canariesIn(`before ${written} after`)).not.toEqual([])
  }
  expect(canariesIn('before and after')).toEqual([])
})
