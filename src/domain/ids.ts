/** A value that cannot be mistaken for another of the same shape: an `HsmId` does not fit where an `EniIp` goes. */
export type Branded<T, Name extends string> = T & { readonly __brand: Name }

/** `cluster-` and 11 to 16 characters of base 32 (no 0, 1, 8, 9). Source: CloudHSM v2 API model. */
export type ClusterId = Branded<string, 'ClusterId'>

/** `hsm-…`. Changes whenever the service replaces an HSM. Source: CloudHSM v2 API model. */
export type HsmId = Branded<string, 'HsmId'>

/**
 * What one write of the utility reaches: a single HSM with `cloudhsm_mgmt_util`, a whole cluster with `cloudhsm-cli`,
 * which cannot address its HSMs one by one.
 */
export type UnitId = HsmId | ClusterId

/** IPv4 address of an HSM's network interface: what the management utility connects to. */
export type EniIp = Branded<string, 'EniIp'>

/** AWS Region name, e.g. `eu-west-1`. */
export type RegionName = Branded<string, 'RegionName'>

/**
 * Place of an HSM in one configuration file of the management utility, counted from 0. It belongs to that file
 * alone; everything durable names the `HsmId`. Source: AWS CloudHSM User Guide, `server`, `syncUser`.
 */
export type ServerId = Branded<number, 'ServerId'>

/** `r-` and a UTC time stamp and four random characters, e.g. `r-20260301-031500-k7q2`. */
export type RotationId = Branded<string, 'RotationId'>

/** SHA-256 in lower-case hexadecimal. */
export type Sha256 = Branded<string, 'Sha256'>

const CLUSTER_ID = /^cluster-[2-7a-zA-Z]{11,16}$/
const REGION = /^[a-z]{2}(-[a-z]+)+-\d$/
const ROTATION_ID = /^r-\d{8}-\d{6}-[a-z0-9]{4}$/

/** Whether `text` has the form the API's model gives cluster IDs. */
export const isClusterId = (text: string): text is ClusterId => CLUSTER_ID.test(text)

/** Whether `text` has the form the API's model gives HSM IDs. */
export const isHsmId = (text: string): text is HsmId => /^hsm-[2-7a-zA-Z]{11,16}$/.test(text)

/** Whether `text` looks like a Region name. The Region may still not exist. */
export const isRegionName = (text: string): text is RegionName => REGION.test(text)

/** Whether `text` has the form of a rotation ID. */
export const isRotationId = (text: string): text is RotationId => ROTATION_ID.test(text)
