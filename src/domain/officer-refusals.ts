import type { ClusterId } from './ids.js'

/** Remembers across invocations that an officer's password was refused, so that it is not tried again and again. */
export interface OfficerRefusals {
  /** The refusal noted for this officer on any of these clusters. */
  find(
    officer: string,
    clusterIds: readonly ClusterId[],
  ): Promise<{ readonly clusterId: ClusterId; readonly at: string } | null>
  note(officer: string, clusterIds: readonly ClusterId[]): Promise<void>
  /** Called once the officer's password was accepted. */
  clear(officer: string, clusterIds: readonly ClusterId[]): Promise<void>
}
