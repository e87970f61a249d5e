/** Where the build keeps the page that `--help` shows; made by the command framework itself. */
const HELP_PAGE = 'dist/app/help.txt'
/** Stands in that page for what is only known when it is shown. */
const VERSION_MARK = '{version}'

/**
 * Answers `--version` and `--help` without loading the command framework, whose start alone costs several times that
 * of Node.
 * @param read reads a file of the package
 * @returns the text, or null where the framework has to answer
 */
export const answerAtOnce = (argv: readonly string[], read: (path: string) => string): string | null => {
  const [flag, ...others] = argv
  if (flag === undefined || others.length > 0) return null
  if (flag === '--version' || flag === '-v') return `${version(read)}\n`
  if (flag === '--help') return helpPage(read)?.replace(VERSION_MARK, version(read)) ?? null
  return null
}

const version = (read: (path: string) => string): string => {
  const { name, version } = JSON.parse(read('package.json')) as { name: string; version: string }
  return `${name}/${version} ${process.platform}-${process.arch} node-${process.version}`
}

/** The page, but for a tree that was only compiled. */
const helpPage = (read: (path: string) => string): string | null => {
  try {
    return read(HELP_PAGE)
  } catch {
    return null
  }
}
