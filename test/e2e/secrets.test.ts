import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { canaryWatch } from '../helpers/canary.js'
import { lockstepOnTerminal } from '../helpers/lockstep-on-terminal.js'
import { type FamilyOptions, testFamily } from '../helpers/payments.js'
import { SCRIPTS, type ScriptedHsm, scriptedUtility } from '../helpers/scripted-utility.js'
import { secretSearch } from '../helpers/secret-search.js'
import { sharedFleet } from '../helpers/shared-fleet.js'

// Nothing else looks like any eight characters of these, and each needs escaping somewhere.
const NEW = 'nQ7+w/Vx3"Kd&9zR%new1'
const OLD = 'oT4=m?Jb8<Lc$2sY%old2'
const OFFICER = 'fH6~p;Gw5>Ue^1aX%off3'
const EU_OFFICER = 'eD5@k,Fv6|Tb!3yW%off4'
const SECRETS = [NEW, OLD, OFFICER, EU_OFFICER]

const users = [
  { type: 'CO', name: 'admin', password: OFFICER },
  { type: 'CU', name: 'app_crypto', password: OLD },
]
/** The officers of the clusters differ. */
const destinationUsers = [
  { type: 'CO', name: 'admin', absent: true },
  { type: 'CO', name: 'eu_admin', password: EU_OFFICER },
]

interface Path {
  readonly utility: 'cmu' | 'cloudhsm-cli'
  /** The program, as it stands in the command line of its process. */
  readonly program: string
  readonly family: FamilyOptions
  /** What stops the run once the new password has been propagated to some HSMs. */
  readonly operation: 'insert' | 'replicate'
  readonly stopsAt: (hsms: { source: readonly string[]; others: readonly string[] }) => string | undefined
}

const PATHS: readonly Path[] = [
  {
    utility: 'cmu',
    program: 'cmu/main.js',
    family: { source: 2, destination: 2, hsmType: 'hsm1.medium' },
    operation: 'insert',
    stopsAt: ({ source }) => source[1],
  },
  {
    utility: 'cloudhsm-cli',
    program: 'cloudhsm-cli/main.js',
    family: { source: 2, destination: 1, third: 1, hsmType: 'hsm2m.medium' },
    operation: 'replicate',
    stopsAt: ({ others }) => others.at(-1),
  },
]

