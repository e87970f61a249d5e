import type { Terminal } from '../../src/adapters/utilities/process/terminal.js'

/** What a utility said, and what was typed in answer. */
export interface Turn {
  readonly said: string
  /** Null after the last words. */
  readonly typed: string | null
}

/** Writes down what goes through a terminal. */
export const recording = (terminal: Terminal): { readonly terminal: Terminal; readonly turns: () => Turn[] } => {
  const turns: Turn[] = []
  let said = ''
  return {
    terminal: {
      ...terminal,
      type: (text) => {
        turns.push({ said, typed: text })
        said = ''
        terminal.type(text)
      },
      onOutput: (listener) =>
        terminal.onOutput((piece) => {
          said += piece
          listener(piece)
        }),
    },
    turns: () => [...turns, { said, typed: null }],
  }
}

/** All that was said, without what was typed. */
export const wordsOf = (turns: readonly Turn[]): string => turns.map(({ said }) => said).join('')

/** One change of what was said: from `at` on, `put` stands where `take` characters stood. */
export interface Corruption {
  readonly at: number
  readonly take: number
  readonly put: string
}

/** A talk with one change in the turn that it begins in. */
export const corrupted = (turns: readonly Turn[], { at, take, put }: Corruption): Turn[] => {
  let before = 0
  return turns.map(({ said, typed }) => {
    const from = at - before
    before += said.length
    if (from < 0 || from >= said.length) return { said, typed }
    return { said: said.slice(0, from) + put + said.slice(from + take), typed }
  })
}

/** HSMs of which a step's result says that they did something. */
export const doneIn = (result: unknown): string[] => {
  if (result instanceof Map) {
    return [...result].flatMap(([hsmId, answer]) => (answer?.kind === 'done' ? [String(hsmId)] : []))
  }
  return (result as { kind?: string } | undefined)?.kind === 'done' ? ['the only one'] : []
}

export interface Delivery {
  /** So many characters are said and no more; then it ends. All of them unless given. */
  readonly cutAt?: number
  /** Falls silent at the cut and stays. */
  readonly stays?: boolean
  /** In which pieces a turn comes; in one unless given. */
  readonly pieces?: (said: string) => readonly string[]
}

/** A terminal that says what was recorded, each turn once the one before was answered with the recorded words. */
export const replaying = (turns: readonly Turn[], delivery: Delivery = {}): Terminal => {
  const { cutAt = Number.POSITIVE_INFINITY, stays = false, pieces = (said) => [said] } = delivery
  let said = 0
  let turn = 0
  let ended = false
  let output: (piece: string) => void = () => undefined
  let exit: (exitCode: number) => void = () => undefined
  const end = (exitCode: number) => {
    if (ended) return
    ended = true
    setImmediate(() => exit(exitCode))
  }
  const speak = async () => {
    const text = turns[turn]?.said ?? ''
    for (const piece of pieces(text.slice(0, Math.max(0, cutAt - said)))) {
      await new Promise((resolve) => setImmediate(resolve))
      if (ended) return
      output(piece)
    }
    said += text.length
    if (said >= cutAt && !stays) end(1)
    if (turns[turn]?.typed === null || turn >= turns.length) end(0)
  }
  return {
    pid: 1,
    type: (text) => {
      if (turns[turn]?.typed !== text) return end(9)
      turn += 1
      void speak()
    },
    kill: () => end(137),
    onOutput: (listener) => {
      output = listener
      void speak()
    },
    onExit: (listener) => {
      exit = listener
    },
  }
}
