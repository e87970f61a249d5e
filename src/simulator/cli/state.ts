import { askState } from '../control-client.js'
import { readOptions, required } from './options.js'
import { table } from './table.js'

/** `state`: what the HSMs really hold. */
export const state = async (args: readonly string[]): Promise<number> => {
  const { values } = readOptions(args, {
    dir: { type: 'string' },
    json: { type: 'boolean' },
    counters: { type: 'boolean' },
  })
  const truth = await askState(required(values.dir, 'dir'), values.counters)
  if (values.json) {
    process.stdout.write(`${JSON.stringify(truth)}\n`)
    return 0
  }
  const rows = truth.hsms.flatMap(({ clusterId, eniIp, hsmId, region, users }) =>
    users.map((user) => [
      region,
      clusterId,
      hsmId,
      eniIp,
      `${user.id}`,
      `${user.type}:${user.name}`,
      user.locked ? `${user.failures} locked` : `${user.failures}`,
      `${user.sessions}`,
    ]),
  )
  process.stdout.write(table(['region', 'cluster', 'HSM', 'address', 'id', 'user', 'failures', 'sessions'], rows))
  return 0
}
