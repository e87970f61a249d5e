/**
 * Every prompt the utility is known to wait at. Each is the whole of the last line, because its words may also stand in
 * an echo, in a reply or in a user's name.
 * Source: AWS CloudHSM User Guide (global and server prompts, caution block, menus) and public transcripts.
 */
const PROMPTS = {
  global: /^aws-cloudhsm ?> ?$/,
  server: /^server ?(?<serverId>\d{1,4}) ?> ?$/,
  password: /^Enter password: ?$/,
  newPassword: /^Enter new password: ?$/,
  repeatPassword: /^Re-enter (?:new )?password: ?$/,
  continue: /^\s*Do you want to continue ?\(y\/n\) ?\? ?$/,
  /** createUser, changePswd. */
  retryIgnoreAbort: /^\s*Retry\/Ignore\/Abort\?\(R\/I\/A\): ?$/,
  /** deleteUser. */
  retryRollbackIgnore: /^\s*Retry\/rollBack\/Ignore\?\(R\/B\/I\): ?$/,
} as const

export type PromptName = keyof typeof PROMPTS

/** A prompt found at the end of the output. */
export interface FoundPrompt {
  readonly name: PromptName
  /** Which server a `serverN>` prompt speaks for. */
  readonly serverId: number | null
}

/** The prompt at the end of `text`, if there is one. Line ends are `\n` here. */
export const findPrompt = (text: string): FoundPrompt | null => {
  const lastLine = text.slice(text.lastIndexOf('\n') + 1)
  for (const [name, pattern] of Object.entries(PROMPTS) as [PromptName, RegExp][]) {
    const match = pattern.exec(lastLine)
    if (match === null) continue
    const serverId = match.groups?.['serverId']
    return { name, serverId: serverId === undefined ? null : Number(serverId) }
  }
  return null
}
