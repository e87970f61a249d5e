import type { UserType } from '../hsm/user.js'

/** Roles as they are typed. */
export const ROLES = ['admin', 'crypto-user'] as const
export type Role = (typeof ROLES)[number]

/** The types a role stands for on an HSM, the likely one first. */
export const typesOf = (role: Role): readonly UserType[] => (role === 'admin' ? ['CO', 'PCO', 'PRECO'] : ['CU'])

/** How a listing names a type. */
export const roleOf = (type: UserType): string => {
  switch (type) {
    case 'CO':
    case 'PCO':
      return 'admin'
    case 'CU':
      return 'crypto-user'
    case 'PRECO':
      return 'unactivated-admin'
    case 'AU':
      return 'internal(APPLIANCE_USER)'
  }
}
