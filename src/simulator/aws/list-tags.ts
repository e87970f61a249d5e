import { AwsError, invalidRequest } from './aws-error.js'
import type { AwsCall } from './describe-clusters.js'
import { BACKUP_ID, CLUSTER_ID } from './filters.js'
import { pageOf } from './paging.js'
import type { AwsWorld } from './world.js'

const MOST_PER_PAGE = 100

/** `ListTags` of one of the caller's clusters or backups. */
export const listTags = (world: AwsWorld, { account, region, input }: AwsCall): object => {
  const id = String(input['ResourceId'])
  if (!CLUSTER_ID.test(id) && !BACKUP_ID.test(id)) throw invalidRequest(`Invalid ResourceId: ${id}`)
  const own = (owner: { account: string; region: string }): boolean =>
    owner.account === account && owner.region === region
  const cluster = world.clusters().find((entry) => entry.cluster.clusterId === id && own(entry.cluster))
  const backup = world.backups().find((entry) => entry.backupId === id && own(entry))
  if (!cluster && !backup) throw new AwsError('CloudHsmResourceNotFoundException', `Resource ${id} was not found`)
  const tags = Object.entries(cluster?.cluster.tags ?? {}).map(([Key, Value]) => ({ Key, Value }))
  const page = pageOf(tags, ['tags', account, region, id], input, MOST_PER_PAGE)
  return { TagList: page.items, ...(page.nextToken && { NextToken: page.nextToken }) }
}
