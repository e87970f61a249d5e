/** Whether the operator asked the run to end after the HSM in hand. */
export interface Interrupts {
  readonly requested: boolean
  /** Stops listening. */
  release(): void
}

/**
 * The one handler of Ctrl-C: the first asks the run to finish the HSM in hand, the second leaves at once.
 * @param exitCode what the second one leaves with
 */
export const listenForInterrupts = (write: (line: string) => void, exitCode: () => number): Interrupts => {
  const state = { requested: false }
  const onSignal = () => {
    if (state.requested) process.exit(exitCode())
    state.requested = true
    write('finishing the HSM in hand; press Ctrl-C again to leave at once')
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    get requested() {
      return state.requested
    },
    release() {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}
