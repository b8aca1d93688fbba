/** Text of a user for a message: quoted, control characters escaped, bounded. */
export function quote(text: string): string {
  const shownMax = 120
  return JSON.stringify(text.length > shownMax ? `${text.slice(0, shownMax)}…` : text)
}
