/** The code of the README's section on embedding, file by file, as it stands there. */
import { read } from '../../style/repository.ts'

const section = read('README.md').split('\n## Embedding\n')[1]?.split('\n## ')[0] ?? ''

/** Text by file name: each block begins with a comment that names its file. */
export function readmeExample(): Map<string, string> {
  const blocks = [...section.matchAll(/^```ts\n(\/\/ ([\w-]+\.ts): .*?)^```$/gms)]
  return new Map(blocks.map(([, code, name]) => [name!, code!]))
}

/** The commands of its session, each with what it prints. */
export function readmeSession(): { command: string; printed: string }[] {
  const session = /^```console\n(.*?)^```$/ms.exec(section)?.[1] ?? ''
  return session
    .split(/^\$ /m)
    .slice(1)
    .map((part) => part.split('\n'))
    .map(([command = '', ...printed]) => ({ command, printed: printed.join('\n').trimEnd() }))
}
