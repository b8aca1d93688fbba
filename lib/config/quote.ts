/** Quotes a user's text for a message: control characters escaped, length bounded. */
export function quote(text: string): string {
  const shownMax = 120
  return JSON.stringify(text.length > shownMax ? `${text.slice(0, shownMax)}…` : text)
}
