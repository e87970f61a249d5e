import type { HsmUser, HsmUserType } from '../../../domain/hsm-user.js'
import { NotUnderstood } from '../../utility-process/not-understood.js'

/** The listing of one server. */
export interface ServerListing {
  readonly serverId: number
  readonly label: string
  readonly users: readonly HsmUser[]
}

const HEADING = /^(?:Users on|listUsers on) server (\d+)\(([^)]*)\):$/
const COUNT = /^Number of users found ?: ?(\d+)$/
const TYPES: readonly string[] = ['CO', 'CU', 'AU', 'PCO', 'PRECO']

/**
 * Reads the reply of `listUsers`. Columns are separated by any white space, because their offsets differ between
 * versions; names cannot hold blanks.
 * Source: AWS CloudHSM User Guide, `listUsers`; public transcripts.
 * @throws {NotUnderstood} when a row is malformed, or fewer or more rows are listed than announced
 */
export const parseListUsers = (text: string): ServerListing[] => {
  const listings: { serverId: number; label: string; announced: number | null; users: HsmUser[] }[] = []
  for (const line of text.split('\n').map((raw) => raw.trim())) {
    const heading = HEADING.exec(line)
    if (heading !== null) {
      listings.push({ serverId: Number(heading[1]), label: heading[2] ?? '', announced: null, users: [] })
      continue
    }
    const listing = listings.at(-1)
    if (listing === undefined || line === '') continue
    const count = COUNT.exec(line)
    if (count !== null) listing.announced = Number(count[1])
    else if (/^\d+\s/.test(line)) listing.users.push(parseRow(line))
  }
  for (const { serverId, announced, users } of listings) {
    if (announced !== users.length) {
      throw new NotUnderstood(
        `server ${serverId} announced ${announced ?? 'no number of'} users and listed ${users.length}`,
      )
    }
  }
  return listings.map(({ serverId, label, users }) => ({ serverId, label, users }))
}

const parseRow = (line: string): HsmUser => {
  const [id, type = '', name = '', mofnPubKey, failures, twoFactor, ...rest] = line.split(/\s+/)
  const wellFormed =
    TYPES.includes(type) &&
    isYesNo(mofnPubKey) &&
    isYesNo(twoFactor) &&
    /^\d+$/.test(failures ?? '') &&
    rest.length === 0
  if (!wellFormed) throw new NotUnderstood(`a row of listUsers does not have the six known columns: "${line}"`)
  return {
    userId: Number(id),
    type: type as HsmUserType,
    name,
    mofnPubKey: mofnPubKey === 'YES',
    loginFailureCount: Number(failures),
    twoFactor: twoFactor === 'YES',
    locked: null,
    inconsistent: [],
  }
}

const isYesNo = (word: string | undefined): boolean => word === 'YES' || word === 'NO'
