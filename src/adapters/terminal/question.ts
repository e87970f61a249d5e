import type { Operator } from '../../domain/operator.js'
import { printableLines } from './printable.js'

/**
 * Asks on the terminal; the answer is no where there is none.
 * @param assumeYes the operator said yes to questions beforehand
 */
export const terminalOperator = (assumeYes: boolean): Operator => ({
  async confirm(question, about) {
    if (assumeYes && about?.noWayBack !== true) return true
    if (!process.stdin.isTTY || !process.stderr.isTTY) return false
    const { default: confirm } = await import('@inquirer/confirm')
    try {
      return await confirm({ message: printableLines(question), default: false }, { output: process.stderr })
    } catch {
      // Ctrl-C at the question is a no.
      return false
    }
  },
})
