import { z } from 'zod'

const number = z.union([z.int().nonnegative(), z.string().regex(/^\d+$/).transform(Number)])
/** One page prints numbers, another objects around them. */
const VALUES = z.looseObject({
  user: z.union([number, z.looseObject({ value: number }).transform(({ value }) => value)]),
})

/**
 * How many officers have to approve a change to users, or null where the words are unknown.
 * Source: AWS CloudHSM User Guide, `cloudhsm_cli-qm-token-list-qm`.
 * @param data of an answer with `error_code` 0
 */
export const parseQuorumValues = (data: unknown): number | null => {
  const values = VALUES.safeParse(data)
  return values.success ? values.data.user : null
}
