/** The utility's words do not have the form they are known to have. Never answered by guessing. */
export class NotUnderstood extends Error {
  override readonly name = 'NotUnderstood'
}
