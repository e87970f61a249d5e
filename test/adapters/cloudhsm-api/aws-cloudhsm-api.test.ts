import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import nock from 'nock'
import { AwsCloudHsmApi } from '../../../src/adapters/cloudhsm-api/aws-cloudhsm-api.js'
import type { CallLimits } from '../../../src/adapters/cloudhsm-api/limits.js'
import { ApiFailure } from '../../../src/domain/api-failure.js'
import type { RegionName } from '../../../src/domain/ids.js'
import type { Place, PlaceApi } from '../../../src/domain/ports.js'
import { fixture } from '../../helpers/fixture-api.js'

const EU = 'eu-west-1' as RegionName
const quick = { pauseMs: 1, callMs: 2_000, placeMs: 5_000 }
const place = (more: Partial<Place> = {}): Place => ({ region: EU, profile: null, named: true, ...more })

/** What the client sends to one Region, by operation. */
const aws = (operation: string, region = 'eu-west-1'): nock.Interceptor =>
  nock(`https://cloudhsmv2.${region}.amazonaws.com`)
    .matchHeader('x-amz-target', `BaldrApiService.${operation}`)
    .matchHeader('authorization', new RegExp(`/${region}/cloudhsm/aws4_request`))
    .post('/')

const awsWith = (operation: string, body: (sent: Record<string, unknown>) => boolean): nock.Interceptor =>
  nock('https://cloudhsmv2.eu-west-1.amazonaws.com')
    .matchHeader('x-amz-target', `BaldrApiService.${operation}`)
    .post('/', body)

const open = (limits: Partial<CallLimits> = {}, from = place(), endpoint?: string): Promise<PlaceApi> =>
  new AwsCloudHsmApi({ regions: [EU], limits: { ...quick, ...limits } }).open(from, endpoint)

const failureOf = async (asked: Promise<unknown>): Promise<{ kind: string; message: string }> => {
  try {
    await asked
  } catch (error) {
    if (error instanceof ApiFailure) return { kind: error.kind, message: error.message }
    throw error
  }
  throw new Error('nothing failed')
}

const KEYS = {
  AWS_ACCESS_KEY_ID: 'AKIATESTTESTTESTTEST',
  AWS_SECRET_ACCESS_KEY: 'TEST-SECRET-adapter',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
}
const saved = { ...process.env }
beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
  Object.assign(process.env, KEYS)
})
afterEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
  for (const [name, value] of Object.entries(saved)) if (name.startsWith('AWS_')) process.env[name] = value
})

describe('DescribeClusters', () => {
  test('reads every page, an empty one in between as well, and sends the token on', async () => {
    const us = fixture('two-regions-one-family')['us-east-1']?.Clusters
    const eu = fixture('two-regions-one-family')['eu-west-1']?.Clusters
    awsWith('DescribeClusters', (sent) => sent['NextToken'] === undefined).reply(200, { Clusters: us, NextToken: 't1' })
    awsWith('DescribeClusters', (sent) => sent['NextToken'] === 't1').reply(200, { Clusters: [], NextToken: 't2' })
    awsWith('DescribeClusters', (sent) => sent['NextToken'] === 't2').reply(200, { Clusters: eu, NextToken: '' })
    const clusters = await (await open()).describeClusters()
    expect(clusters.map(({ clusterId }) => clusterId)).toEqual(['cluster-aaaaaaaaaaa', 'cluster-bbbbbbbbbbb'])
    expect(nock.isDone()).toBe(true)
  })

  test('recovers the fields the installed client drops, and the newer ones of an HSM', async () => {
    const [cluster] = fixture('two-regions-one-family')['eu-west-1']?.Clusters ?? []
    const hsms = [{ ...cluster?.Hsms?.[1], EniIpV6: '2001:db8::5' }, cluster?.Hsms?.[0]]
    aws('DescribeClusters').reply(200, { Clusters: [{ ...cluster, Hsms: hsms }] })
    expect(await (await open()).describeClusters()).toEqual([
      {
        clusterId: 'cluster-bbbbbbbbbbb',
        region: 'eu-west-1',
        profile: null,
        state: 'ACTIVE',
        hsmType: 'hsm1.medium',
        mode: 'FIPS',
        sourceBackupId: 'backup-bbbbbbbbbb2',
        certificateFingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
        hsms: [
          {
            hsmId: 'hsm-bbbbbbbbbb2',
            eniIp: '10.2.0.11',
            eniIpV6: null,
            availabilityZone: 'eu-west-1a',
            state: 'ACTIVE',
          },
          {
            hsmId: 'hsm-bbbbbbbbbb3',
            eniIp: '10.2.0.12',
            eniIpV6: '2001:db8::5',
            availabilityZone: 'eu-west-1b',
            state: 'ACTIVE',
          },
        ],
      },
    ])
  })

  test('an old record has no mode, an unknown state passes, an unreadable certificate says nothing', async () => {
    const bare = { ClusterId: 'cluster-bbbbbbbbbbb', State: 'HIBERNATING', HsmType: 'hsm9.large' }
    const Certificates = { ClusterCertificate: 'not a certificate' }
    aws('DescribeClusters').reply(200, {
      Clusters: [{ ...bare, Certificates, SourceBackupId: 'arn:aws:cloudhsm:eu-west-1:1:backup/backup-bbbbbbbbbb2' }],
    })
    expect((await (await open()).describeClusters())[0]).toMatchObject({
      state: 'HIBERNATING',
      hsmType: 'hsm9.large',
      mode: null,
      certificateFingerprint: null,
      sourceBackupId: 'backup-bbbbbbbbbb2',
      hsms: [],
    })
  })

  test('a page token that comes twice ends the list with an error, not silently', async () => {
    aws('DescribeClusters').times(2).reply(200, { Clusters: [], NextToken: 'again' })
    expect(await failureOf((await open()).describeClusters())).toEqual({
      kind: 'failed',
      message: 'the list does not end: the same page token came twice',
    })
  })

  test.each([
    ['null', { Clusters: null }],
    ['an empty object', {}],
  ])('%s for a list is a bad answer, not an empty one', async (_, body) => {
    aws('DescribeClusters').reply(200, body)
    expect(await failureOf((await open()).describeClusters())).toEqual({
      kind: 'failed',
      message: 'the answer holds no list of clusters',
    })
  })
})

