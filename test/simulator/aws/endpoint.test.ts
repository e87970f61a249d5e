import { X509Certificate } from 'node:crypto'
import {
  CloudHSMV2Client,
  DescribeBackupsCommand,
  type DescribeBackupsCommandInput,
  DescribeClustersCommand,
  ListTagsCommand,
  paginateDescribeBackups,
  paginateDescribeClusters,
} from '@aws-sdk/client-cloudhsm-v2'
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { type RunningFleet, startSimulator } from '../../helpers/simulator.js'

const OTHER_ACCOUNT = '444455556666'
const letters = 'abcdefghijklmnopqrstuvwxyzABCD'
const fleet = {
  version: 1,
  accounts: [{ account: '111122223333' }, { account: OTHER_ACCOUNT }],
  families: [
    {
      name: 'payments',
      users: [{ type: 'CO', name: 'admin', password: 'TEST-officer-1' }],
      clusters: [
        { clusterId: 'cluster-aaaaaaaaaaa', region: 'us-east-1', hsms: 3, tags: { stage: 'production' } },
        { clusterId: 'cluster-bbbbbbbbbbb', region: 'eu-west-1', hsms: 2, clonedFrom: 'cluster-aaaaaaaaaaa' },
        {
          clusterId: 'cluster-ccccccccccc',
          region: 'eu-west-2',
          hsms: 1,
          clonedFrom: 'cluster-aaaaaaaaaaa',
          account: OTHER_ACCOUNT,
          mode: 'absent',
          certificate: 'absent',
        },
      ],
    },
    {
      name: 'many',
      users: [],
      // Thirty clusters with a backup each: more than one page of clusters.
      clusters: [...letters].map((letter) => ({
        clusterId: `cluster-many${letter.repeat(7)}`,
        region: 'us-west-2',
        hsms: [{ state: 'CREATE_IN_PROGRESS' }],
      })),
    },
  ],
}

let sim: RunningFleet
beforeAll(async () => {
  sim = await startSimulator(fleet)
})
afterAll(() => sim.stop())
const clients: CloudHSMV2Client[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy()
})

const keys = () => ({
  accessKeyId: sim.env['AWS_ACCESS_KEY_ID'] ?? '',
  secretAccessKey: sim.env['AWS_SECRET_ACCESS_KEY'] ?? '',
})
const client = (
  region: string,
  credentials: ConstructorParameters<typeof CloudHSMV2Client>[0]['credentials'] = keys(),
): CloudHSMV2Client => {
  const made = new CloudHSMV2Client({ region, endpoint: sim.ready.endpoint, credentials, maxAttempts: 0 })
  clients.push(made)
  return made
}
const otherAccount = () =>
  fromTemporaryCredentials({
    masterCredentials: keys(),
    params: { RoleArn: `arn:aws:iam::${OTHER_ACCOUNT}:role/audit`, RoleSessionName: 'test' },
    clientConfig: { region: 'eu-west-2', endpoint: sim.ready.endpoint },
  })
const refusal = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
  return 'answered'
}

