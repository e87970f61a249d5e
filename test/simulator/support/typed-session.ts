import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type IPty, spawn } from '@lydell/node-pty'
import type { RunningFleet } from '../../helpers/simulator.js'

const PATIENCE_MS = 20_000

/** Any main prompt at the end of what was printed. */
export const PROMPT = /(?:^|\n)(aws-cloudhsm|server ?\d+) ?>\s*$/

let files = 0

/** A configuration of the utility that lists these addresses in this order. */
export const writeConfig = async (
  dir: string,
  hostnames: readonly string[],
  change: (entry: Record<string, unknown>, index: number) => Record<string, unknown> = (entry) => entry,
): Promise<string> => {
  files += 1
  const path = join(dir, `config-${process.pid}-${files}.cfg`)
  const servers = hostnames.map((hostname, index) =>
    change(
      {
        CAfile: '',
        CApath: '/opt/cloudhsm/etc/certs',
        certificate: '/opt/cloudhsm/etc/client.crt',
        e2e_encryption: { enable: 'yes', owner_cert_path: '/opt/cloudhsm/etc/customerCA.crt' },
        enable: 'yes',
        hostname,
        name: hostname,
        pkey: '/opt/cloudhsm/etc/client.key',
        port: 2225,
        server_ssl: 'yes',
        ssl_ciphers: '',
      },
      index,
    ),
  )
  const scard = { certificate: 'cert-sc', enable: 'no', pkey: 'pkey-sc', port: 2225 }
  await writeFile(path, JSON.stringify({ scard, servers }))
  return path
}

/** A program in a pseudo-terminal, typed at by a test. Shares nothing with the product's own driver. */
export class TypedSession {
  readonly #pty: IPty
  readonly ended: Promise<number>
  #heard = ''
  /** Everything printed so far. */
  transcript = ''
  #wake: () => void = () => undefined

  constructor(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    // A bare environment, as the product gives its children.
    this.#pty = spawn(program, [...args], { cols: 240, rows: 50, env: { TERM: 'dumb', ...env } })
    this.#pty.onData((chunk) => {
      this.#heard += chunk
      this.transcript += chunk
      this.#wake()
    })
    this.ended = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode }) => resolve(exitCode))
    })
  }

  /** Starts the management utility on these addresses and waits for the first prompt. */
  static async open(sim: RunningFleet, hostnames: readonly string[]): Promise<TypedSession> {
    const session = new TypedSession(sim.ready.managementUtility, [await writeConfig(sim.dir, hostnames)])
    await session.expect(PROMPT)
    return session
  }

  /** Waits until what was printed since the last `type` matches. @returns that text, with LF line ends */
  async expect(pattern: RegExp): Promise<string> {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const text = this.#heard.replaceAll('\r\n', '\n')
      if (pattern.test(text)) return text
      const rest = deadline - Date.now()
      if (rest <= 0) throw new Error(`waited for ${pattern}, got: ${text}`)
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        timer = setTimeout(resolve, rest)
      })
      clearTimeout(timer)
    }
  }

  /** Types a text as it is. */
  write(text: string): void {
    this.#heard = ''
    this.#pty.write(text)
  }

  /** Types a line and waits for `pattern`. @returns what was printed since, the echo of the line included */
  async run(line: string, pattern: RegExp = PROMPT): Promise<string> {
    this.write(`${line}\r`)
    return this.expect(pattern)
  }

  /** Logs in with a hidden password. */
  async login(type: string, name: string, password: string): Promise<string> {
    await this.run(`loginHSM ${type} ${name} -hpswd`, /Enter password:$/)
    return this.run(password)
  }

  /** Changes a password, given hidden, and says yes. */
  async change(type: string, name: string, password: string, pattern: RegExp = PROMPT): Promise<string> {
    await this.run(`changePswd ${type} ${name} -hpswd`, /Enter new password: $/)
    await this.run(password, /Re-enter new password: $/)
    await this.run(password, /Do you want to continue\(y\/n\)\?$/)
    return this.run('y', pattern)
  }

  async quit(): Promise<number> {
    this.write('quit\r')
    return this.ended
  }

  /** Ends it without a word. */
  async kill(): Promise<void> {
    this.#pty.kill('SIGKILL')
    await this.ended
  }
}
