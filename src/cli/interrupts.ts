/** Whether the operator asked the run to end after the HSM in hand. */
export interface Interrupts {
  readonly requested: boolean
  /** Stops listening: from then on a signal ends the program as it would any other. */
  release(): void
}

/** Who hears of Ctrl-C. One at a time: a command that listens takes the place of the start of the program. */
let listener: (() => void) | null = null
const onSignal = () => listener?.()

const listen = (heard: () => void): void => {
  if (listener === null) for (const signal of SIGNALS) process.on(signal, onSignal)
  listener = heard
}

const stopListening = (): void => {
  for (const signal of SIGNALS) process.off(signal, onSignal)
  listener = null
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/**
 * Ctrl-C while nothing has been begun: the first one leaves.
 * @param leave shows how things stand and ends the program
 */
export const leaveOnInterrupt = (leave: () => void): Interrupts => {
  listen(leave)
  return { requested: false, release: stopListening }
}

/**
 * Ctrl-C in the middle of a run: the first asks it to finish the HSM in hand, the second leaves at once.
 * @param leave shows how things stand and ends the program
 */
export const listenForInterrupts = (write: (line: string) => void, leave: () => void): Interrupts => {
  const state = { requested: false }
  listen(() => {
    if (state.requested) return leave()
    state.requested = true
    write('finishing the HSM in hand; press Ctrl-C again to leave at once')
  })
  return {
    get requested() {
      return state.requested
    },
    release: stopListening,
  }
}
