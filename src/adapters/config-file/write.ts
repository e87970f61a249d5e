import { chmod, mkdir, readFile, rm, rmdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { DraftConfig, PreviewedConfig, WrittenConfig } from '../../domain/config-files.js'
import { OperatorError, usageError } from '../../domain/errors.js'
import type { RosterMap } from '../../domain/roster-map.js'
import type { UtilityChoice } from '../../domain/utility/utility.js'
import { sha256Of } from '../files/sha256.js'
import { fileTrouble } from '../files/trouble.js'
import { probeFolderOf, writeAtomically } from '../files/write-atomically.js'
import { proofFolder, proofPath, renderProofs } from '../utilities/cloudhsm-cli/proof-configs.js'
import { keepCopy, removeCopy } from './backup.js'
import { diffOf } from './diff.js'
import { readConfig, readMap } from './read.js'
import { mapPath, renderConfig, renderMap } from './render.js'

/** For the operator alone: it shows where every HSM is and which keys open the way to it. */
const MODE = 0o600
const FOLDER_MODE = 0o700

/** @throws {OperatorError} `OUT_UNWRITABLE` (exit 2) */
export const checkWritable = async (path: string, utility: UtilityChoice): Promise<void> => {
  for (const file of [path, mapPath(path)]) {
    await existing(file)
    await probe(path, file)
  }
  if (utility === 'cmu') return
  const folder = proofFolder(path)
  const found = await stat(folder).catch(() => null)
  if (found === null) return
  if (!found.isDirectory()) throw unwritable(folder, 'it is no folder')
  await probe(path, `${folder}/proof`)
}

/** @throws {OperatorError} `OUT_UNWRITABLE` (exit 2) */
export const previewConfig = async (path: string, draft: DraftConfig): Promise<PreviewedConfig> => {
  const { config, proofs, stale } = await filesOf(path, draft)
  const after = [config, ...proofs, ...stale.map((file) => ({ path: file, text: null }))]
  const diffs = await Promise.all(
    after.map(async (file) => diffOf(file.path, (await existing(file.path))?.toString('utf8') ?? null, file.text)),
  )
  return { sha256: config.sha256, proofConfigs: proofs.map(withoutText), diff: diffs.join('') }
}

/** @throws {OperatorError} `OUT_UNWRITABLE` (exit 2) */
export const writeConfig = async (path: string, draft: DraftConfig, now: Date): Promise<WrittenConfig> => {
  try {
    const { config, proofs, stale } = await filesOf(path, draft)
    const map = mapOf(draft, config.sha256, proofs, now)
    const written = { sha256: config.sha256, proofConfigs: proofs.map(withoutText) }
    if (await saysTheSame(path, map)) {
      for (const file of [config, ...proofs, { path: mapPath(path) }]) await chmod(file.path, MODE)
      return { ...written, changed: false, backup: null }
    }
    const old = new Map<string, Buffer | null>()
    for (const file of [path, ...proofs.map((proof) => proof.path), ...stale, mapPath(path)]) {
      old.set(file, await existing(file))
    }
    const backup = old.get(path) ? await keepCopy(path, old, now) : null
    try {
      await replace([config, ...proofs], stale, path)
      // Last, so that a map never vouches for a configuration that is not there yet.
      await writeAtomically(mapPath(path), renderMap(map), { mode: MODE })
    } catch (error) {
      await putBack(path, old, backup)
      throw error
    }
    return { ...written, changed: true, backup }
  } catch (error) {
    if (error instanceof OperatorError) throw error
    throw unwritable(path, `it or its folder ${fileTrouble(error)}`)
  }
}

/** What a draft comes to, and configurations of single HSMs that the map on disk names and the draft does not. */
const filesOf = async (path: string, draft: DraftConfig) => {
  const text = renderConfig(draft)
  const proofs = renderProofs(path, draft)
  // Without a map that can be read nobody knows which of them are ours.
  const mapped = (await readMap(path).catch(() => null))?.proofConfigs ?? []
  const stale = mapped.map(({ hsmId }) => proofPath(path, hsmId)).filter((file) => proofs.every((p) => p.path !== file))
  return { config: { path, text, sha256: sha256Of(text) }, proofs, stale }
}

const withoutText = ({ hsmId, path, sha256 }: WrittenConfig['proofConfigs'][number]) => ({ hsmId, path, sha256 })

const mapOf = (
  { utility, clusters, roster }: DraftConfig,
  sha256: RosterMap['sha256'],
  proofs: WrittenConfig['proofConfigs'],
  now: Date,
): RosterMap => ({
  generatedAt: now.toISOString(),
  utility,
  sha256,
  clusters,
  servers: roster,
  proofConfigs: proofs.map((proof) => ({ hsmId: proof.hsmId, sha256: proof.sha256 })),
})

/** Whether the files hold this already; when it was generated does not count. */
const saysTheSame = async (path: string, map: RosterMap): Promise<boolean> => {
  const stored = await readConfig(path).catch(() => null)
  if (stored === null || stored.sha256 !== map.sha256) return false
  const facts = ({ utility, sha256, clusters, servers, proofConfigs }: RosterMap) =>
    JSON.stringify([utility, sha256, clusters, servers, proofConfigs])
  return facts(stored.map) === facts(map) && stored.proofs.every((p, at) => p.sha256 === map.proofConfigs[at]?.sha256)
}

const replace = async (
  files: readonly { readonly path: string; readonly text: string }[],
  stale: readonly string[],
  path: string,
): Promise<void> => {
  const folder = proofFolder(path)
  if (files.length > 1) {
    await mkdir(folder, { recursive: true, mode: FOLDER_MODE })
    await chmod(folder, FOLDER_MODE)
  }
  for (const file of files) await writeAtomically(file.path, file.text, { mode: MODE })
  // Before the map that no longer names them: after a crash the old one still does, and they go at the next try.
  for (const file of stale) await rm(file, { force: true })
  await rmdir(folder).catch(() => undefined)
}

/** Puts back what was there; what fails here is less than what is about to be reported. */
const putBack = async (path: string, old: ReadonlyMap<string, Buffer | null>, backup: string | null): Promise<void> => {
  for (const [file, content] of old) {
    if (content === null) await rm(file, { force: true }).catch(() => undefined)
    else if (!content.equals(await readFile(file).catch(() => Buffer.alloc(0)))) {
      await mkdir(dirname(file), { recursive: true, mode: FOLDER_MODE }).catch(() => undefined)
      await writeAtomically(file, content, { mode: MODE }).catch(() => undefined)
    }
  }
  await rmdir(proofFolder(path)).catch(() => undefined)
  if (backup !== null) await removeCopy(backup)
}

const probe = async (path: string, file: string): Promise<void> =>
  probeFolderOf(file).catch((error) => {
    throw unwritable(path, `the folder ${dirname(file)} ${fileTrouble(error)}`)
  })

const existing = async (path: string): Promise<Buffer | null> =>
  readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw unwritable(path, `it ${fileTrouble(error)}`)
  })

const unwritable = (path: string, why: string) =>
  usageError('OUT_UNWRITABLE', `${path} cannot be written: ${why}`, [
    'name a file in a folder that exists and can be written with --out',
  ])
