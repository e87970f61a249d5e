import { describe, expect, test } from '@jest/globals'
import { USER } from '../../helpers/cli-rotation.js'
import { OLD_BATCH_PASSWORD, OLD_PASSWORD, testFamily } from '../../helpers/payments.js'
import { sharedFleet } from '../../helpers/shared-fleet.js'
import { story } from '../../helpers/story.js'
import type { Workplace } from '../../helpers/workplace.js'

/** In the destination `app_crypto` is an officer, and `app_batch` has a second factor and a key for quorums. */
const others = {
  destinationFields: {
    users: [
      { type: 'CU', name: 'app_crypto', absent: true },
      { type: 'CO', name: 'app_crypto', password: OLD_PASSWORD, id: 40 },
      { type: 'CU', name: 'app_batch', password: OLD_BATCH_PASSWORD, twoFactor: true, mofnPubKey: true },
    ],
  },
}

describe.each([
  ['cloudhsm_mgmt_util', 'hsm1.medium'],
  ['cloudhsm-cli', 'hsm2m.medium'],
])('users drift, through %s', (_utility, hsmType) => {
  const fleet = sharedFleet({
    same: testFamily('same', { hsmType }),
    missing: testFamily('missing', { hsmType, source: 1, destination: 1 }),
    attributes: testFamily('attributes', { hsmType, ...others }),
  })
  const drift = async (place: Workplace) => {
    await place.run(['config', 'generate', ...place.clusterFlags, '--out=merged.cfg'])
    const words = await place.run(['users', 'drift', '--config=merged.cfg'])
    return { words: words.stdout + words.stderr, exitCode: words.exitCode }
  }

  test('says that passwords were not compared, and what compares them', async () => {
    const { words, exitCode } = await drift(await fleet.at('same'))
    expect(exitCode).toBe(0)
    expect(words).toMatch(/password/i)
    expect(words).toContain('lockstep users prove')
    expect(words).not.toContain('lockstep users repair')
  })

  test('names the HSM that lacks a user, and the repair', async () => {
    const place = await fleet.at('missing')
    const [hsmId = ''] = (await place.hsmIds()).destination
    await fleet.fault('missing-user', '--user', USER, '--hsm', hsmId)
    const { words, exitCode } = await drift(place)
    expect(exitCode).toBe(6)
    expect(words).toContain(hsmId)
    expect(words).toContain('lockstep users repair')
    expect(words).toContain('lockstep users prove')
  })

  describe('where a role, a key for quorums and a second factor differ', () => {
    const left = story(async () => {
      const place = await fleet.at('attributes')
      const { words } = await drift(place)
      const listed = await place.run(['users', 'drift', '--config=merged.cfg', '--json'])
      return { words, listed }
    })

    test('each is a difference', () => {
      const fields = left().listed.json.differences.map(
        ({ user, field }: { readonly user: string; readonly field: string }) => `${user.split(':')[1]} ${field}`,
      )
      expect(left().listed.exitCode).toBe(6)
      expect(fields).toEqual(expect.arrayContaining(['app_crypto type', 'app_batch twoFactor', 'app_batch mofnPubKey']))
    })

    test('a role: delete it under both, then create it', () =>
      expect(left().words).toMatch(/app_crypto[\s\S]*delete[\s\S]*create/i))

    test('a second factor: deregister it, change the password, register it', () =>
      expect(left().words).toMatch(/app_batch[\s\S]*deregister[\s\S]*change[\s\S]*\bregister/i))
  })
})
