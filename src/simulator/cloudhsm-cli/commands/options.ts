import type { Option } from '../command.js'
import { ROLES } from '../roles.js'

export const CLUSTER_ID: Option = {
  name: 'cluster-id',
  value: 'CLUSTER_ID',
  about: 'Which of the clusters in the configuration file; the default of interactive mode where absent',
}
export const USERNAME: Option = { name: 'username', value: 'USERNAME', required: true, about: 'Name of the user' }
export const ROLE: Option = { name: 'role', value: 'ROLE', required: true, possible: ROLES, about: 'Role of the user' }
export const PASSWORD: Option = {
  name: 'password',
  value: 'PASSWORD',
  about: 'Optional: plain text password; asked for where absent',
}
export const APPROVAL: Option = {
  name: 'approval',
  value: 'APPROVAL',
  about: 'File with a signed quorum token',
}
