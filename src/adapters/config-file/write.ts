import { chmod, open, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createTwoFilesPatch } from 'diff'
import type { DraftConfig, WrittenConfig } from '../../domain/config-files.js'
import { OperatorError, usageError } from '../../domain/errors.js'
import type { Sha256 } from '../../domain/ids.js'
import type { RosterMap } from '../../domain/roster-map.js'
import { fileTrouble } from '../files/trouble.js'
import { probeFolderOf, writeAtomically } from '../files/write-atomically.js'
import { readConfig } from './read.js'
import { mapPath, renderConfig, renderMap, sha256Of } from './render.js'

/** For the operator alone: it shows where every HSM is and which keys open the way to it. */
const MODE = 0o600

/** @throws {OperatorError} `OUT_UNWRITABLE` (exit 2) */
export const checkWritable = async (path: string): Promise<void> => {
  for (const file of [path, mapPath(path)]) {
    await existing(file)
    await probeFolderOf(file).catch((error) => {
      throw unwritable(path, `the folder ${dirname(file)} ${fileTrouble(error)}`)
    })
  }
}

/** @throws {OperatorError} `OUT_UNWRITABLE` (exit 2) */
export const previewConfig = async (
  path: string,
  { document }: DraftConfig,
): Promise<{ readonly sha256: Sha256; readonly diff: string }> => {
  const text = renderConfig(document)
  const before = (await existing(path))?.toString('utf8') ?? null
  const diff =
    before === text
      ? ''
      : createTwoFilesPatch(before === null ? '/dev/null' : path, path, before ?? '', text, undefined, undefined, {
          context: 3,
        }).replace(/^(Index: .*\n)?=+\n/, '')
  return { sha256: sha256Of(text), diff }
}

/** @throws {OperatorError} `OUT_UNWRITABLE` (exit 2) */
export const writeConfig = async (path: string, draft: DraftConfig, now: Date): Promise<WrittenConfig> => {
  const text = renderConfig(draft.document)
  const sha256 = sha256Of(text)
  const map: RosterMap = {
    generatedAt: now.toISOString(),
    sha256,
    clusters: draft.clusters,
    servers: draft.roster,
  }
  try {
    if (await saysTheSame(path, map)) {
      for (const file of [path, mapPath(path)]) await chmod(file, MODE)
      return { sha256, changed: false, backup: null }
    }
    const [oldConfig, oldMap] = [await existing(path), await existing(mapPath(path))]
    const backup = oldConfig === null ? null : await keep(path, oldConfig, oldMap, now)
    try {
      await writeAtomically(path, text, { mode: MODE })
      // Second, so that a map never vouches for a configuration that is not there yet.
      await writeAtomically(mapPath(path), renderMap(map), { mode: MODE })
    } catch (error) {
      await undo(path, oldConfig, backup)
      throw error
    }
    return { sha256, changed: true, backup }
  } catch (error) {
    if (error instanceof OperatorError) throw error
    throw unwritable(path, `it or its folder ${fileTrouble(error)}`)
  }
}

/** Whether file and map hold this already; when it was generated does not count. */
const saysTheSame = async (path: string, map: RosterMap): Promise<boolean> => {
  const stored = await readConfig(path).catch(() => null)
  const facts = ({ sha256, clusters, servers }: RosterMap) => JSON.stringify([sha256, clusters, servers])
  return stored !== null && stored.sha256 === map.sha256 && facts(stored.map) === facts(map)
}

/**
 * Keeps what is about to be replaced under a name of its own, with its map beside it, so that the copy is a
 * configuration that can be used. Never overwrites an earlier copy.
 */
const keep = async (path: string, config: Buffer, map: Buffer | null, now: Date): Promise<string> => {
  const stamp = now
    .toISOString()
    .replace(/[-:]/g, '')
    .replace(/\.\d+Z$/, 'Z')
  for (let count = 1; ; count += 1) {
    const copy = `${path}.${stamp}${count === 1 ? '' : `-${count}`}.bak`
    try {
      await writeNew(copy, config)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue
      throw error
    }
    try {
      if (map !== null) await writeAtomically(mapPath(copy), map, { mode: MODE })
      return copy
    } catch (error) {
      await rm(copy, { force: true })
      throw error
    }
  }
}

/** Puts back what was there; what fails here is less than what is about to be reported. */
const undo = async (path: string, config: Buffer | null, backup: string | null): Promise<void> => {
  if (config === null) await rm(path, { force: true }).catch(() => undefined)
  else if (!config.equals(await readFile(path).catch(() => Buffer.alloc(0)))) {
    await writeAtomically(path, config, { mode: MODE }).catch(() => undefined)
  }
  for (const copy of backup === null ? [] : [backup, mapPath(backup)]) {
    await rm(copy, { force: true }).catch(() => undefined)
  }
}

const writeNew = async (path: string, bytes: Buffer): Promise<void> => {
  const file = await open(path, 'wx', MODE)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

const existing = async (path: string): Promise<Buffer | null> =>
  readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw unwritable(path, `it ${fileTrouble(error)}`)
  })

const unwritable = (path: string, why: string) =>
  usageError('OUT_UNWRITABLE', `${path} cannot be written: ${why}`, [
    'name a file in a folder that exists and can be written with --out',
  ])