describe('DescribeClusters, asked by the AWS client', () => {
  test('shows the clusters of the Region the request was signed for', async () => {
    const { Clusters } = await client('us-east-1').send(new DescribeClustersCommand({}))
    expect(Clusters).toHaveLength(1)
    const [cluster] = Clusters ?? []
    expect(cluster).toMatchObject({
      ClusterId: 'cluster-aaaaaaaaaaa',
      State: 'ACTIVE',
      HsmType: 'hsm1.medium',
      BackupRetentionPolicy: { Type: 'DAYS', Value: '90' },
      TagList: [{ Key: 'stage', Value: 'production' }],
    })
    expect(cluster).not.toHaveProperty('SourceBackupId', expect.anything())
    expect(cluster?.CreateTimestamp?.getUTCFullYear()).toBe(2025)
    const truth = (await sim.state()).hsms.filter(({ clusterId }) => clusterId === 'cluster-aaaaaaaaaaa')
    expect(cluster?.Hsms?.map(({ EniIp, HsmId, State }) => [HsmId, EniIp, State])).toEqual(
      truth.map(({ eniIp, hsmId }) => [hsmId, eniIp, 'ACTIVE']),
    )
  })

  test('a clone shows its source backup and the same certificate', async () => {
    const [source] = (await client('us-east-1').send(new DescribeClustersCommand({}))).Clusters ?? []
    const [clone] = (await client('eu-west-1').send(new DescribeClustersCommand({}))).Clusters ?? []
    expect(clone?.SourceBackupId).toMatch(/^backup-[2-7a-z]{11}$/)
    const fingerprint = (pem: string | undefined): string => new X509Certificate(pem ?? '').fingerprint256
    expect(fingerprint(clone?.Certificates?.ClusterCertificate)).toBe(
      fingerprint(source?.Certificates?.ClusterCertificate),
    )
  })

  test('gives pages, of the size asked for and of 25 at most', async () => {
    const sizes = async (pageSize?: number): Promise<number[]> => {
      const pages: number[] = []
      const input = { client: client('us-west-2'), ...(pageSize && { pageSize }) }
      for await (const page of paginateDescribeClusters(input, {})) pages.push(page.Clusters?.length ?? -1)
      return pages
    }
    expect(await sizes()).toEqual([25, 5])
    expect(await sizes(10)).toEqual([10, 10, 10])
    const backups: number[] = []
    for await (const page of paginateDescribeBackups({ client: client('us-west-2'), pageSize: 20 }, {})) {
      backups.push(page.Backups?.length ?? -1)
    }
    expect(backups).toEqual([20, 10])
  })

  test('takes a token only for the query it was given for', async () => {
    const first = await client('us-west-2').send(new DescribeClustersCommand({ MaxResults: 5 }))
    const NextToken = first.NextToken ?? ''
    expect(NextToken).not.toBe('')
    expect(NextToken.length).toBeLessThanOrEqual(256)
    const elsewhere = client('us-east-1').send(new DescribeClustersCommand({ NextToken }))
    expect(await refusal(elsewhere)).toBe('CloudHsmInvalidRequestException: Invalid NextToken')
    const filtered = client('us-west-2').send(
      new DescribeClustersCommand({ NextToken, Filters: { states: ['ACTIVE'] } }),
    )
    expect(await refusal(filtered)).toBe('CloudHsmInvalidRequestException: Invalid NextToken')
    const made = client('us-west-2').send(new DescribeClustersCommand({ NextToken: 'NQ' }))
    expect(await refusal(made)).toBe('CloudHsmInvalidRequestException: Invalid NextToken')
  })

  test('filters, and refuses filters and page sizes it does not know', async () => {
    const wanted = `cluster-many${'c'.repeat(7)}`
    const ask = (input: ConstructorParameters<typeof DescribeClustersCommand>[0]) =>
      client('us-west-2').send(new DescribeClustersCommand(input))
    expect((await ask({ Filters: { clusterIds: [wanted] } })).Clusters?.map(({ ClusterId }) => ClusterId)).toEqual([
      wanted,
    ])
    expect((await ask({ Filters: { states: ['DELETED'] } })).Clusters).toEqual([])
    const invalid = 'CloudHsmInvalidRequestException: '
    expect(await refusal(ask({ Filters: { names: ['x'] } }))).toBe(`${invalid}Invalid filter name: names`)
    expect(await refusal(ask({ Filters: { clusterIds: ['x'] } }))).toBe(
      `${invalid}Invalid value for filter clusterIds: x`,
    )
    expect(await refusal(ask({ MaxResults: 26 }))).toBe(`${invalid}MaxResults must be between 1 and 25`)
  })

  test('a Region without clusters is empty, not an error', async () => {
    const { Clusters, NextToken } = await client('sa-east-1').send(new DescribeClustersCommand({}))
    expect([Clusters, NextToken]).toEqual([[], undefined])
  })
})

