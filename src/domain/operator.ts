/** Questions that only a person may answer. */
export interface Operator {
  /**
   * Asks yes or no. Without a terminal the answer is no, unless the operator said yes to everything beforehand.
   */
  confirm(question: string): Promise<boolean>
}
