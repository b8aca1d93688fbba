/** Commands that documents show, to be run as they stand. */

export interface ShownCommand {
  /** May have several lines, where it ends in a here document. */
  command: string
  /** What is shown as printed, line by line. */
  printed: string[]
}

/** Of all blocks of type `console`: `$` begins a command, other lines are what it prints. */
export function shownCommands(document: string): ShownCommand[] {
  const found: ShownCommand[] = []
  for (const [, block = ''] of document.matchAll(/^```console\n(.*?)^```$/gms)) {
    let hereEnd: string | undefined
    for (const line of block.split('\n').slice(0, -1)) {
      const current = found.at(-1)
      if (hereEnd !== undefined && current) {
        current.command += `\n${line}`
        if (line === hereEnd) hereEnd = undefined
      } else if (line.startsWith('$ ')) {
        found.push({ command: line.slice(2), printed: [] })
        hereEnd = /<<'(\w+)'$/.exec(line)?.[1]
      } else current?.printed.push(line)
    }
  }
  return found
}

/** Of all blocks of type `sh`: each line is a command, without the comment after it. */
export function shellLines(document: string): string[] {
  return [...document.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = '']) =>
    block
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/\s+#.*$/, '')),
  )
}
