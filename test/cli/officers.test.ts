import { describe, expect, test } from '@jest/globals'
import { parseClusterRef } from '../../src/cli/flags.js'
import { type OfficerFlagValues, readOfficers, resolveOfficers } from '../../src/cli/officers.js'
import type { ClusterId } from '../../src/domain/ids.js'
import { Secret } from '../../src/domain/secret.js'
import type { SecretForm } from '../../src/domain/secret-form.js'
import { operatorErrorOf } from '../helpers/errors.js'

const [US, EU] = ['us-east-1/cluster-aaaaaaaaaaa', 'eu-west-1/cluster-bbbbbbbbbbb']
const [us, eu] = ['cluster-aaaaaaaaaaa' as ClusterId, 'cluster-bbbbbbbbbbb' as ClusterId]
const CLUSTERS = [US, EU].map(parseClusterRef)

const flags = (officer: string[] | undefined, password: string[] | undefined): OfficerFlagValues => ({
  officer,
  'officer-password': password,
})

/** Name and form for each cluster. */
const read = (officer: string[], password: string[]) =>
  readOfficers(flags(officer, password), CLUSTERS).map(({ user, form }) => [user.name, form])

/** Resolves each SECRET to one that is named after it, and notes what was asked. */
const resolve = async (officer: string[], password: string[]) => {
  const asked: string[] = []
  const officerOf = await resolveOfficers(readOfficers(flags(officer, password), CLUSTERS), {
    resolve: async (form: SecretForm, { what }) => {
      asked.push(what)
      return new Secret(`TEST-${form.kind}-${asked.length}`)
    },
  })
  return { asked, us: officerOf(us), eu: officerOf(eu) }
}

const env = (name: string) => ({ kind: 'env', name })

describe('officers as they are named', () => {
  test('one for all clusters', () => {
    expect(read(['admin'], ['env:A'])).toEqual([
      ['admin', env('A')],
      ['admin', env('A')],
    ])
  })

  test.each([
    ['by its ID', eu],
    ['with its Region', EU],
    ['with profile and Region', `prod:${EU}`],
  ])('one for a cluster %s; the plain flags hold for the other', (_what, cluster) => {
    expect(read(['admin', `${cluster}=eu_admin`], [`${cluster}=env:B`, 'env:A'])).toEqual([
      ['admin', env('A')],
      ['eu_admin', env('B')],
    ])
  })

  test('one officer with a password of its own on one cluster', () => {
    expect(read(['CO:admin'], ['env:A', `${eu}=env:B`])).toEqual([
      ['admin', env('A')],
      ['admin', env('B')],
    ])
  })

  test('no plain flag is needed where every cluster is named', () => {
    expect(read([`${us}=us_admin`, `${eu}=eu_admin`], [`${us}=file:a=b`, `${eu}=command:pass show x=y`])).toEqual([
      ['us_admin', { kind: 'file', path: 'a=b' }],
      ['eu_admin', { kind: 'command', command: 'pass show x=y' }],
    ])
  })

  test('a path that holds "=" is no cluster', () => {
    expect(read(['admin'], ['file:/run/cluster-bbbbbbbbbbb=x'])[1]).toEqual([
      'admin',
      { kind: 'file', path: '/run/cluster-bbbbbbbbbbb=x' },
    ])
  })

  test.each<[string, string[] | undefined, string[] | undefined, string, string]>([
    ['no officer', undefined, ['env:A'], 'FLAG_MISSING', '--officer is missing'],
    ['no password', ['admin'], undefined, 'FLAG_MISSING', '--officer-password is missing'],
    [
      'a cluster that takes no part',
      ['admin', 'cluster-ccccccccccc=x'],
      ['env:A'],
      'OFFICER_FOR_NOBODY',
      '--officer names cluster-ccccccccccc, which takes no part in this rotation',
    ],
    [
      'a cluster in another Region than it is in',
      ['admin', `us-east-1/${eu}=x`],
      ['env:A'],
      'OFFICER_FOR_NOBODY',
      `--officer names us-east-1/${eu}, which takes no part in this rotation`,
    ],
    [
      'a password for a cluster that takes no part',
      ['admin'],
      ['env:A', 'cluster-ccccccccccc=env:B'],
      'OFFICER_FOR_NOBODY',
      '--officer-password names cluster-ccccccccccc, which takes no part in this rotation',
    ],
    [
      'a cluster named twice, once with its Region',
      [`${eu}=a`, `${EU}=b`],
      ['env:A'],
      'OFFICER_TWICE',
      `--officer is given twice for ${EU}`,
    ],
    [
      'a password given twice for all',
      ['admin'],
      ['env:A', 'env:B'],
      'OFFICER_TWICE',
      '--officer-password is given twice for every cluster that is not named',
    ],
    ['no officer for one cluster', [`${us}=a`], ['env:A'], 'OFFICER_MISSING', `--officer says nothing about ${EU}`],
    [
      'a password without an officer',
      [`${us}=a`],
      ['env:A', `${eu}=env:B`],
      'OFFICER_MISSING',
      `--officer-password is given for ${EU}, but no officer is`,
    ],
    [
      'an officer without a password',
      ['admin', `${eu}=eu_admin`],
      [`${us}=env:A`],
      'OFFICER_PASSWORD_MISSING',
      `--officer-password says nothing about ${EU}, whose officer is "eu_admin"`,
    ],
    ['what is no cluster', ['cluster_1=a'], ['env:A'], 'BAD_CLUSTER_REFERENCE', '"cluster_1" does not name a cluster'],
    ['what is no officer', [`${eu}=CU:app`], ['env:A'], 'OFFICER_MALFORMED', '"CU:app" does not name a crypto officer'],
  ])('%s is refused', async (_what, officer, password, code, message) => {
    const error = await operatorErrorOf(() => readOfficers(flags(officer, password), CLUSTERS))
    expect({ code: error.code, message: error.message, exitCode: error.exitCode }).toEqual({
      code,
      message,
      exitCode: 2,
    })
  })

  test('an officer is advised together with a password, unless one is given that holds for the cluster', async () => {
    const advised = async (password: string[]) =>
      (await operatorErrorOf(() => readOfficers(flags([`${us}=a`], password), CLUSTERS))).suggestions
    expect(await advised([`${us}=env:A`])).toEqual([
      `--officer ${EU}=NAME --officer-password ${EU}=prompt`,
      '--officer NAME --officer-password prompt for every cluster that is not named',
    ])
    expect(await advised(['env:A'])).toEqual([
      `--officer ${EU}=NAME`,
      '--officer NAME for every cluster that is not named',
    ])
  })

  test('a password typed behind a cluster is refused and not shown', async () => {
    const error = await operatorErrorOf(() => readOfficers(flags(['a'], [`${eu}=TEST-SECRET-typed`]), CLUSTERS))
    expect(error.code).toBe('LITERAL_SECRET')
    expect(JSON.stringify([error.message, error.suggestions])).not.toContain('TEST-SECRET')
  })
})

