/** Service of the HSM that covers creating, deleting and changing users. */
export const USER_MANAGEMENT = 3

const LINE = /^\s*MValue of service (\d+)\[\w*\] on server (\d+) : \[(\d+)\]\s*$/gm

/**
 * Reads the reply of `getMValue 3`: approvals needed, by server ID. A server without a readable line is left out.
 * Source: AWS CloudHSM User Guide, quorum authentication, `getMValue`.
 */
export const parseMValue = (text: string): ReadonlyMap<number, number> =>
  new Map(
    [...text.matchAll(LINE)]
      .filter((match) => Number(match[1]) === USER_MANAGEMENT)
      .map((match) => [Number(match[2]), Number(match[3])]),
  )
