import { resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { readCaFiles } from '../../src/cli/ca-files.js'
import { ref, refusalOf } from '../helpers/discovery.js'

const A = 'cluster-aaaaaaaaaaa'
const named = [ref(`us-east-1/${A}`), ref('cluster-bbbbbbbbbbb')]

describe('--hsm-ca-cert', () => {
  test('names a file for all clusters or for one, as an absolute path', () => {
    const read = readCaFiles(['ca.crt', `us-east-1/${A}=/srv/a=b.crt`, 'cluster-bbbbbbbbbbb=/srv/b.crt'], named)
    expect(read.common).toBe(resolve('ca.crt'))
    expect([...read.byCluster]).toEqual([
      [A, '/srv/a=b.crt'],
      ['cluster-bbbbbbbbbbb', '/srv/b.crt'],
    ])
    expect(readCaFiles(['/srv/x=y.crt'], named).common).toBe('/srv/x=y.crt')
    expect(readCaFiles([], named)).toEqual({ common: null, byCluster: new Map() })
  })

  test.each([
    [[`${A}=`], 'CA_CERT_MALFORMED', `--hsm-ca-cert "${A}=" names no file`],
    [[''], 'CA_CERT_MALFORMED', '--hsm-ca-cert "" names no file'],
    [['/a', '/b'], 'CA_CERT_TWICE', '--hsm-ca-cert is given twice for all clusters'],
    [[`${A}=/a`, `${A}=/b`], 'CA_CERT_TWICE', `--hsm-ca-cert is given twice for ${A}`],
    [
      ['cluster-ccccccccccc=/c'],
      'CA_CERT_FOR_NOBODY',
      '--hsm-ca-cert names cluster-ccccccccccc, which is not in the configuration',
    ],
  ])('%j is refused', async (texts, code, message) => {
    expect(await refusalOf(() => readCaFiles(texts, named))).toMatchObject({ code, message, exitCode: 2 })
  })
})
