/**
 * Parses the text of a setting that holds properties: `name=value`, separated by commas. `\,` is a comma inside a
 * value.
 */

export interface GivenProperty {
  name: string
  value: string
  /** Position in the list, from 1, for messages that must not show the text. */
  place: number
}

/**
 * Returns the properties in the order given. Errors never show text that may be part of a secret.
 * @param byLine true for the text of a file: line ends separate properties, too, and lines that begin with # are
 *   comments
 */
export function parseProperties(text: string, byLine: boolean): { given: GivenProperty[]; faults: string[] } {
  const given: GivenProperty[] = []
  const faults: string[] = []
  let place = 0
  for (const line of byLine ? text.split(/\r?\n/) : [text]) {
    if (byLine && /^\s*#/.test(line)) continue
    for (const item of line.split(/(?<!\\),/)) {
      if (item.trim() === '') continue
      place++
      const equals = item.indexOf('=')
      if (equals > 0) {
        given.push({ name: item.slice(0, equals).trim(), value: item.slice(equals + 1).replaceAll('\\,', ','), place })
      } else faults.push(`item ${place} is not name=value; a comma inside a value is written \\,`)
    }
  }
  return { given, faults }
}
