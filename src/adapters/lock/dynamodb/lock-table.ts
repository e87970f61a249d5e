import {
  type AttributeValue,
  DynamoDBClient,
  GetItemCommand,
  paginateScan,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import type { LockHolder } from '../../../domain/cluster-lock.js'
import { OperatorError, refusal } from '../../../domain/errors.js'
import type { ClusterId } from '../../../domain/ids.js'
import type { ProcessIdentity } from '../process-identity.js'

/** Who holds a lock, as the table shows it. */
export interface SharedHolder extends LockHolder, ProcessIdentity {
  /** Process numbers mean something within one of these alone; null where the system does not tell. */
  readonly pidNamespace: string | null
  /** Tells one taking of the lock from another, also where the answer to it was lost. */
  readonly claim: string
  /** How often the holder shows that it lives, in milliseconds. */
  readonly heartbeatMs: number
  readonly lastAction: string | null
}

/** One item: a cluster. It stays when the lock is released, so that the fencing token never goes back. */
export interface LockItem {
  readonly clusterId: ClusterId
  /** Null where the lock is free. */
  readonly holder: SharedHolder | null
  /** Fencing token: counts who took the lock. */
  readonly fence: number
  /** Counts how often the present holder has renewed it. */
  readonly renewals: number
  /** By the holder's clock, milliseconds since 1970. */
  readonly leaseUntil: number
}

/** What a taker saw and wants to be still true. */
type Seen = Pick<LockItem, 'fence' | 'renewals'>

/** The table behind `--lock dynamodb:TABLE`; nothing here knows what a lease is for. */
export class LockTable {
  readonly #client: DynamoDBClient
  readonly #table: string

  constructor(table: string, env: NodeJS.ProcessEnv) {
    const region = table.startsWith('arn:') ? table.split(':')[3] : env['AWS_REGION'] || env['AWS_DEFAULT_REGION']
    const endpoint = env['AWS_ENDPOINT_URL_DYNAMODB'] || env['AWS_ENDPOINT_URL'] || undefined
    this.#table = table
    this.#client = new DynamoDBClient({
      ...(region && { region }),
      ...(endpoint !== undefined && { endpoint }),
      maxAttempts: 3,
      requestHandler: { connectionTimeout: 3_000, requestTimeout: 5_000 },
    })
  }

  get name(): string {
    return this.#table
  }

  /** Null where nobody ever locked the cluster. */
  async get(clusterId: ClusterId): Promise<LockItem | null> {
    const { Item } = await this.#client
      .send(new GetItemCommand({ TableName: this.#table, Key: keyOf(clusterId), ConsistentRead: true }))
      .catch((error) => this.#fail(error))
    return Item === undefined ? null : itemOf(Item)
  }

  /**
   * Takes the lock where it is free, or where it is still exactly as `seen`.
   * @returns the fencing token, null when somebody else was first
   */
  async take(
    clusterId: ClusterId,
    holder: SharedHolder,
    leaseUntil: number,
    seen: Seen | null,
  ): Promise<number | null> {
    const answer = await this.#update(clusterId, {
      set: 'SET holder = :holder, leaseUntil = :until, renewals = :zero, fence = if_not_exists(fence, :zero) + :one',
      where: seen === null ? 'attribute_not_exists(holder)' : 'fence = :fence AND renewals = :renewals',
      values: {
        ':holder': { S: JSON.stringify(holder) },
        ':until': number(leaseUntil),
        ':zero': number(0),
        ':one': number(1),
        ...(seen !== null && { ':fence': number(seen.fence), ':renewals': number(seen.renewals) }),
      },
    })
    return answer === null ? null : itemOf(answer).fence
  }

  /** @returns false when the lock is not the one with this fencing token any more */
  async renew(clusterId: ClusterId, fence: number, holder: SharedHolder, leaseUntil: number): Promise<boolean> {
    const answer = await this.#update(clusterId, {
      set: 'SET holder = :holder, leaseUntil = :until, renewals = renewals + :one',
      where: 'fence = :fence AND attribute_exists(holder)',
      values: {
        ':holder': { S: JSON.stringify(holder) },
        ':until': number(leaseUntil),
        ':one': number(1),
        ':fence': number(fence),
      },
    })
    return answer !== null
  }

  /** @returns false when the lock is not the one with this fencing token any more */
  async free(clusterId: ClusterId, fence: number): Promise<boolean> {
    const answer = await this.#update(clusterId, {
      set: 'REMOVE holder, leaseUntil',
      where: 'fence = :fence AND attribute_exists(holder)',
      values: { ':fence': number(fence) },
    })
    return answer !== null
  }

  /** Every cluster anybody ever locked. */
  async all(): Promise<readonly LockItem[]> {
    const found: LockItem[] = []
    try {
      const pages = paginateScan({ client: this.#client }, { TableName: this.#table, ConsistentRead: true })
      for await (const { Items } of pages) found.push(...(Items ?? []).map(itemOf))
    } catch (error) {
      this.#fail(error)
    }
    return found
  }

  async #update(
    clusterId: ClusterId,
    update: { set: string; where: string; values: Record<string, AttributeValue> },
  ): Promise<Record<string, AttributeValue> | null> {
    try {
      const { Attributes } = await this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: keyOf(clusterId),
          UpdateExpression: update.set,
          ConditionExpression: update.where,
          ExpressionAttributeValues: update.values,
          ReturnValues: 'ALL_NEW',
        }),
      )
      return Attributes ?? {}
    } catch (error) {
      if ((error as Error).name === 'ConditionalCheckFailedException') return null
      return this.#fail(error)
    }
  }

  #fail(error: unknown): never {
    if (error instanceof OperatorError) throw error
    const { name, message } = error as Error
    if (name === 'ResourceNotFoundException') {
      throw refusal('LOCK_TABLE', `there is no table ${this.#table} for the lock`, [makeTable(this.#table)])
    }
    if (name === 'ValidationException' && /key/i.test(message)) {
      throw refusal('LOCK_TABLE', `the key of the table ${this.#table} is another one than the text "clusterId"`, [
        makeTable('OTHER'),
      ])
    }
    throw refusal('LOCK_UNREACHABLE', `the lock in the table ${this.#table} cannot be asked: ${name}: ${message}`, [
      'allow dynamodb:GetItem, UpdateItem and Scan on the table',
      'AWS_REGION says where it is, unless --lock gives its ARN',
    ])
  }
}

const makeTable = (table: string): string =>
  `aws dynamodb create-table --table-name ${table} --attribute-definitions AttributeName=clusterId,AttributeType=S --key-schema AttributeName=clusterId,KeyType=HASH --billing-mode PAY_PER_REQUEST`

const keyOf = (clusterId: ClusterId): Record<string, AttributeValue> => ({ clusterId: { S: clusterId } })

const number = (value: number): AttributeValue => ({ N: String(value) })

const itemOf = (item: Record<string, AttributeValue>): LockItem => ({
  clusterId: (item['clusterId']?.S ?? '') as ClusterId,
  holder: item['holder']?.S === undefined ? null : (JSON.parse(item['holder'].S) as SharedHolder),
  fence: Number(item['fence']?.N ?? 0),
  renewals: Number(item['renewals']?.N ?? 0),
  leaseUntil: Number(item['leaseUntil']?.N ?? 0),
})
