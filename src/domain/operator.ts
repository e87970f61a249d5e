/** Questions that only a person may answer. */
export interface Operator {
  /**
   * Asks yes or no. Without a terminal the answer is no, unless the operator said yes to everything beforehand.
   * @param about what saying yes beforehand does not cover: going on although nothing could give the old password back
   */
  confirm(question: string, about?: { readonly noWayBack: boolean }): Promise<boolean>
}
