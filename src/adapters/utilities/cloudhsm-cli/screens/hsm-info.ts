import { z } from 'zod'
import { NotUnderstood } from '../../process/not-understood.js'

const INFO = z.looseObject({
  hsms: z.array(z.looseObject({ 'serial-number': z.string().regex(/^[^\p{Cc}\p{Cf}]{1,100}$/u) })),
})

/**
 * Reads the serial numbers of the HSMs the program is connected to, sorted. Nothing else there tells HSMs apart: they
 * are counted, not named.
 * Source: AWS CloudHSM User Guide, `cloudhsm_cli-cluster-hsm-info`.
 * @param data of an answer with `error_code` 0
 * @throws {NotUnderstood}
 */
export const parseHsmInfo = (data: unknown): readonly string[] => {
  const info = INFO.safeParse(data)
  if (!info.success) throw new NotUnderstood('"cluster hsm-info" does not show a serial number for each HSM')
  return info.data.hsms.map((hsm) => hsm['serial-number']).sort()
}