describe('DescribeBackups', () => {
  test('follows a clone back to its source over the copy', async () => {
    const [clone] = (await client('eu-west-1').send(new DescribeClustersCommand({}))).Clusters ?? []
    const { Backups } = await client('eu-west-1').send(
      new DescribeBackupsCommand({ Filters: { backupIds: [clone?.SourceBackupId ?? ''] } }),
    )
    expect(Backups).toHaveLength(1)
    const [copy] = Backups ?? []
    expect(copy).toMatchObject({
      SourceRegion: 'us-east-1',
      SourceCluster: 'cluster-aaaaaaaaaaa',
      BackupState: 'READY',
    })
    const original = await client('us-east-1').send(
      new DescribeBackupsCommand({ Filters: { backupIds: [copy?.SourceBackup ?? ''] } }),
    )
    expect(original.Backups).toHaveLength(1)
    expect(original.Backups?.[0]).toMatchObject({ ClusterId: 'cluster-aaaaaaaaaaa' })
    expect(original.Backups?.[0]).not.toHaveProperty('SourceBackup', expect.anything())
    expect(original.Backups?.[0]?.CreateTimestamp).toEqual(copy?.CreateTimestamp)
    const copies = await client('eu-west-1').send(
      new DescribeBackupsCommand({ Filters: { sourceBackupIds: [copy?.SourceBackup ?? ''] } }),
    )
    expect(copies.Backups?.map(({ BackupId }) => BackupId)).toEqual([clone?.SourceBackupId])
  })

  test('a backup of another account is seen only as a shared one', async () => {
    const other = client('eu-west-2', otherAccount())
    const [clone] = (await other.send(new DescribeClustersCommand({}))).Clusters ?? []
    expect(clone?.ClusterId).toBe('cluster-ccccccccccc')
    expect(clone?.Certificates?.ClusterCertificate).toBeUndefined()
    const input = { Filters: { backupIds: [clone?.SourceBackupId ?? ''] } }
    expect((await other.send(new DescribeBackupsCommand(input))).Backups).toEqual([])
    // The installed client does not know the field, yet sends it.
    const shared = { ...input, Shared: true } as DescribeBackupsCommandInput
    const { Backups } = await other.send(new DescribeBackupsCommand(shared))
    expect(Backups?.[0]).toMatchObject({ SourceCluster: 'cluster-aaaaaaaaaaa', SourceRegion: 'us-east-1' })
    expect((await client('eu-west-2').send(new DescribeClustersCommand({}))).Clusters).toEqual([])
  })
})

test('ListTags gives the tags of an own cluster only', async () => {
  const ask = (ResourceId: string) => client('us-east-1').send(new ListTagsCommand({ ResourceId }))
  expect((await ask('cluster-aaaaaaaaaaa')).TagList).toEqual([{ Key: 'stage', Value: 'production' }])
  expect(await refusal(ask('cluster-bbbbbbbbbbb'))).toBe(
    'CloudHsmResourceNotFoundException: Resource cluster-bbbbbbbbbbb was not found',
  )
})

describe('credentials', () => {
  test('a role of an account the fleet does not have cannot be assumed', async () => {
    const credentials = fromTemporaryCredentials({
      masterCredentials: keys(),
      params: { RoleArn: 'arn:aws:iam::999999999999:role/audit', RoleSessionName: 'test' },
      clientConfig: { region: 'eu-west-2', endpoint: sim.ready.endpoint },
    })
    expect(await refusal(client('eu-west-2', credentials).send(new DescribeClustersCommand({})))).toContain(
      'not authorized to perform: sts:AssumeRole',
    )
  })

  test('keys nobody has are not recognised', async () => {
    const stranger = client('us-east-1', { accessKeyId: 'AKIAQQQQQQQQQQQQQQQQ', secretAccessKey: 'x' })
    expect(await refusal(stranger.send(new DescribeClustersCommand({})))).toMatch(/^UnrecognizedClientException: /)
  })

  test.each<[string, Record<string, string>, string]>([
    ['unsigned', {}, 'MissingAuthenticationTokenException'],
    ['signed in another way', { authorization: 'Basic eDp5' }, 'IncompleteSignatureException'],
    ['signed for another service', { authorization: signature('s3') }, 'InvalidSignatureException'],
  ])('a request %s is refused', async (_, headers, code) => {
    expect(await post(headers, '{}')).toEqual({ status: 400, code })
  })

  test('an operation it does not have, and a body that is no JSON, are refused', async () => {
    const authorization = signature('cloudhsm')
    expect(await post({ authorization, 'x-amz-target': 'BaldrApiService.DeleteCluster' }, '{}')).toEqual({
      status: 400,
      code: 'UnknownOperationException',
    })
    expect(await post({ authorization }, '{')).toEqual({ status: 400, code: 'SerializationException' })
  })
})

/** A header of the right form; the simulator reads the scope and does not recompute the signature. */
function signature(service: string): string {
  const scope = `AKIAKFJKNDQ2CP2USMX5/20260101/us-east-1/${service}/aws4_request`
  return `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=${'0'.repeat(64)}`
}

