import type { UtilitySettings } from './settings.js'

/**
 * What the utility prints and some transcript or page shows. Its counterpart is `assumed-texts.ts`.
 * Sources: AWS CloudHSM User Guide, pages `cloudhsm_mgmt_util-*`; public transcripts for spacing and success lines.
 */
export const BANNER = `Connecting to the server(s), it may take time
depending on the server(s) load, please wait...

`
export const IGNORING_E2E = 'Ignoring E2E enable flag in the configuration file\n'
export const ONE_SERVER_FAILED = 'Connection to one of servers failed, exiting...\n'
export const DISCONNECTING = '\ndisconnecting from servers, please wait...\n'
export const CONTINUE_QUESTION = '\nDo you want to continue(y/n)?'
export const INVALID_ANSWER = "Invalid option, please type 'y' or 'n'\n"
export const RETRY_IGNORE_ABORT = '\nRetry/Ignore/Abort?(R/I/A):'
export const RETRY_ROLLBACK_IGNORE = '\nRetry/rollBack/Ignore?(R/B/I):'
export const ENTER_PASSWORD = 'Enter password:'
export const ENTER_NEW_PASSWORD = 'Enter new password: '
export const REENTER_NEW_PASSWORD = 'Re-enter new password: '

const STARS = '*************************CAUTION********************************'
const FOOT = '****************************************************************'

/** The block before a change. Real output has blanks at the end of lines 3, 4 and 5. */
export const caution = ({ cautionBlankLine, cautionWording }: UtilitySettings): string => {
  const who =
    cautionWording === 'aws'
      ? [
          'cluster. AWS does NOT synchronize these changes automatically with the ',
          'nodes on which this operation is not executed or failed, please ',
        ]
      : [
          'cluster. Cav server does NOT synchronize these changes with the ',
          'nodes on which this operation is not executed or failed, please ',
        ]
  const lines = [
    STARS,
    'This is a CRITICAL operation, should be done on all nodes in the',
    ...who,
    'ensure this operation is executed on all nodes in the cluster. ',
    FOOT,
  ]
  return `${cautionBlankLine ? '\n' : ''}${lines.join('\n')}\n`
}

/** The prompt of a mode; null is the global one. */
export const prompt = ({ promptStyle }: UtilitySettings, serverId: number | null): string => {
  if (promptStyle === 'compact') return serverId === null ? 'aws-cloudhsm>' : `server${serverId}>`
  if (promptStyle === 'spaced') return serverId === null ? 'aws-cloudhsm> ' : `server ${serverId}> `
  return serverId === null ? 'aws-cloudhsm >' : `server ${serverId} >`
}

/** What a server without its owner certificate, or without an inner channel, says while it connects. */
export const limitedMode = (id: number, label: string, ownerCertificate: string): string => `${ownerCertificate},
partition owner certificate not exist at given path
Server ${id}(${label}) is in unencrypted mode now...
running in limited commands mode
Error: partition owner certificate doesn't exist at given path.
Failed to create client ssl ctx
E2E Session failed: E2E setup failed
Enabling E2E failed
`

/** A status code as syncUser prints it. */
export const hex = (code: number): string => `0x${code.toString(16)}`