describe('passwords of officers', () => {
  test('one officer is one login, asked for once', async () => {
    const { asked, ...officers } = await resolve(['admin'], ['prompt'])
    expect(asked).toEqual(['password of the officer admin'])
    expect(officers.eu).toBe(officers.us)
  })

  test('a prompt for one cluster names it and its officer', async () => {
    const { asked, ...officers } = await resolve(['admin', `${eu}=eu_admin`], ['prompt', `${eu}=prompt`])
    expect(asked).toEqual([`password of the officer admin on ${US}`, `password of the officer eu_admin on ${EU}`])
    expect(officers.eu.password).not.toBe(officers.us.password)
  })

  test('a prompt for all clusters asks once for each officer', async () => {
    const { asked } = await resolve([`${us}=us_admin`, `${eu}=eu_admin`], ['prompt'])
    expect(asked).toEqual([`password of the officer us_admin on ${US}`, `password of the officer eu_admin on ${EU}`])
  })

  test('another SECRET that is given twice is fetched once, and still two officers are two', async () => {
    const { asked, ...officers } = await resolve(
      [`${us}=us_admin`, `${eu}=eu_admin`],
      [`${us}=command:vault`, `${eu}=command:vault`],
    )
    expect(asked).toEqual(['password of the officer us_admin, eu_admin'])
    expect([officers.us.user.name, officers.eu.user.name]).toEqual(['us_admin', 'eu_admin'])
    expect(officers.eu.password).toBe(officers.us.password)
  })

  test('the same officer with two passwords is two logins', async () => {
    const officers = await resolve(['admin'], [`${us}=env:A`, `${eu}=env:B`])
    expect(officers.eu).not.toBe(officers.us)
  })

  test('a cluster that may take part later need not have one; once it does, the refusal says what to type', async () => {
    const clusters = CLUSTERS.slice(0, 1)
    const officers = readOfficers(flags([`${us}=admin`], ['env:A']), clusters, CLUSTERS.slice(1))
    const officerOf = await resolveOfficers(officers, { resolve: async () => new Secret('TEST-officer-1') })
    expect(officerOf(us).user.name).toBe('admin')
    expect(await operatorErrorOf(() => officerOf(eu))).toMatchObject({
      code: 'OFFICER_MISSING',
      message: `no officer is named for ${eu}, which takes part since it is back`,
      suggestions: [`--officer ${eu}=NAME --officer-password ${eu}=prompt`],
    })
  })

  test('one that is named for a cluster that may take part later is asked for with the others', async () => {
    const officers = readOfficers(
      flags(['admin', `${eu}=eu_admin`], ['env:A']),
      CLUSTERS.slice(0, 1),
      CLUSTERS.slice(1),
    )
    expect(officers.map(({ cluster, user }) => [cluster.clusterId, user.name])).toEqual([
      [us, 'admin'],
      [eu, 'eu_admin'],
    ])
  })
})
