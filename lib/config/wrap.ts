/** Wraps text for a terminal. */

/**
 * Breaks text at spaces into lines of at most `columns` characters. A longer word gets its own line.
 * @param indent spaces before each line
 */
export function wrap(text: string, columns: number, indent = 0): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > columns) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  lines.push(line)
  return lines.map((one) => ' '.repeat(indent) + one)
}
