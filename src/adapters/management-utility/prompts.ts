/**
 * Every prompt the utility is known to wait at. All are matched at the end of what it has printed so far, because
 * their words may also stand in an echo or in a reply.
 * Source: AWS CloudHSM User Guide (global and server prompts, caution block, menus) and public transcripts.
 */
const PROMPTS = {
  global: /(?:^|\n)aws-cloudhsm ?> ?$/,
  server: /(?:^|\n)server ?(?<serverId>\d+) ?> ?$/,
  password: /(?:^|\n)Enter password: ?$/,
  newPassword: /(?:^|\n)Enter new password: ?$/,
  repeatPassword: /(?:^|\n)Re-enter (?:new )?password: ?$/,
  continue: /Do you want to continue ?\(y\/n\) ?\? ?$/,
  /** createUser, changePswd. */
  retryIgnoreAbort: /Retry\/Ignore\/Abort\?\(R\/I\/A\): ?$/,
  /** deleteUser. */
  retryRollbackIgnore: /Retry\/rollBack\/Ignore\?\(R\/B\/I\): ?$/,
} as const

export type PromptName = keyof typeof PROMPTS

/** A prompt found at the end of the output, and what was printed before it. */
export interface FoundPrompt {
  readonly name: PromptName
  /** Which server a `serverN>` prompt speaks for. */
  readonly serverId: number | null
  readonly before: string
}

/** The prompt at the end of `text`, if there is one. Line ends are `\n` here. */
export const findPrompt = (text: string): FoundPrompt | null => {
  // Prompts stand on the last line; long listings need not be searched again with every chunk.
  const lastLine = text.lastIndexOf('\n', text.length - 1)
  const tail = text.slice(Math.max(0, lastLine))
  for (const [name, pattern] of Object.entries(PROMPTS) as [PromptName, RegExp][]) {
    const match = pattern.exec(tail)
    if (match === null) continue
    const serverId = match.groups?.['serverId']
    return {
      name,
      serverId: serverId === undefined ? null : Number(serverId),
      before: text.slice(0, text.length - tail.length + match.index),
    }
  }
  return null
}
