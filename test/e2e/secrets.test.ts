import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { descendantsOf } from '../helpers/descendants.js'
import { testFamily } from '../helpers/payments.js'
import { sharedFleet } from '../helpers/shared-fleet.js'

const NEW = 'TEST-SECRET-canary-new'
const OLD = 'TEST-SECRET-canary-old'
const OFFICER = 'TEST-SECRET-canary-officer'

const users = [
  { type: 'CO', name: 'admin', password: OFFICER },
  { type: 'CU', name: 'app_crypto', password: OLD },
]
const fleet = sharedFleet({ canary: testFamily('canary', { source: 2, destination: 2, users }) })

/** The canaries as they are and as they are often written. */
const FORMS = [NEW, OLD, OFFICER].flatMap((secret) => [
  secret,
  Buffer.from(secret).toString('hex'),
  // Two characters fewer at the end: what they are depends on what follows.
  Buffer.from(secret).toString('base64').slice(0, -3),
  [...secret].join('\0'),
])
const canariesIn = (text: string): string[] => FORMS.filter((form) => text.includes(form))

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
  const given = [join(place.folder, 'officer.txt'), join(place.folder, 'environment.txt')]
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
  const env = { NEW, OLD: 'not used here', OFFICER: 'not used here' }
  const [, sibling = ''] = (await place.hsmIds()).source
  await fleet.fault('refuse', '--operation', 'insert', '--hsm', sibling)

  // When: a run stops in the middle, with the conversation in its error, and is taken up again
  const paused = await watched((onStderr) =>
    place.start(
      [
        '--officer-password=file:officer.txt',
        '--new-password=env:NEW',
        '--current-password=command:cat /proc/self/environ > environment.txt; printf %s TEST-SECRET-canary-; echo old',
      ],
      { env, onStderr },
    ),
  )
  await fleet.fault('refuse', '--operation', 'insert', '--hsm', sibling, '--off')
  const resumed = await watched((onStderr) => place.resume(['--silence-timeout=3'], { env: { OFFICER }, onStderr }))

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

  // A command that fetches one password does not see the others.
  const environment = readFileSync(join(place.folder, 'environment.txt'), 'latin1')
  expect(environment).toContain('PATH=')
  expect(canariesIn(environment)).toEqual([])
})
