import { usageError } from '../../domain/errors.js'
import { isRegionName, type RegionName } from '../../domain/ids.js'

/** Commercial Regions with a CloudHSM v2 endpoint. Source: the endpoint data AWS publishes with its SDKs. */
const COMMERCIAL = `
  af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2
  ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-5 ap-southeast-6 ap-southeast-7
  ca-central-1 ca-west-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3
  il-central-1 me-central-1 me-south-1 mx-central-1 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2`

/** Asked only by name: commercial credentials do not work there. */
const GOVCLOUD = 'us-gov-east-1 us-gov-west-1'

const words = (text: string): RegionName[] => text.trim().split(/\s+/) as RegionName[]

/** Which Regions there are. */
export interface RegionCatalogue {
  /** Asked where none is named. */
  readonly all: readonly RegionName[]
  /** May be named. */
  readonly known: readonly RegionName[]
}

/**
 * The list above; `LOCKSTEP_REGIONS` (names with commas between) replaces what "every Region" means, and adds Regions
 * that are newer than this program.
 * @throws {OperatorError} exit 2: `BAD_REGION`
 */
export const regionCatalogue = (env: NodeJS.ProcessEnv = process.env): RegionCatalogue => {
  const builtIn = words(COMMERCIAL)
  const own = (env['LOCKSTEP_REGIONS'] ?? '').split(/[\s,]+/).filter((name) => name !== '')
  const wrong = own.find((name) => !isRegionName(name))
  if (wrong !== undefined) {
    throw usageError('BAD_REGION', `LOCKSTEP_REGIONS names "${wrong}", which has not the form of a Region`, [
      'LOCKSTEP_REGIONS=eu-west-1,us-east-1',
    ])
  }
  const all = own.length > 0 ? [...new Set(own as RegionName[])] : builtIn
  return { all, known: [...new Set([...all, ...builtIn, ...words(GOVCLOUD)])] }
}
