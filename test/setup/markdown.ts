/** Tables and generated parts of Markdown documents. */

/** As the formatter aligns it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, index) => Math.max(title.length, ...rows.map((row) => row[index]!.length)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index]!)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)]
}

/** Head and rows of the first table below a heading, cells trimmed. */
export function tableBelow(document: string, heading: string): string[][] {
  const section = document.split(`\n${heading}\n`)[1]?.split(/^#/m)[0] ?? ''
  const lines = section.split('\n').filter((line) => line.startsWith('|'))
  const rows = lines.map((line) => line.split('|').slice(1, -1))
  return rows.filter((_, index) => index !== 1).map((row) => row.map((cell) => cell.trim()))
}

/** The document with `text` between the marks `<!-- name: … -->` and `<!-- end of name -->`. */
export function withPart(document: string, name: string, text: string): string {
  const [before, begin, , end, after] = document.split(new RegExp(`(<!-- ${name}: .*-->|<!-- end of ${name} -->)`))
  if (after === undefined) throw new Error(`Writing the part ${name} of a document: it has no marks for it`)
  return [before, begin, `\n\n${text}\n\n`, end, after].join('')
}
