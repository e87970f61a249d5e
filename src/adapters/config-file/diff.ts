import { createTwoFilesPatch } from 'diff'

/**
 * A unified diff of one file; empty where nothing changes.
 * @param before null where the file is not there
 * @param after null where it goes
 */
export const diffOf = (path: string, before: string | null, after: string | null): string => {
  if (before === after) return ''
  const [from, to] = [before === null ? '/dev/null' : path, after === null ? '/dev/null' : path]
  const patch = createTwoFilesPatch(from, to, before ?? '', after ?? '', undefined, undefined, { context: 3 })
  return patch.replace(/^(Index: .*\n)?=+\n/, '')
}