describe('retries', () => {
  test('two throttled requests and then the answer: three requests in all', async () => {
    const refused = aws('DescribeClusters')
      .times(2)
      .reply(400, { __type: 'ThrottlingException', message: 'Rate exceeded' })
    const answered = aws('DescribeClusters').reply(200, { Clusters: [] })
    expect(await (await open()).describeClusters()).toEqual([])
    expect([refused.isDone(), answered.isDone()]).toEqual([true, true])
  })

  test.each([
    [
      'throttling',
      400,
      { __type: 'ThrottlingException', message: 'Rate exceeded' },
      'ThrottlingException: Rate exceeded',
    ],
    [
      'a server fault',
      500,
      { __type: 'CloudHsmInternalFailureException', message: 'oops' },
      'CloudHsmInternalFailureException: oops',
    ],
    ['an error page', 502, '<html>Bad Gateway</html>', 'the answer is no JSON (HTTP 502)'],
  ])('%s that does not pass: exactly as many requests as allowed', async (_, status, body, message) => {
    let requests = 0
    aws('DescribeClusters')
      .times(20)
      .reply(() => {
        requests += 1
        return [status, body]
      })
    expect(await failureOf((await open({ attempts: 3 })).describeClusters())).toEqual({ kind: 'failed', message })
    expect(requests).toBe(3)
  })

  test.each([
    ['CloudHsmAccessDeniedException', 'denied'],
    ['com.amazonaws.cloudhsmv2#AccessDeniedException', 'denied'],
    ['UnrecognizedClientException', 'not-enabled'],
    ['InvalidClientTokenId', 'not-enabled'],
    ['ExpiredTokenException', 'no-credentials'],
    ['CloudHsmInvalidRequestException', 'failed'],
  ])('%s is %s after one request', async (__type, kind) => {
    let requests = 0
    aws('DescribeClusters')
      .times(5)
      .reply(() => {
        requests += 1
        return [400, { __type, message: 'no' }]
      })
    const name = __type.split('#').at(-1)
    expect(await failureOf((await open()).describeClusters())).toEqual({ kind, message: `${name}: no` })
    expect(requests).toBe(1)
  })

  test('what AWS writes is one line; whoever shows it escapes it', async () => {
    aws('DescribeClusters').reply(400, { __type: 'CloudHsmInvalidRequestException', message: '\u001b[2Jgone\r\nok' })
    const { message } = await failureOf((await open()).describeClusters())
    expect(message).toBe('CloudHsmInvalidRequestException: \u001b[2Jgone ok')
  })
})

