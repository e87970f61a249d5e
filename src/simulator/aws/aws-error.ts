/** An error answer of the service. */
export class AwsError extends Error {
  override readonly name = 'AwsError'

  /**
   * @param code as clients test it, e.g. `CloudHsmInvalidRequestException`
   * @param status HTTP status
   */
  constructor(
    readonly code: string,
    message: string,
    readonly status = 400,
  ) {
    super(message)
  }
}

/** A request the service cannot make sense of. */
export const invalidRequest = (message: string): AwsError => new AwsError('CloudHsmInvalidRequestException', message)
