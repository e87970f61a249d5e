/** Takes every secret that was typed out of what is shown later. */
export class Redactor {
  readonly #secrets = new Set<string>()

  add(secret: string): void {
    if (secret.length > 0) this.#secrets.add(secret)
  }

  redact(text: string): string {
    let result = text
    for (const secret of this.#secrets) result = result.replaceAll(secret, '[secret]')
    return result
  }
}