const post = async (headers: Record<string, string>, body: string): Promise<{ status: number; code: string }> => {
  const response = await fetch(sim.ready.endpoint, {
    method: 'POST',
    headers: { 'x-amz-target': 'BaldrApiService.DescribeClusters', ...headers },
    body,
  })
  const { __type } = (await response.json()) as { __type: string }
  return { status: response.status, code: __type }
}

describe('faults of AWS', () => {
  const ask = (region = 'us-east-1') => client(region).send(new DescribeClustersCommand({}))

  test.each([
    ['throttle', 'ThrottlingException: Rate exceeded'],
    ['aws-error', 'CloudHsmInternalFailureException: The service is unavailable'],
    ['expired-credentials', 'ExpiredTokenException: The security token included in the request is expired'],
  ])('%s strikes as often as it is told to', async (kind, message) => {
    await sim.fault(kind, '--times', '2')
    expect([await refusal(ask()), await refusal(ask()), await refusal(ask())]).toEqual([message, message, 'answered'])
  })

  test.each([
    ['region-denied', 'AccessDeniedException: '],
    ['region-not-enabled', 'UnrecognizedClientException: '],
  ])('%s concerns one Region until it is switched off', async (kind, message) => {
    await sim.fault(kind, '--region', 'eu-west-1')
    expect(await refusal(ask('eu-west-1'))).toContain(message)
    expect(await refusal(ask('us-east-1'))).toBe('answered')
    await sim.fault(kind, '--region', 'eu-west-1', '--off')
    expect(await refusal(ask('eu-west-1'))).toBe('answered')
  })

  test.each(['aws-html', 'aws-truncated', 'aws-reset'])('%s leaves the client without an answer', async (kind) => {
    await sim.fault(kind, '--times', '1')
    expect(await refusal(ask())).not.toBe('answered')
    expect(await refusal(ask())).toBe('answered')
  })

  test('aws-delay makes calls wait', async () => {
    await sim.fault('aws-delay', '--ms', '80', '--region', 'eu-west-1')
    const started = performance.now()
    await ask('eu-west-1')
    expect(performance.now() - started).toBeGreaterThanOrEqual(79)
    await sim.fault('aws-delay', '--off')
  })

  test('a cluster can be reported in any state, and gain an HSM', async () => {
    const cluster = ['--cluster', 'cluster-bbbbbbbbbbb']
    await sim.fault('cluster-state', ...cluster, '--state', 'UPDATE_IN_PROGRESS')
    expect((await ask('eu-west-1')).Clusters?.[0]?.State).toBe('UPDATE_IN_PROGRESS')
    await sim.fault('cluster-state', ...cluster, '--off')
    const { hsms } = await sim.fault('added', ...cluster)
    const grown = (await ask('eu-west-1')).Clusters?.[0]
    expect([grown?.State, grown?.Hsms?.length, grown?.Hsms?.[2]?.HsmId]).toEqual(['ACTIVE', 3, hsms[0]])
    await sim.fault('added', ...cluster, '--off')
    expect((await ask('eu-west-1')).Clusters?.[0]?.Hsms).toHaveLength(2)
  })

  test('an HSM can be reported degraded, and a replaced one under its new ID or, at first, its old one', async () => {
    const [hsm] = (await sim.state()).hsms.filter(({ clusterId }) => clusterId === 'cluster-bbbbbbbbbbb')
    const chosen = ['--hsm', hsm?.hsmId ?? '']
    const reported = async () => (await ask('eu-west-1')).Clusters?.[0]?.Hsms?.[0]
    await sim.fault('degraded', ...chosen)
    expect((await reported())?.State).toBe('DEGRADED')
    await sim.fault('degraded', ...chosen, '--off')
    await sim.fault('replaced', ...chosen)
    expect(await reported()).toMatchObject({ State: 'ACTIVE', HsmId: hsm?.hsmId })
    await sim.fault('replaced', ...chosen, '--off')
    const { hsms } = await sim.fault('replaced', ...chosen, '--aws-too')
    expect((await reported())?.HsmId).toBe(hsms[0])
    await sim.fault('replaced', ...chosen, '--aws-too', '--off')
    expect((await reported())?.HsmId).toBe(hsm?.hsmId)
  })
})
