/** A command with its words and flags, or flags alone at the head of a point; then three blanks, and words about it. */
const EXPLAINED = /((?:\blockstep |\* --)\S+(?: \S+)*) {3}(?=\p{L})/gu

/**
 * Words that stand three blanks behind a command become a comment of the shell: the line can be pasted as it is.
 * @param text lines for people
 */
export const pasteable = (text: string): string => text.replace(EXPLAINED, '$1   # ')