describe('an endpoint of its own', () => {
  let server: Server
  let url: string
  const start = async (listener: Parameters<typeof createServer>[1]): Promise<void> => {
    server = createServer(listener as never)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  afterEach(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  test('that never answers is unreachable once the call has had its time, on every attempt', async () => {
    let requests = 0
    await start(() => {
      requests += 1
    })
    const region = await open({ callMs: 500, attempts: 2 }, place(), url)
    expect(await failureOf(region.describeClusters())).toEqual({
      kind: 'unreachable',
      message: 'no answer within 0.5 s',
    })
    expect(requests).toBe(2)
  })

  test('that stops in the middle of an answer is unreachable as well', async () => {
    await start((_: unknown, response: { write(text: string): void }) => response.write('{"Clusters":['))
    const region = await open({ callMs: 60, attempts: 1 }, place(), url)
    expect((await failureOf(region.describeClusters())).kind).toBe('unreachable')
  })

  test('that hangs is given up when the place has had its time', async () => {
    await start(() => undefined)
    // Of its calls none would end before the test has run out of time.
    const region = await open({ callMs: 600_000, placeMs: 150, attempts: 50 }, place(), url)
    expect((await failureOf(region.describeClusters())).kind).toBe('unreachable')
  })

  test('that refuses the connection is unreachable', async () => {
    await start(() => undefined)
    const region = await open({ attempts: 1 }, place(), 'http://127.0.0.1:9')
    expect(await failureOf(region.describeClusters())).toEqual({
      kind: 'unreachable',
      message: 'connect ECONNREFUSED 127.0.0.1:9',
    })
  })
})

describe('DescribeBackups', () => {
  const [record] = fixture('two-regions-one-family')['eu-west-1']?.Backups ?? []

  test('recovers the account out of the ARN the installed client drops', async () => {
    aws('DescribeBackups').reply(200, { Backups: [record] })
    expect(await (await open()).describeBackups(['backup-bbbbbbbbbb2'])).toEqual([
      {
        backupId: 'backup-bbbbbbbbbb2',
        region: 'eu-west-1',
        account: '111122223333',
        clusterId: 'cluster-aaaaaaaaaaa',
        sourceRegion: 'us-east-1',
        sourceBackup: 'backup-aaaaaaaaaa2',
        sourceCluster: 'cluster-aaaaaaaaaaa',
        seen: 'live',
      },
    ])
  })

  test('what is not among the own backups is looked for among the shared ones', async () => {
    awsWith('DescribeBackups', (sent) => sent['Shared'] === undefined).reply(200, { Backups: [] })
    awsWith('DescribeBackups', (sent) => sent['Shared'] === true).reply(200, { Backups: [record] })
    expect(await (await open()).describeBackups(['backup-bbbbbbbbbb2'])).toHaveLength(1)
  })

  test('one purged backup does not hide the others of the list', async () => {
    nock('https://cloudhsmv2.eu-west-1.amazonaws.com')
      .persist()
      .post('/', (sent: { Filters: { backupIds: string[] } }) => sent.Filters.backupIds.includes('backup-ggggggggggg'))
      .reply(400, { __type: 'CloudHsmResourceNotFoundException', message: 'no such backup' })
    nock('https://cloudhsmv2.eu-west-1.amazonaws.com')
      .persist()
      .post('/')
      .reply(200, { Backups: [record] })
    const found = await (await open()).describeBackups(['backup-bbbbbbbbbb2', 'backup-ggggggggggg'])
    expect(found.map(({ backupId }) => backupId)).toEqual(['backup-bbbbbbbbbb2'])
  })
})

describe('credentials', () => {
  test('none at all is a failure that names who was asked for them', async () => {
    delete process.env['AWS_ACCESS_KEY_ID']
    delete process.env['AWS_SECRET_ACCESS_KEY']
    expect(await failureOf(open())).toEqual({
      kind: 'no-credentials',
      message: 'default credentials: Could not load credentials from any providers',
    })
    const { kind, message } = await failureOf(open({}, place({ profile: 'nobody' })))
    expect([kind, message.startsWith('profile "nobody": ')]).toEqual(['no-credentials', true])
  })

  test('a role is assumed once for all Regions, with its external ID', async () => {
    let assumed = 0
    const answer = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
      <AccessKeyId>ASIATESTTESTTESTTEST</AccessKeyId><SecretAccessKey>TEST-SECRET-role</SecretAccessKey>
      <SessionToken>token</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials>
      </AssumeRoleResult></AssumeRoleResponse>`
    nock(/sts\..*amazonaws\.com/)
      .post(
        '/',
        (sent: Record<string, string>) => sent['ExternalId'] === 'x1' && sent['RoleSessionName'] === 'lockstep',
      )
      .times(9)
      .reply(() => {
        assumed += 1
        return [200, answer]
      })
    const roleArn = 'arn:aws:iam::111122223333:role/HsmReader'
    const regions = ['eu-west-1', 'us-east-1', 'us-east-2'] as RegionName[]
    for (const region of regions) {
      nock(`https://cloudhsmv2.${region}.amazonaws.com`)
        .matchHeader('authorization', /Credential=ASIATESTTESTTESTTEST\//)
        .post('/')
        .reply(200, { Clusters: [] })
    }
    const api = new AwsCloudHsmApi({ regions, limits: quick })
    await Promise.all(
      regions.map(async (region) => (await api.open(place({ region, roleArn, externalId: 'x1' }))).describeClusters()),
    )
    expect(assumed).toBe(1)
    expect(nock.pendingMocks().filter((mock) => !mock.includes('sts'))).toEqual([])
  })

  test('a role that may not be assumed is denied, and named', async () => {
    nock(/sts\..*amazonaws\.com/)
      .post('/')
      .reply(
        403,
        '<ErrorResponse><Error><Code>AccessDenied</Code><Message>not allowed</Message></Error></ErrorResponse>',
      )
    const roleArn = 'arn:aws:iam::111122223333:role/HsmReader'
    const { kind, message } = await failureOf(open({}, place({ roleArn })))
    expect(kind).toBe('denied')
    expect(message).toContain(`assuming ${roleArn}: AccessDenied: not allowed`)
  })
})
