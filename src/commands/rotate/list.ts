import { BaseCommand } from '../../cli/base-command.js'
import { exitCodes } from '../../cli/exit-codes.js'
import { EXIT } from '../../domain/errors.js'
import { type ListedRotation, listRotations } from '../../use-cases/rotation/find-rotation.js'

/** `repair paused going back at restore`, `completed-with-debt (2)`. */
const outcomeInWords = ({ procedure, direction, outcome, stage, debts, process }: ListedRotation): string =>
  [
    ...(procedure === 'repair' ? ['repair'] : []),
    outcome,
    ...(direction === 'back' && outcome === 'paused' ? ['going back'] : []),
    ...(stage === null ? [] : [`at ${stage}`]),
    ...(debts ? [`(${debts} owed)`] : []),
    ...(process === null ? [] : [PROCESS[process]]),
  ].join(' ')

const PROCESS = { runs: '(under way)', unknown: '(held elsewhere)', gone: '(its process is gone)' } as const

const cellsInWords = ({ procedure, direction, total, old, new: done }: ListedRotation): string => {
  if (total === null) return 'unknown'
  if (direction === 'back') return `old ${old}/${total}`
  return `${procedure === 'repair' ? 'given' : 'new'} ${done}/${total}`
}

export default class RotateList extends BaseCommand {
  static override summary = 'List the rotations known on this machine.'
  static override description = `Reads the journals and the locks of this machine; no HSM is asked.

${exitCodes({ 0: 'listed, also when there is none', 6: 'a journal is damaged; the other rotations are listed' })}`
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async run(): Promise<{ readonly rotations: readonly ListedRotation[] }> {
    await this.parse(RotateList)
    const rotations = await listRotations(await this.wiring.journals(), await this.wiring.lockFinder())
    if (!this.jsonEnabled()) {
      if (rotations.length === 0) this.log('No rotations yet.')
      else {
        const { renderTable } = await import('../../adapters/terminal/table.js')
        const rows = rotations.map((rotation) => [
          rotation.rotationId,
          rotation.startedAt?.replace(/:\d\d\.\d+Z$/, 'Z') ?? 'unknown',
          outcomeInWords(rotation),
          cellsInWords(rotation),
          rotation.clusterIds.join(', '),
        ])
        this.log(renderTable(['ROTATION', 'STARTED', 'OUTCOME', 'CELLS', 'CLUSTERS'], rows))
      }
    }
    const broken = rotations.flatMap(({ error }) => error ?? [])
    if (broken.length > 0) process.exitCode = EXIT.differences
    for (const { message, suggestions } of broken) {
      this.note([message, ...suggestions.map((suggestion) => `  * ${suggestion}`)].join('\n'))
    }
    return { rotations }
  }
}
