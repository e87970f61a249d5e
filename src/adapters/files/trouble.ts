const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'lies below something that is no folder',
  EISDIR: 'is a folder',
  EACCES: 'is closed to you',
  EPERM: 'is closed to you',
  EROFS: 'lies on a file system that is read-only',
  ENOSPC: 'lies on a file system that is full',
  EDQUOT: 'lies on a file system on which your quota is used up',
  ENAMETOOLONG: 'has too long a name',
  ELOOP: 'is a link that leads back to itself',
}

/** What is wrong with a file, as the end of a sentence that begins with its path. */
export const fileTrouble = (error: unknown): string => {
  const code = (error as NodeJS.ErrnoException | null)?.code ?? 'unknown reason'
  return WORDS[code] ?? `cannot be used (${code})`
}