describe.each(PATHS)('through $utility', ({ utility, program, family, operation, stopsAt }) => {
  const { hsmType = '' } = family
  const fleet = sharedFleet({
    canary: testFamily('canary', { ...family, users, destinationFields: { users: destinationUsers } }),
    changes: testFamily('changes', { users, hsmType }),
    failures: testFamily('failures', { users, hsmType }),
  })

  test('no password is in a file, in the output, or visible to other processes, while a rotation stops and goes on', async () => {
    const place = await fleet.at('canary')
    await place.write('officer.txt', `${OFFICER}\n`)
    await place.write('old.txt', `${OLD}\n`)
    mkdirSync(join(place.folder, 'reports'))
    const given = [join(place.folder, 'officer.txt'), join(place.folder, 'old.txt')]
    // Where the utility keeps what it reads and writes, too.
    const search = secretSearch(SECRETS, [place.folder, fleet.running.dir], (path) => given.includes(path))
    const euCluster = place.clusterFlags[1]?.split('=')[1]
    const euOfficer = [`--officer=${euCluster}=eu_admin`, `--officer-password=${euCluster}=env:EU_OFFICER`]
    const env = {
      NEW,
      OLD: 'not used here',
      OFFICER: 'not used here',
      EU_OFFICER,
      DEBUG: '*',
      LOCKSTEP_PASS_ENV: 'NEW,STORE_KEY',
      // Node tells what it knows when it is asked or when a run ends badly; the variables are part of it.
      NODE_OPTIONS: `--report-on-signal --report-uncaught-exception --report-on-fatalerror --report-directory=${join(place.folder, 'reports')}`,
    }
    const hsmIds = (await place.truth()).map(({ hsmId }) => hsmId)
    const { source } = await place.hsmIds()
    const stop = stopsAt({ source, others: hsmIds.filter((hsmId) => !source.includes(hsmId)) }) ?? ''
    await fleet.fault('refuse', '--operation', operation, '--hsm', stop)

    // When: a run stops in the middle, with the conversation in its error, and is taken up again
    const paused = await search.during((watch) =>
      place.start(
        [
          '--officer=admin',
          '--officer-password=file:officer.txt',
          ...euOfficer,
          '--new-password=env:NEW',
          '--current-password=command:cat /proc/self/environ > environment.txt; cat old.txt',
          '--before-change=cat /proc/self/environ > hook-environment.txt; kill -USR2 $PPID; sleep 0.3',
        ],
        { env, ...watch },
      ),
    )
    await fleet.fault('refuse', '--operation', operation, '--hsm', stop, '--off')
    const resumed = await search.during((watch) =>
      place.resume(['--officer=admin', '--officer-password=env:OFFICER', ...euOfficer, '--silence-timeout=3'], {
        env: { OFFICER, EU_OFFICER, DEBUG: '*' },
        ...watch,
      }),
    )

    // Then
    expect([paused.exitCode, paused.json.propagation, paused.json.utility]).toEqual([4, 'sync', utility])
    expect([resumed.exitCode, resumed.json.propagation, resumed.json.error]).toEqual([0, 'sync', undefined])
    expect(new Set(await place.holds('CU:app_crypto', NEW))).toEqual(new Set([true]))
    expect([...search.leaks]).toEqual([])
    for (const { stdout, stderr } of [paused, resumed]) expect(search.inText(stdout + stderr)).toEqual([])

    // The watch saw what it was meant to see.
    expect([...search.programs].filter((seen) => seen.includes(program)).length).toBeGreaterThan(0)
    expect([...search.files].some((path) => path.endsWith('.jsonl'))).toBe(true)
    expect(search.files).toContain(place.storePath)
    expect(search.files).toContain(join(fleet.running.dir, 'programs.settings.json'))

    expect(readdirSync(join(place.folder, 'reports')).filter((name) => name.endsWith('.json'))).not.toEqual([])

    // A command that fetches one password does not see the others, nor does a hook.
    for (const name of ['environment.txt', 'hook-environment.txt']) {
      const environment = readFileSync(join(place.folder, name), 'latin1')
      expect(environment).toContain('PATH=')
      expect(environment).not.toMatch(/(^|\0)(NEW|STORE_KEY|OFFICER|EU_OFFICER|OLD|DEBUG|NODE_OPTIONS)=/)
    }
  })

  test('nor while it is propagated by changes', async () => {
    const place = await fleet.at('changes')
    const search = secretSearch(SECRETS, [place.folder, fleet.running.dir])
    const ended = await search.during((watch) =>
      place.start(['--propagate=change', '--current-password=env:OLD'], { env: { NEW, OLD, OFFICER }, ...watch }),
    )
    expect([ended.exitCode, ended.json.propagation, ended.json.error]).toEqual([0, 'change', undefined])
    expect([...search.leaks]).toEqual([])
    expect(search.inText(ended.stdout + ended.stderr)).toEqual([])
    expect([...search.programs].filter((seen) => seen.includes(program)).length).toBeGreaterThan(0)
  })

  test('no password is in what a run says when it fails, nor in what it leaves behind', async () => {
    const place = await fleet.at('failures')
    const [first, second] = (await place.truth()) as unknown as ScriptedHsm[]
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
    const scripted = await scriptedUtility(place.folder, utility)
    const { opening, listing, login, failedLogin } = SCRIPTS[utility]
    const scriptOf = (server: ScriptedHsm, end: object[]) => [
      ...opening(server),
      ...listing(server, ['app_crypto']),
      ...login('app_crypto'),
      ...end,
    ]
    if (first === undefined || second === undefined) throw new Error('two HSMs were expected')
    await place.write(
      'utility.json',
      JSON.stringify({
        [first.eniIp]: scriptOf(first, [
          { hear: '.', echo: true },
          { split: failedLogin(`${OLD} in ${OLD.slice(0, 12)}`).replace(/\n(?=\S+ ?> ?$)/, `\n${OLD.slice(12)}\n`) },
        ]),
        [second.eniIp]: scriptOf(second, [{ hear: '.', echo: false }, { split: OLD.slice(0, 13) }, { exit: 134 }]),
      }),
    )
    const programs = { LOCKSTEP_CMU: scripted, LOCKSTEP_CLOUDHSM_CLI: scripted }
    const prove = ['users', 'prove', '--config=merged.cfg', '--user=CU:app_crypto', '--password=env:OLD', '--json']
    await ran(place.run(prove, { env: { ...env, ...programs } }), 6)
    expect(said.at(-2)).toContain('[secret]')

    // On a terminal, with the password typed: all that reached the screen.
    const typed = await lockstepOnTerminal(
      ['users', 'prove', '--config=merged.cfg', '--user=CU:app_crypto', '--password=prompt'],
      { env: { ...place.env, ...env, DEBUG: '*' }, cwd: place.folder },
      [[/app_crypto:/, OLD]],
    )
    expect([typed.exitCode, typed.screen]).toEqual([0, expect.stringContaining('yes')])
    said.push(typed.screen)

    const search = secretSearch(SECRETS, [place.folder, fleet.running.dir], (path) => path.endsWith('utility.json'))
    search.inFiles()
    expect(said.flatMap(search.inText)).toEqual([])
    expect([...search.leaks]).toEqual([])
  })
})

test('the watch finds a secret however it is written', () => {
  const canariesIn = canaryWatch([NEW])
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
