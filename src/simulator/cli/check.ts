import { askCheck } from '../control-client.js'
import { typedUser } from '../faults/options.js'
import { readOptions, required } from './options.js'
import { resolveSecret } from './secret.js'
import { table } from './table.js'

/** `check`: which HSMs hold a password. Ends with 6 unless all of them do. */
export const check = async (args: readonly string[]): Promise<number> => {
  const { values } = readOptions(args, {
    dir: { type: 'string' },
    user: { type: 'string' },
    password: { type: 'string' },
    json: { type: 'boolean' },
  })
  const dir = required(values.dir, 'dir')
  const user = typedUser(required(values.user, 'user'))
  const password = resolveSecret('--password', required(values.password, 'password'))
  const result = await askCheck(dir, { type: user.type, name: user.name }, password)
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`)
  else {
    const word = (match: boolean | null): string => (match === null ? 'no such user' : match ? 'yes' : 'no')
    process.stdout.write(
      table(
        ['cluster', 'HSM', 'match'],
        result.hsms.map(({ clusterId, hsmId, match }) => [clusterId, hsmId, word(match)]),
      ),
    )
  }
  return result.hsms.every(({ match }) => match === true) ? 0 : 6
}
