import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ran } from './program.js'
import { ROOT, run } from './program.js'

/** What the runbook works on. */
export interface RunbookFleet {
  /** Addresses in the order of the merged configuration. */
  readonly addresses: readonly string[]
  /** Place of the canary among them. */
  readonly canary: number
  readonly users: readonly string[]
  readonly utility: string
  readonly officer: { readonly name: string; readonly password: string }
}

/** Whether `expect` is installed. */
export const expectInstalled = (): Promise<boolean> =>
  run('expect', ['-v']).then(
    () => true,
    () => false,
  )

/** Runs `runbook.exp` once, giving every user `password`. Its configurations are written to `folder` beforehand. */
export const runRunbook = async (fleet: RunbookFleet, folder: string, password: string): Promise<Ran> => {
  await mkdir(folder, { recursive: true })
  const configs = new Map(fleet.addresses.map((address, server) => [`${server}.cfg`, [address]] as const))
  for (const [name, addresses] of [['all.cfg', fleet.addresses] as const, ...configs]) {
    await writeFile(join(folder, name), JSON.stringify(configuration(addresses), null, 2))
  }
  const script = join(ROOT, 'test/bench/runbook.exp')
  const { addresses, canary, users, utility, officer } = fleet
  const args = [script, utility, folder, String(addresses.length), String(canary), officer.name, ...users]
  return run('expect', args, { OFFICER_PASSWORD: officer.password, NEW_PASSWORD: password })
}

/** The utility's configuration, as operators write it by hand. Source: AWS CloudHSM User Guide, cloned clusters. */
const configuration = (addresses: readonly string[]): unknown => ({
  servers: addresses.map((address) => ({
    name: address,
    hostname: address,
    port: 2225,
    certificate: '/opt/cloudhsm/etc/client.crt',
    pkey: '/opt/cloudhsm/etc/client.key',
    CAfile: '',
    CApath: '/opt/cloudhsm/etc/certs',
    ssl_ciphers: '',
    server_ssl: 'yes',
    enable: 'yes',
    e2e_encryption: { enable: 'yes', owner_cert_path: '/opt/cloudhsm/etc/customerCA.crt' },
  })),
  scard: { enable: 'no', port: 2225, certificate: 'cert-sc', pkey: 'pkey-sc' },
})
