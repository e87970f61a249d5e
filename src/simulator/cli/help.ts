import { FAULTS, type FaultKind, type FaultOption } from '../faults/catalogue.js'
import { OPERATIONS } from '../hsm/requests.js'

const VALUES: Partial<Record<FaultOption, string>> = {
  user: 'CU:NAME',
  operation: 'OP',
  nth: 'N',
  ms: 'MS',
  count: 'N',
  times: 'N',
  region: 'REGION',
  cluster: 'ID',
  state: 'STATE',
  users: 'sibling|original',
  password: 'SECRET',
}
const shown = (option: FaultOption): string => `--${option}${VALUES[option] ? ` ${VALUES[option]}` : ''}`

const kinds = (Object.entries(FAULTS) as [string, FaultKind][])
  .map(([name, { does, needs = [], takes }]) => {
    const options = takes.map((option) => (needs.includes(option) ? shown(option) : `[${shown(option)}]`)).join(' ')
    return `  ${`${name} ${options}`.trimEnd()}\n      ${does}`
  })
  .join('\n')

export const HELP = `Stands in for AWS and for the HSMs of CloudHSM clusters: for tests and for game days.

  lockstep-sim start --fleet FILE --dir DIR [--ends-with-stdin]
      runs in the foreground; prints one line of JSON when ready
  lockstep-sim state --dir DIR [--json] [--counters]
      what the HSMs really hold
  lockstep-sim check --dir DIR --user CU:NAME --password SECRET [--json]
      which HSMs hold a password; no login is counted
  lockstep-sim fault --dir DIR [--hsm ID]... KIND [--off] [options] [--json]
      switches a fault on or off; without --hsm on all HSMs

SECRET is env:NAME, file:PATH or command:CMD. OP is one of ${OPERATIONS.join(', ')}.

Exit codes: 0 done; 1 unexpected failure; 2 wrong usage or fleet file; 3 refused (nothing runs in DIR, say);
6 check: not every HSM holds the password.

Faults:
${kinds}
`
