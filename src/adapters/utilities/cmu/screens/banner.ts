/** What the utility said before its first prompt. */
export interface Banner {
  /** Labels and addresses of the servers it connected to, in order. */
  readonly connected: readonly { readonly label: string; readonly hostname: string }[]
  /** Addresses it could not connect to. */
  readonly failed: readonly string[]
  /** It runs without the secure channel to the HSM. */
  readonly limited: boolean
}

const CONNECTED = /^Connected to server '([^']*)': hostname '([^']*)', port \d+/
const FAILED = /^Connection to server ([^\s(]+)\s*(?:\(([^)]*)\))? on port \d+ failed/
const LIMITED = /limited commands mode|E2E Session failed|Enabling E2E failed/

/**
 * Reads what is printed while connecting. The lines show label and address but not the server ID.
 * Source: AWS CloudHSM User Guide, getting started; an older page for the failure; public transcripts for limited mode.
 */
export const parseBanner = (text: string): Banner => {
  const connected: { label: string; hostname: string }[] = []
  const failed: string[] = []
  for (const line of text.split('\n').map((raw) => raw.trim())) {
    const ok = CONNECTED.exec(line)
    if (ok !== null) connected.push({ label: ok[1] ?? '', hostname: ok[2] ?? '' })
    const bad = FAILED.exec(line)
    if (bad !== null) failed.push(bad[2] ?? bad[1] ?? '')
  }
  return { connected, failed, limited: LIMITED.test(text) }
}
