import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { type AwsServer, startAwsServer } from '../helpers/aws-server.js'
import { fixture } from '../helpers/fixture-api.js'

const program = join(fileURLToPath(import.meta.url), '../../../../bin/run.js')
const KEYS = { AWS_ACCESS_KEY_ID: 'AKIATESTTESTTESTTEST', AWS_SECRET_ACCESS_KEY: 'TEST-SECRET-e2e' }

let state: string
let server: AwsServer
beforeAll(() => {
  state = mkdtempSync(join(tmpdir(), 'lockstep-e2e-'))
})
afterEach(async () => server[Symbol.asyncDispose]())
afterAll(() => rmSync(state, { recursive: true }))

/** The program as an operator starts it, with an environment of its own. */
const lockstep = (argv: readonly string[], env: Record<string, string>) =>
  new Promise<{ exitCode: number; stdout: string; stderr: string }>((resolve) => {
    const whole = {
      PATH: process.env['PATH'] ?? '',
      HOME: state,
      LOCKSTEP_STATE_DIR: join(state, 'lockstep'),
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_ENDPOINT_URL: server.url,
      ...env,
    }
    execFile(process.execPath, [program, ...argv], { env: whole }, (error, stdout, stderr) => {
      resolve({ exitCode: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr })
    })
  })

test('the program lists two Regions over HTTP, and keeps the backup records it saw', async () => {
  server = await startAwsServer(fixture('copied-backup-no-certificates'))
  const regions = ['--region', 'us-east-1', '--region', 'eu-west-1']
  const { exitCode, stdout, stderr } = await lockstep(['clusters', 'list', ...regions, '--json'], KEYS)
  expect([exitCode, stderr]).toEqual([0, ''])
  expect(JSON.parse(stdout).families).toMatchObject([
    {
      clusterIds: ['cluster-aaaaaaaaaaa', 'cluster-bbbbbbbbbbb'],
      evidence: [{ kind: 'backup-lineage', certainty: 4 }],
    },
  ])
  expect(readFileSync(join(state, 'lockstep', 'backup-records.jsonl'), 'utf8')).toContain('"backup-bbbbbbbbbb2"')
})

test('a Region that is denied leaves the rest on stdout, a word on stderr, and exit code 6', async () => {
  server = await startAwsServer(fixture('two-regions-one-family'))
  const env = { ...KEYS, LOCKSTEP_REGIONS: 'us-east-1,eu-west-1,sa-east-1' }
  const { exitCode, stdout, stderr } = await lockstep(['clusters', 'list'], env)
  expect(exitCode).toBe(6)
  expect(stdout).toContain('cluster-bbbbbbbbbbb  eu-west-1')
  expect(stderr).toBe(
    'sa-east-1: denied: AccessDeniedException: not here\nThe list is partial: not every Region answered in full.\n',
  )
})

test('without credentials: one error document, exit code 3, and no stack', async () => {
  server = await startAwsServer({})
  const { exitCode, stdout, stderr } = await lockstep(['clusters', 'list', '--json'], {})
  expect([exitCode, stderr]).toEqual([3, ''])
  expect(JSON.parse(stdout).error).toMatchObject({
    code: 'NO_CREDENTIALS',
    message: 'no AWS credentials: default credentials: Could not load credentials from any providers',
  })
})
