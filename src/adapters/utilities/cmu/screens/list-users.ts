import { type HsmUser, type HsmUserType, userKey } from '../../../../domain/hsm-user.js'
import { NotUnderstood } from '../../process/not-understood.js'
import { plainText } from '../../process/plain-text.js'

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
 * Reads the reply of `listUsers`. Columns are separated by any blanks or TABs, because their offsets differ between
 * versions; names cannot hold blanks. Headings are read without control characters, names with them: two names that
 * look the same are two users.
 * Source: AWS CloudHSM User Guide, `listUsers`; public transcripts.
 * @param verbatim what was printed, with plain line ends
 * @throws {NotUnderstood} when a row is malformed, fewer or more rows are listed than announced, or a server, a user ID
 * or a user comes twice
 */
export const parseListUsers = (verbatim: string): ServerListing[] => {
  const listings: OpenListing[] = []
  for (const raw of verbatim.split('\n')) {
    const line = plainText(raw).trim()
    const heading = HEADING.exec(line)
    if (heading !== null) {
      listings.push(new OpenListing(Number(heading[1]), heading[2] ?? ''))
      continue
    }
    const listing = listings.at(-1)
    if (listing === undefined || line === '') continue
    const count = COUNT.exec(line)
    if (count !== null) listing.announce(Number(count[1]))
    else if (/^\d+\s/.test(line)) listing.add(parseRow(raw))
  }
  const serverIds = new Set(listings.map(({ serverId }) => serverId))
  if (serverIds.size !== listings.length) throw new NotUnderstood('listUsers shows one server twice')
  return listings.map((listing) => listing.close())
}

/** The listing of one server while it is read. */
class OpenListing {
  readonly serverId: number
  readonly label: string
  readonly #users: HsmUser[] = []
  readonly #ids = new Set<number | null>()
  readonly #keys = new Set<string>()
  #announced: number | null = null

  constructor(serverId: number, label: string) {
    this.serverId = serverId
    this.label = label
  }

  announce(count: number): void {
    if (this.#announced !== null) throw new NotUnderstood(`server ${this.serverId} announced its users twice`)
    this.#announced = count
  }

  add(user: HsmUser): void {
    const key = userKey(user).toLowerCase()
    if (this.#ids.has(user.userId)) throw new NotUnderstood(`server ${this.serverId} lists ID ${user.userId} twice`)
    if (this.#keys.has(key)) throw new NotUnderstood(`server ${this.serverId} lists ${userKey(user)} twice`)
    this.#ids.add(user.userId)
    this.#keys.add(key)
    this.#users.push(user)
  }

  close(): ServerListing {
    const { serverId, label } = this
    if (this.#announced !== this.#users.length) {
      const announced = this.#announced ?? 'no number of'
      throw new NotUnderstood(`server ${serverId} announced ${announced} users and listed ${this.#users.length}`)
    }
    return { serverId, label, users: this.#users }
  }
}

const parseRow = (line: string): HsmUser => {
  // Not `\s`: it takes a no-break space and its like for the end of a name.
  const [id = '', type = '', name = '', mofnPubKey, failures, twoFactor, ...rest] = line
    .split(/[ \t]+/)
    .filter((column) => column !== '')
  const wellFormed =
    /^\d+$/.test(id) &&
    TYPES.includes(type) &&
    isYesNo(mofnPubKey) &&
    isYesNo(twoFactor) &&
    /^\d+$/.test(failures ?? '') &&
    rest.length === 0
  if (!wellFormed)
    throw new NotUnderstood(`a row of listUsers does not have the six known columns: "${line.trim().slice(0, 200)}"`)
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
