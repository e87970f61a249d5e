import type { RotationId } from '../ids.js'

/**
 * A rotation ID: sorts by time and does not repeat on machines that know nothing of each other.
 * @param random four characters of `[a-z0-9]`
 */
export const rotationIdAt = (now: Date, random: string): RotationId => {
  const stamp = now.toISOString().replaceAll(/[-:]/g, '')
  return `r-${stamp.slice(0, 8)}-${stamp.slice(9, 15)}-${random}` as RotationId
}
