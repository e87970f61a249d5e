import { ASSUMED } from '../assumed-texts.js'
import type { Command } from '../command.js'
import type { Server } from '../server.js'

/** `info server <N>`: needs no login; shows the HSM ID under `Partition`. */
export const info: Command = {
  name: 'info',
  mode: 'global',
  syntax: 'info server <server ID>',
  arguments: [2, 2],
  run: (session, [what = '', id = '']) => {
    const server = session.server(id)
    if (what !== 'server') return session.print(ASSUMED.commandSyntax(info.syntax))
    if (!server) return session.print(ASSUMED.unknownServer(id))
    const { hostname, label, port } = server.config
    const state = server.connected ? 'Connected' : 'Disconnected'
    const login = server.loggedIn === null ? ASSUMED.notLoggedIn : `Logged in as '${server.loggedIn}'`
    session.print(
      `Id\tName\t\t\tHostname\t\tPort\tState\t\tPartition\t\tLoginState\n${id}\t${label}\t\t${hostname}\t\t${port}\t${state}\t${server.line?.hello.hsmId ?? ''} \t${login}\n`,
    )
  },
}

/** `getHSMInfo`: what the appliance says about itself; serial number and temperature are made up. */
export const getHsmInfo: Command = {
  name: 'getHSMInfo',
  mode: 'any',
  syntax: 'getHSMInfo',
  arguments: [0, 0],
  run: async (session) => {
    session.print(`Getting HSM Info on ${session.targets.length} nodes\n`)
    for (const server of session.targets) session.print(await hsmInfo(server))
  },
}

const hsmInfo = async (server: Server): Promise<string> => {
  const reply = await server.ask({ op: 'quorum', service: 3 })
  if (!reply.ok) return ASSUMED.infoFailed(server.id, server.label, reply.status.text)
  return `\t\t*** Server ${server.id} HSM Info ***

\tLabel                :cavium
\tModel                :NITROX-III CNN35XX-NFBE

\tSerial Number        :simulated-${server.line?.hello.hsmId ?? ''}
\tHSM Flags            :0
\tFIPS state           :2 [FIPS mode with single factor authentication]

\tFirmware Major       :2
\tFirmware Minor       :03
\tTemperature          :56 C

`
}

/** `getMValue <service>`: approvals needed; more than 1 means a quorum is set. */
export const getMValue: Command = {
  name: 'getMValue',
  mode: 'any',
  syntax: 'getMValue <service>',
  arguments: [1, 1],
  run: async (session, [service = '']) => {
    const name = service === '3' ? 'USER_MGMT' : service === '4' ? 'MISC_CO' : null
    if (name === null) return session.print(ASSUMED.commandSyntax(getMValue.syntax))
    for (const server of session.targets) {
      const reply = await server.ask<{ value: number }>({ op: 'quorum', service: Number(service) })
      session.print(
        reply.ok
          ? `MValue of service ${service}[${name}] on server ${server.id} : [${reply.value}]\n`
          : `getMValue failed: ${reply.status.text}\n`,
      )
    }
  },
}

/** `enable_e2e`: harmless when the channel is up; helps a server out of limited commands mode when it can. */
export const enableE2e: Command = {
  name: 'enable_e2e',
  mode: 'any',
  syntax: 'enable_e2e',
  arguments: [0, 0],
  run: async (session) => {
    for (const server of session.targets) {
      const reply = await server.ask<{ limited: boolean }>({ op: 'e2e' })
      const enabled = reply.ok && !reply.limited && !server.ownerCertificateMissing(session.settings)
      server.limited = !enabled
      session.print(enabled ? `E2E enabled on server ${server.named}\n` : ASSUMED.e2eFailed(server.id, server.label))
    }
  },
}
