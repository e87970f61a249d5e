import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { usage } from '../problem.js'

const FORMS = 'env:NAME, file:PATH or command:CMD'

/**
 * The value a SECRET form stands for; one newline at its end is dropped.
 * @throws {Problem} a literal, or nothing is there. Never shows the text, which may be the secret itself
 */
export const resolveSecret = (option: string, form: string): string => {
  const [, kind, rest = ''] = /^(env|file|command):(.+)$/s.exec(form) ?? []
  if (kind === 'env') {
    const value = process.env[rest]
    if (value === undefined) throw usage(`${option}: environment variable ${rest} is not set`)
    return value
  }
  if (kind === 'file') return read(option, `file ${rest}`, () => readFileSync(rest, 'utf8'))
  if (kind === 'command') {
    return read(option, 'the command', () =>
      execFileSync('/bin/sh', ['-c', rest], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }),
    )
  }
  throw usage(`${option} takes no literal value`, `use ${FORMS}`)
}

const read = (option: string, what: string, action: () => string): string => {
  try {
    return action().replace(/\r?\n$/, '')
  } catch {
    throw usage(`${option}: ${what} gave nothing`)
  }
}
