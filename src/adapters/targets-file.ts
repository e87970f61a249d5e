import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { z } from 'zod'
import { OperatorError, usageError } from '../domain/errors.js'
import type { RegionName } from '../domain/ids.js'
import type { DiscoveryTarget } from '../domain/ports.js'

const EXAMPLE = 'targets: [{profile: prod, regions: [eu-west-1], roleArn: arn:aws:iam::111122223333:role/NAME}]'

const Target = z.strictObject({
  profile: z.string().min(1).optional(),
  regions: z.array(z.string()).optional(),
  roleArn: z
    .string()
    .regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/, 'is not the ARN of a role')
    .optional(),
  externalId: z.string().min(2).optional(),
})

const TargetsFile = z.strictObject({ targets: z.array(Target).min(1) })

/**
 * Reads a `--targets` file.
 * @throws {OperatorError} exit 2: `TARGETS_UNREADABLE`, `BAD_TARGETS` (naming the path in the file and the value)
 */
export const readTargets = async (
  file: string,
  asRegion: (text: string) => RegionName,
): Promise<readonly DiscoveryTarget[]> => {
  const content = readYaml(file, await readText(file))
  const { data, error } = TargetsFile.safeParse(content)
  if (error !== undefined) throw malformed(file, content, error)
  return data.targets.map(({ profile, regions, roleArn, externalId }, index) => {
    if (externalId !== undefined && roleArn === undefined) {
      throw bad(file, `targets[${index}].externalId is given without a roleArn`)
    }
    return {
      profile: profile ?? null,
      regions: (regions ?? []).map((region, place) =>
        checkRegion(file, `targets[${index}].regions[${place}]`, region, asRegion),
      ),
      ...(roleArn !== undefined && { roleArn }),
      ...(externalId !== undefined && { externalId }),
    }
  })
}

const readText = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw usageError('TARGETS_UNREADABLE', `targets file ${file} cannot be read: ${(error as Error).message}`, [
      'check the path that --targets names',
      `it should look like: ${EXAMPLE}`,
    ])
  }
}

const readYaml = (file: string, text: string): unknown => {
  try {
    return parse(text, { prettyErrors: true })
  } catch (error) {
    throw bad(file, `it is not YAML: ${(error as Error).message.split('\n')[0]}`)
  }
}

const checkRegion = (
  file: string,
  path: string,
  region: string,
  asRegion: (text: string) => RegionName,
): RegionName => {
  try {
    return asRegion(region)
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    throw bad(file, `${path}: ${error.message}`, error.suggestions)
  }
}

const malformed = (file: string, content: unknown, error: z.ZodError): OperatorError => {
  const [first] = error.issues
  if (first === undefined) return bad(file, 'it is malformed')
  const value = first.path.reduce<unknown>(
    (at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key],
    content,
  )
  const path = first.path.reduce<string>(
    (at, key) => (typeof key === 'number' ? `${at}[${key}]` : `${at}.${String(key)}`),
    '',
  )
  return bad(
    file,
    `${path.replace(/^\./, '') || 'the file'}: ${first.message}, and it is ${JSON.stringify(value) ?? 'absent'}`,
  )
}

const bad = (file: string, what: string, suggestions: readonly string[] = []): OperatorError =>
  usageError('BAD_TARGETS', `targets file ${file}: ${what}`, [...suggestions, `it should look like: ${EXAMPLE}`])
