import type { Progress, ProgressEvent } from '../../domain/rotation/progress.js'
import type { Stage } from '../../domain/rotation/stage.js'
import { printable } from './printable.js'

/** Shows the progress of a run. */
export interface ProgressView {
  readonly progress: Progress
  /** Waits until what has ended is shown, so that a question can follow it. */
  settle(): Promise<void>
  /** Waits until everything is shown. */
  end(): Promise<void>
}

/** One line per event, for logs and pipes. */
export const plainView = (write: (line: string) => void): ProgressView => ({
  progress: (event) => write(printable(plainLine(event))),
  settle: async () => {},
  end: async () => {},
})

const plainLine = (event: ProgressEvent): string => {
  switch (event.kind) {
    case 'stage-started':
      return `[${event.stage}] started`
    case 'step':
      return `[${event.stage}] ${event.unitId} ${event.text}`
    case 'stage-completed':
      return `[${event.stage}] completed`
    case 'stage-paused':
      return `[${event.stage}] paused: ${event.message}`
    case 'notice':
      return `note: ${event.text}`
  }
}

/** How often a running stage is drawn again at most, in milliseconds. */
const REDRAW_MS = 100

/**
 * A listr2 task per stage on a terminal; never one per HSM or user, because drawing hundreds of tasks costs more than
 * the work itself. The run does not wait for the drawing.
 */
export const listView = async (stream: NodeJS.WriteStream): Promise<ProgressView> => {
  const { Listr, ListrLogger, ProcessOutput } = await import('listr2')
  const logger = () =>
    new ListrLogger({ useIcons: true, toStderr: [], processOutput: new ProcessOutput(stream, stream) })
  let current: StageTask | null = null
  let drawn: Promise<unknown> = Promise.resolve()

  const begin = (stage: Stage, steps: number) => {
    const stageTask = new StageTask(stage, steps)
    current = stageTask
    const list = () =>
      new Listr<unknown, 'default', 'simple'>(
        [
          {
            title: stage,
            rendererOptions: { persistentOutput: true, outputBar: Number.POSITIVE_INFINITY },
            task: (_, task) => stageTask.show(task),
          },
        ],
        {
          renderer: 'default',
          fallbackRenderer: 'simple',
          registerSignalListeners: false,
          exitOnError: false,
          rendererOptions: { logger: logger(), collapseErrors: false },
        },
      )
    drawn = drawn.then(() => list().run()).catch(() => undefined)
  }

  /** What is said between two stages belongs to neither. */
  const write = (text: string) => {
    drawn = drawn.then(() => {
      stream.write(`${printable(text)}\n`)
    })
  }

  return {
    progress: (event) => {
      if (event.kind === 'stage-started') begin(event.stage, event.steps)
      else if (event.kind === 'notice' && current?.isOver !== false) write(event.text)
      else current?.follow(event)
    },
    settle: async () => {
      await drawn
    },
    end: async () => {
      current?.finish(null)
      await drawn
    },
  }
}

interface ListTask {
  title: string
  output: string
}

/** One stage on the screen. */
class StageTask {
  readonly #stage: Stage
  readonly #steps: number
  readonly #finished: Promise<void>
  readonly #notices: string[] = []
  isOver = false
  #done = 0
  #task: ListTask | null = null
  #drawnAt = 0
  finish: (failure: string | null) => void = () => {}

  constructor(stage: Stage, steps: number) {
    this.#stage = stage
    this.#steps = steps
    this.#finished = new Promise((resolve, reject) => {
      this.finish = (failure) => {
        this.isOver = true
        if (failure === null) resolve()
        else reject(new Error(failure))
      }
    })
    this.#finished.catch(() => undefined)
  }

  show(task: ListTask): Promise<void> {
    this.#task = task
    for (const notice of this.#notices.splice(0)) task.output = notice
    return this.#finished
  }

  follow(event: ProgressEvent): void {
    if (event.kind === 'notice') {
      const text = printable(event.text)
      if (this.#task === null) this.#notices.push(text)
      else this.#task.output = text
    } else if (event.kind === 'step') {
      this.#done += 1
      this.#count()
    } else if (event.kind === 'stage-completed') {
      this.#drawnAt = 0
      this.#count()
      this.finish(null)
    } else if (event.kind === 'stage-paused') {
      this.finish(printable(event.message))
    }
  }

  #count(): void {
    if (this.#task === null || this.#steps === 0 || Date.now() - this.#drawnAt < REDRAW_MS) return
    this.#drawnAt = Date.now()
    this.#task.title = `${this.#stage} ${this.#done}/${this.#steps}`
  }
}
