/** The code of lib/library/README.md, file by file, as it stands there. */
import { read } from '../../style/repository.ts'
import { type ShownCommand, shownCommands } from '../shown-commands.ts'

const page = read('lib/library/README.md')

/** Text by file name: each block begins with a comment that names its file. */
export function readmeExample(): Map<string, string> {
  const blocks = [...page.matchAll(/^```ts\n(\/\/ ([\w-]+\.ts): .*?)^```$/gms)]
  return new Map(blocks.map(([, code, name]) => [name!, code!]))
}

/** The commands of its session, each with what it prints. */
export function readmeSession(): ShownCommand[] {
  return shownCommands(page)
}
