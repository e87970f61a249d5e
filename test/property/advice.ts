/** What an operator can do about a rotation. */
export type Action = 'start' | 'resume' | 'rollback' | 'recover' | 'repair'

/** One thing that the program advises: a command, flags for one, or both. */
export interface Way {
  /** Null where it is the same command again. */
  readonly action: Action | null
  /** By name, with the value where one is given. */
  readonly flags: readonly (readonly [string, string | null])[]
  /** The current password that was given is to be left out. */
  readonly withoutCurrent: boolean
  /** A newer utility is to be installed. */
  readonly upgrade: boolean
  /** An officer is to clear the counts of failed logins. */
  readonly clear: boolean
  /** An officer is to make a user that is missing. */
  readonly make: boolean
  /** Users are to be copied from another HSM. */
  readonly elsewhere: boolean
  /** An officer is to unlock a user. */
  readonly unlock: boolean
  /** An officer is to delete a user that has another ID than it had. */
  readonly remove: boolean
}

/** Whether it asks for more than a command as it is. */
export const isGrant = ({ flags, withoutCurrent, upgrade, clear, make, elsewhere, unlock, remove }: Way): boolean =>
  flags.length > 0 || withoutCurrent || upgrade || clear || make || elsewhere || unlock || remove

/** Flags that decide nothing, or that the operator gives anyhow. */
const UNDECIDED: readonly string[] = [
  ...['rotation', 'most-recent', 'config', 'store', 'user', 'officer', 'officer-password', 'reason', 'new-password'],
  ...['source', 'destination', 'wait-for-drain', 'yes', 'file', 'lock', 'role-arn', 'profile', 'region', 'to', 'out'],
]

const COMMAND = /\b(?:rotate (start|resume|rollback|recover)|users (repair))\b/g
const FLAG = /--([a-z][a-z-]+)(?:[ =]([a-z0-9][\w-]*))?/g
/** Commands that only look, with their flags. */
const LOOK = /\blockstep (?:users (?:list|drift|prove)|config generate)(?: --\S+ \S+)*/g
const LEAVE_OUT = /leave --(?:current-)?password out/
const UPGRADE = /install a newer/
const CLEAR = /clears the count/
const MAKE = /an officer makes it there|create \S+ (?:there|on \S+) by hand/
const ELSEWHERE = /name an(?:other)? HSM or a(?:nother)? cluster/
const UNLOCK = /an officer unlocks/
const REMOVE = /delete the user there/

/** Values that are words of the sentence and not values. */
const WITHOUT_VALUE: readonly string[] = [
  ...['accept-no-way-back', 'overwrite-other', 'retry-officer', 'create-missing', 'current-password', 'to-current'],
]

/** What one line of advice says. One that names several commands leaves it to the reader which; one for later is none yet. */
const wayIn = (said: string): Way | null => {
  if (said.startsWith('then ')) return null
  const line = said.replace(LOOK, '')
  const withoutCurrent = LEAVE_OUT.test(line)
  const flags = [...line.replace(LEAVE_OUT, '').matchAll(FLAG)].flatMap(([, name = '', value]) =>
    UNDECIDED.includes(name) ? [] : [[name, WITHOUT_VALUE.includes(name) ? null : (value ?? null)] as const],
  )
  const commands = [...line.matchAll(COMMAND)].map(([, rotate, users]) => (rotate ?? users) as Action)
  const [only, ...others] = new Set(commands)
  const action = only !== undefined && others.length === 0 ? only : null
  const beside = {
    upgrade: UPGRADE.test(line),
    clear: CLEAR.test(line),
    make: MAKE.test(line),
    elsewhere: ELSEWHERE.test(line),
    unlock: UNLOCK.test(line),
    remove: REMOVE.test(line),
  }
  const way = { action, flags, withoutCurrent, ...beside }
  return action === null && !isGrant(way) ? null : way
}

export const waysIn = (suggestions: readonly string[]): readonly Way[] =>
  suggestions.flatMap((line) => wayIn(line) ?? [])

/** Commands that are advised as they are. */
export const commandsIn = (suggestions: readonly string[]): ReadonlySet<Action> =>
  new Set(waysIn(suggestions).flatMap((way) => (way.action === null || isGrant(way) ? [] : [way.action])))
