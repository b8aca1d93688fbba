/** The code of the README's section on embedding, file by file, as it stands there. */
import { read } from '../../style/repository.ts'

/** Text by file name: each block begins with a comment that names its file. */
export function readmeExample(): Map<string, string> {
  const section = read('README.md').split('\n## Embedding\n')[1]?.split('\n## ')[0] ?? ''
  const blocks = [...section.matchAll(/^```ts\n(\/\/ ([\w-]+\.ts): .*?)^```$/gms)]
  return new Map(blocks.map(([, code, name]) => [name!, code!]))
}
