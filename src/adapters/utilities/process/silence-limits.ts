/** How long the utility may be silent, in milliseconds, while it connects and while it runs a command. */
export interface SilenceLimits {
  readonly startupMs: number
  readonly commandMs: number
  /** How long it may take to end once it was told to. */
  readonly goodbyeMs: number
}
