/**
 * What the utility prints where no page and no transcript shows it. Every line here is a guess by analogy; the output of
 * a real utility replaces it here and nowhere else. Codes and reasons of an HSM stand in `../hsm/status.ts`.
 */
export const ASSUMED = {
  configMissing: (path: string): string => `Failed to open the configuration file ${path}\n`,
  configMalformed: (path: string, problem: string): string =>
    `Failed to parse the configuration file ${path}: ${problem}\n`,
  syntax: (path: string): string => `Usage: ${path} <configuration file>\n`,
  otherGeneration: 'Connection reset by peer',
  unknownCommand: (word: string): string => `${word}: command not found, type 'help' for the list of commands\n`,
  ambiguousCommand: (word: string, names: readonly string[]): string =>
    `${word}: ambiguous command, could be ${names.join(', ')}\n`,
  notImitated: (name: string): string => `${name}: this command is not available in the simulator\n`,
  wrongMode: (name: string, mode: 'global' | 'server'): string =>
    `${name}: command is available only in ${mode} mode\n`,
  commandSyntax: (syntax: string): string => `Usage: ${syntax}\n`,
  unknownServer: (id: string): string => `Invalid server number ${id}\n`,
  twoFactorNotImitated: '-2fa is not available in the simulator\n',
  passwordsDiffer: 'Passwords do not match\n',
  connectionLost: (id: number, label: string): string => `Connection to server ${id}(${label}) is lost`,
  loginFailed: (id: number, label: string): string => `loginHSM failed on server ${id}(${label})\n`,
  logoutFailed: (id: number, label: string): string => `logoutHSM failed on server ${id}(${label})\n`,
  listFailed: (id: number, label: string, reason: string): string =>
    `listUsers failed: ${reason}\nlistUsers failed on server ${id}(${label})\n\n`,
  infoFailed: (id: number, label: string, reason: string): string =>
    `getHSMInfo failed on server ${id}(${label}): ${reason}\n`,
  syncFailed: 'syncUser failed\n',
  invalidUserId: 'Invalid user ID\n',
  notLoggedIn: 'Not logged in',
  e2eFailed: (id: number, label: string): string => `Enabling E2E failed on server ${id}(${label})\n`,
  rolledBack: (id: number, label: string): string => `rolled back on server ${id}(${label})\n`,
  rollBackFailed: (id: number, label: string, reason: string): string =>
    `roll back failed on server ${id}(${label}): ${reason}\n`,
} as const

/** Exit codes; none is documented. */
export const EXIT_CODE = { done: 0, failed: 1 } as const

/** Code syncUser prints when the line to an HSM broke. */
export const LOST_CODE = 0xff
