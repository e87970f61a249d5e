import type { ConfigFiles } from '../../domain/config-files.js'
import { readBase, readConfig } from './read.js'
import { checkWritable, previewConfig, writeConfig } from './write.js'

/** Configurations on disk, `<file>` and `<file>.map.json`. */
export const configFiles = (now: () => Date): ConfigFiles => ({
  readBase,
  read: readConfig,
  checkWritable,
  preview: previewConfig,
  write: (path, draft) => writeConfig(path, draft, now()),
})
