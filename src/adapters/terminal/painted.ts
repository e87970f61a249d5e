/** Lines of a table dimmed and its head emphasised. Only what is printable already can be given this. */
export const painted = (text: string): string =>
  text
    .replace(/(?<=^┌.*\n)[^\n]*$/gmu, (head) => head.replace(/[^│]+/g, (title) => sgr(1, title, 22)))
    .replace(/[┌┐└┘├┤┬┴┼─│]+/g, (border) => sgr(90, border, 39))

const sgr = (on: number, text: string, off: number): string => `\u001b[${on}m${text}\u001b[${off}m`
