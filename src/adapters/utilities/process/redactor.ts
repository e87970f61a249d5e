/** A piece of a secret of this many characters is taken out too: echoes get cut and lines get wrapped. */
const PIECE = 8

/** Takes every secret that was typed, and every longer piece of one, out of what is shown later. */
export class Redactor {
  readonly #pieces = new Set<string>()

  add(secret: string): void {
    const length = Math.min(PIECE, secret.length)
    if (length === 0) return
    for (let at = 0; at + length <= secret.length; at += 1) this.#pieces.add(secret.slice(at, at + length))
  }

  redact(text: string): string {
    const found: { from: number; to: number }[] = []
    for (const piece of this.#pieces) {
      for (let at = text.indexOf(piece); at >= 0; at = text.indexOf(piece, at + 1)) {
        found.push({ from: at, to: at + piece.length })
      }
    }
    if (found.length === 0) return text
    let result = ''
    let end = 0
    // Pieces that overlap are one secret.
    for (const { from, to } of found.sort((a, b) => a.from - b.from)) {
      if (from >= end) result += `${text.slice(end, from)}[secret]`
      end = Math.max(end, to)
    }
    return result + text.slice(end)
  }
}
