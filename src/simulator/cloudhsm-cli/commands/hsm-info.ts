import { createHash } from 'node:crypto'
import type { Hello } from '../../wire/messages.js'
import { CommandFailed, done, PlainError } from '../answer.js'
import type { CliCommand } from '../command.js'
import { expectAll, reasonFor } from '../outcome.js'
import { TEXTS } from '../texts.js'
import { CLUSTER_ID } from './options.js'

/** `cluster hsm-info`: counts HSMs, names none; needs no login. */
export const hsmInfo: CliCommand = {
  path: ['cluster', 'hsm-info'],
  about: 'Describe the hardware of the HSMs in the cluster',
  options: [CLUSTER_ID],
  run: async (program, values) => {
    const hellos = (await program.reader(values)).hellos(program.settings.cliLostInHsmInfo)
    if (hellos.length === 0) throw new PlainError(TEXTS.disconnected)
    return done({ hsms: hellos.map(described) })
  },
}

/** Fields, the model of hsm1.medium and the FIPS states are AWS's; every other value is made up. */
const described = ({ hsmId, hsmType, mode }: Hello): object => {
  const newer = hsmType === 'hsm2m.medium'
  const digits = createHash('sha256').update(hsmId).digest('hex').slice(0, 12).toUpperCase()
  return {
    vendor: 'Marvell Semiconductors, Inc.',
    model: newer ? 'LiquidSecurity 2' : 'NITROX-III CNN35XX-NFBE',
    'serial-number': `SIM-${digits}`,
    'hardware-version-major': '5',
    'hardware-version-minor': newer ? '0' : '3',
    'firmware-version-major': newer ? '10' : '2',
    'firmware-version-minor': newer ? '2' : '6',
    'firmware-build-number': newer ? '26' : '16',
    'firmware-id': newer ? 'SIMULATED-10.2-26' : 'CNN35XX-NFBE-FW-2.06-16',
    'fips-state':
      mode === 'NON_FIPS'
        ? '0 [non-FIPS mode with single factor authentication]'
        : '2 [FIPS mode with single factor authentication]',
  }
}

/** `quorum token-sign list-quorum-values`: needs no login. */
export const listQuorumValues: CliCommand = {
  path: ['quorum', 'token-sign', 'list-quorum-values'],
  about: 'List the quorum values set in your cluster',
  options: [CLUSTER_ID],
  run: async (program, values) => {
    const cluster = await program.reader(values)
    const replies = await cluster.ask<{ value: number }>({ op: 'quorum', service: 3 })
    expectAll(replies, () => TEXTS.disconnected)
    const [first] = replies
    if (!first?.ok) throw new CommandFailed(first ? reasonFor(first.status) : TEXTS.disconnected)
    return done({ user: Math.max(1, first.value), quorum: 1 })
  },
}
