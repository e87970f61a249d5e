import { OperatorError } from '../../src/domain/errors.js'

/** The `OperatorError` that `work` ends with; fails the test when it ends otherwise. */
export const operatorErrorOf = async (work: () => unknown): Promise<OperatorError> => {
  try {
    await work()
  } catch (error) {
    if (error instanceof OperatorError) return error
    throw error
  }
  throw new Error('an OperatorError was expected, and nothing was thrown')
}

/** Everything of an error that could reach a person or a log. */
export const shownParts = (error: OperatorError): string =>
  JSON.stringify([error.message, error.code, error.suggestions, String(error.cause ?? ''), error.stack])
