import { describe, expect, test } from '@jest/globals'
import { credentialOf } from '../../src/domain/credential-store.js'
import { NO_CREDENTIALS, promoted, withoutPending, withPending } from '../../src/domain/credential-versions.js'
import type { RotationId } from '../../src/domain/ids.js'
import { credentialsOf, passwordsIn } from '../helpers/credentials.js'
import { operatorErrorOf, shownParts } from '../helpers/errors.js'

const R1 = 'r-20260301-031500-aaaa' as RotationId
const R2 = 'r-20260302-031500-bbbb' as RotationId
const R3 = 'r-20260303-031500-cccc' as RotationId

const rotated = (versions: typeof NO_CREDENTIALS, rotationId: RotationId, users: Record<string, string>) =>
  promoted(withPending(versions, credentialsOf(rotationId, users), undefined), rotationId)

describe('credentials over several rotations', () => {
  test('PENDING becomes CURRENT, CURRENT becomes PREVIOUS', () => {
    const versions = rotated(rotated(NO_CREDENTIALS, R1, { 'CU:a': 'a1' }), R2, { 'CU:a': 'a2' })
    expect(versions.pending).toBeNull()
    expect(versions.current?.rotationId).toBe(R2)
    expect(passwordsIn(versions.current)).toEqual({ 'CU:a': 'a2' })
    expect(versions.previous?.rotationId).toBe(R1)
    expect(passwordsIn(versions.previous)).toEqual({ 'CU:a': 'a1' })
  })

  test('rotating one user keeps current and previous credential of the others', () => {
    const first = rotated(rotated(NO_CREDENTIALS, R1, { 'CU:a': 'a1', 'CU:b': 'b1' }), R2, { 'CU:a': 'a2' })
    const versions = rotated(first, R3, { 'CU:b': 'b3' })
    expect(passwordsIn(versions.current)).toEqual({ 'CU:a': 'a2', 'CU:b': 'b3' })
    expect(passwordsIn(versions.previous)).toEqual({ 'CU:a': 'a1', 'CU:b': 'b1' })
  })

  test('a first rotation has no previous credential', () => {
    expect(rotated(NO_CREDENTIALS, R1, { 'CU:a': 'a1' }).previous).toBeNull()
  })

  test('a user written in another case is the same user', () => {
    const versions = rotated(rotated(NO_CREDENTIALS, R1, { 'CU:App': 'a1' }), R2, { 'CU:app': 'a2' })
    expect(passwordsIn(versions.current)).toEqual({ 'CU:app': 'a2' })
    expect(passwordsIn(versions.previous)).toEqual({ 'CU:App': 'a1' })
    expect(credentialOf(versions.current, { type: 'CU', name: 'APP' })?.reveal()).toBe('a2')
    expect(credentialOf(versions.current, { type: 'CO', name: 'app' })).toBeUndefined()
  })

  test('a proved current credential corrects CURRENT and leaves the others in it', () => {
    const before = rotated(NO_CREDENTIALS, R1, { 'CU:a': 'a1', 'CU:b': 'b1' })
    const kept = withPending(before, credentialsOf(R2, { 'CU:a': 'a2' }), credentialsOf(R2, { 'CU:a': 'a-by-hand' }))
    expect(kept.current?.rotationId).toBe(R1)
    expect(passwordsIn(kept.current)).toEqual({ 'CU:a': 'a-by-hand', 'CU:b': 'b1' })
    expect(passwordsIn(promoted(kept, R2).previous)).toEqual({ 'CU:a': 'a-by-hand' })
  })

  test('promoting twice is harmless, also when the next rotation has begun', () => {
    const once = rotated(NO_CREDENTIALS, R1, { 'CU:a': 'a1' })
    expect(promoted(once, R1)).toBe(once)
    const next = withPending(once, credentialsOf(R2, { 'CU:a': 'a2' }), undefined)
    expect(promoted(next, R1)).toBe(next)
  })

  test('a rotation that was discarded is not taken for a promoted one', async () => {
    const kept = withPending(NO_CREDENTIALS, credentialsOf(R1, { 'CU:a': 'a1' }), credentialsOf(R1, { 'CU:a': 'a0' }))
    const discarded = withoutPending(kept, R1)
    expect(passwordsIn(discarded.current)).toEqual({ 'CU:a': 'a0' })
    expect((await operatorErrorOf(() => promoted(discarded, R1))).code).toBe('NOTHING_PENDING')
    expect(withoutPending(discarded, R1)).toEqual(discarded)
  })

  test("another rotation's PENDING is neither replaced, promoted nor discarded", async () => {
    const kept = withPending(NO_CREDENTIALS, credentialsOf(R1, { 'CU:a': 'TEST-SECRET-a1' }), undefined)
    for (const act of [
      () => withPending(kept, credentialsOf(R2, { 'CU:b': 'b2' }), undefined),
      () => promoted(kept, R2),
      () => withoutPending(kept, R2),
    ]) {
      const error = await operatorErrorOf(act)
      expect([error.code, error.exitCode]).toEqual(['FOREIGN_PENDING', 3])
      expect(error.message).toContain(R1)
      expect(shownParts(error)).not.toContain('TEST-SECRET')
    }
  })

  test('PENDING of the same rotation may be repeated, not changed', async () => {
    const kept = withPending(NO_CREDENTIALS, credentialsOf(R1, { 'CU:a': 'a1' }), undefined)
    expect(withPending(kept, credentialsOf(R1, { 'CU:a': 'a1' }), undefined)).toEqual(kept)
    for (const users of [{ 'CU:a': 'other' }, { 'CU:b': 'a1' }, { 'CU:a': 'a1', 'CU:b': 'b1' }]) {
      const error = await operatorErrorOf(() => withPending(kept, credentialsOf(R1, users), undefined))
      expect(error.code).toBe('PENDING_DIFFERS')
    }
  })
})
