import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { discovery } from './discovery.js'
import { isMet, type Measure } from './measure.js'
import { replay } from './replay.js'
import { rotation } from './rotation.js'
import { startUp } from './start-up.js'

const HELP = `npm run bench -- [--quick] [--json] [--only NAME]
Prints how fast the program is, as ratios taken in one run, beside the bars it should meet. A missed bar is shown, it
does not fail the run.
  --quick       few runs on a small fleet; the ratios are coarse
  --json        one JSON document on stdout
  --only NAME   start-up, discovery, rotation or replay
`

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const rendered = (measure: Measure): string => {
  const { name, value, unit, bar, kind, how } = measure
  const shown = value === null ? 'not taken' : unit === 'MB' ? `${Math.round(value)} MB` : `${value.toFixed(2)} ${unit}`
  const asked = bar === null ? '' : `${kind === 'most' ? '<=' : '>='} ${bar} ${unit}`
  const met = isMet(measure)
  const verdict = met === null ? '' : met ? 'met' : 'MISSED'
  const [first = '', ...rest] = how.split('\n')
  const line = `${name.padEnd(38)} ${shown.padStart(10)}  ${asked.padEnd(10)} ${verdict.padEnd(7)} ${first}`
  return [line.trimEnd(), ...rest.map((text) => `    ${text}`)].join('\n')
}

const home = await mkdtemp(join(tmpdir(), 'lockstep-bench-'))
const { quick } = options
const parts: Readonly<Record<string, () => Promise<Measure[]>>> = {
  'start-up': () => startUp(quick ? 5 : 21, home),
  discovery: () => discovery(quick ? 3 : 7, quick ? 12 : 34),
  rotation: () => rotation(quick ? 1 : 3, quick),
  replay: () => replay(3, quick ? 64 : 1024),
}
try {
  if (options.help) process.stdout.write(HELP)
  else {
    // Whatever else runs takes time from utilities that start, which no median takes out again.
    const load = Number((loadavg()[0] ?? 0).toFixed(1))
    const machine = { node: process.version, cpus: cpus().length, load, quick }
    const measures: Measure[] = []
    const show = (text: string): void => void (options.json || process.stdout.write(`${text}\n`))
    show(`Node ${machine.node}, ${machine.cpus} CPUs, load ${load}${quick ? ', quick: few runs, small fleet' : ''}`)
    if (load > machine.cpus / 2) show('The machine is busy: these figures are worth little, a rotation suffers most.')
    for (const [name, take] of Object.entries(parts)) {
      if (options.only !== undefined && options.only !== name) continue
      for (const measure of await take()) {
        measures.push(measure)
        show(rendered(measure))
      }
    }
    if (options.json) {
      const document = { ...machine, measures: measures.map((measure) => ({ ...measure, met: isMet(measure) })) }
      process.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
    }
  }
} finally {
  await rm(home, { recursive: true, force: true })
}
