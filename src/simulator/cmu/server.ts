import { existsSync } from 'node:fs'
import { type HsmReply, refused, STATUS } from '../hsm/status.js'
import { ConnectionLost, type HsmLine } from '../wire/hsm-line.js'
import type { HsmRequest } from '../wire/messages.js'
import { ASSUMED, LOST_CODE } from './assumed-texts.js'
import type { ConfiguredServer } from './config.js'
import type { UtilitySettings } from './settings.js'

/** One server of the session: an entry of the file, its number, its connection. */
export class Server {
  readonly id: number
  readonly config: ConfiguredServer
  line: HsmLine | null = null
  /** Whether only a few commands work: the end-to-end channel could not be set up. */
  limited = false
  /** `name(type)` of who is logged in here through this session. */
  loggedIn: string | null = null

  constructor(id: number, config: ConfiguredServer) {
    this.id = id
    this.config = config
  }

  get label(): string {
    return this.config.label
  }

  /** `0(10.0.2.9)`: how result lines name it. */
  get named(): string {
    return `${this.id}(${this.label})`
  }

  get connected(): boolean {
    return this.line?.open ?? false
  }

  /** Whether the certificate that authenticates the HSM's owner is looked for and not there. */
  ownerCertificateMissing({ ownerCertificateChecked }: UtilitySettings): boolean {
    return ownerCertificateChecked && !existsSync(this.config.ownerCertificate)
  }

  /** Asks the HSM; a lost connection reads as a refusal with a reason. */
  async ask<T extends object>(request: HsmRequest): Promise<HsmReply<T>> {
    const lost = { ok: false, status: { code: LOST_CODE, text: ASSUMED.connectionLost(this.id, this.label) } } as const
    if (!this.line) return lost
    if (this.limited && request.op !== 'list' && request.op !== 'e2e') return refused(STATUS.limited)
    try {
      return await this.line.request<T>(request)
    } catch (error) {
      if (error instanceof ConnectionLost) return lost
      throw error
    }
  }
}
