/** AWS, or what answers in its place, sent something that no CloudHSM endpoint sends. */
export class BadAnswer extends Error {
  override readonly name = 'BadAnswer'
}
