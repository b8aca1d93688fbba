/** Headers that are added to an answer after it was made. */

export type AddedHeaders = Readonly<Record<string, string>>

export function addTo(headers: Headers, added: AddedHeaders): void {
  // Several values of Vary are one list.
  for (const [name, value] of Object.entries(added)) headers.append(name, value)
}

export function linesOf(headers: AddedHeaders): string {
  let lines = ''
  for (const [name, value] of Object.entries(headers)) lines += `${name}: ${value}\r\n`
  return lines
}
