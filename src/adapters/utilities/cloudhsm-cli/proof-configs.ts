import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { singleHsmConfig } from '../../../domain/cli-config.js'
import type { DraftConfig, ProofConfig, StoredProof } from '../../../domain/config-files.js'
import type { HsmId } from '../../../domain/ids.js'
import type { RosterMap } from '../../../domain/roster-map.js'
import { parseDocument } from '../../files/parse-document.js'
import { sha256Of } from '../../files/sha256.js'
import { cliBaseSchema, renderCliConfig } from './config-format.js'

/** The folder beside a configuration that holds those of single HSMs. */
export const proofFolder = (path: string): string => `${path}.proof`

/** Where the configuration of one HSM stands. */
export const proofPath = (path: string, hsmId: HsmId): string => join(proofFolder(path), `${hsmId}.cfg`)

/** The configurations of single HSMs that belong to a draft, in the order of its roster. */
export const renderProofs = (
  path: string,
  draft: DraftConfig,
): readonly (ProofConfig & { readonly text: string })[] => {
  if (draft.utility === 'cmu') return []
  const { document, roster } = draft
  return roster.map((entry) => {
    const text = renderCliConfig(singleHsmConfig(document, entry))
    return { hsmId: entry.hsmId, path: proofPath(path, entry.hsmId), sha256: sha256Of(text), text }
  })
}

/** What stands where a map says that configurations of single HSMs are, and what stands there beside them. */
export const readProofs = async (
  path: string,
  { proofConfigs }: Pick<RosterMap, 'proofConfigs'>,
): Promise<{ readonly proofs: readonly StoredProof[]; readonly strayProofs: readonly string[] }> => {
  const proofs = await Promise.all(proofConfigs.map(({ hsmId }) => readProof(hsmId, proofPath(path, hsmId))))
  const names = await readdir(proofFolder(path)).catch(() => [])
  const strayProofs = names
    .filter((name) => name.endsWith('.cfg') && !name.startsWith('.'))
    .map((name) => join(proofFolder(path), name))
    .filter((file) => !proofs.some((proof) => proof.path === file))
    .sort()
  return { proofs, strayProofs }
}

const readProof = async (hsmId: HsmId, path: string): Promise<StoredProof> => {
  const bytes = await readFile(path).catch(() => null)
  if (bytes === null) return { hsmId, path, sha256: null, addresses: null }
  const parsed = parseDocument(bytes.toString('utf8'), cliBaseSchema)
  const addresses =
    'fault' in parsed
      ? null
      : parsed.value.clusters.flatMap(({ cluster }) => cluster.servers.map(({ hostname }) => hostname))
  return { hsmId, path, sha256: sha256Of(bytes), addresses }
}
