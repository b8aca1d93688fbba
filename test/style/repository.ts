import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

export const root = resolve(import.meta.dir, '../..')

/** Paths of the files that belong to the repository, those not yet added included, relative to its top, with `/`. */
export function repositoryFiles(): string[] {
  const { stdout, exitCode } = Bun.spawnSync(['git', 'ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: root,
  })
  if (exitCode !== 0) throw new Error(`list the files of ${root}: git ended with ${exitCode}`)
  const { stdout: deleted } = Bun.spawnSync(['git', 'ls-files', '--deleted', '-z'], { cwd: root })
  const gone = new Set(deleted.toString().split('\0'))
  return [...new Set(stdout.toString().split('\0'))].filter((path) => path !== '' && !gone.has(path)).toSorted()
}

/** main.ts and the TypeScript files of lib. */
export function sourceFiles(): string[] {
  return repositoryFiles().filter((path) => path === 'main.ts' || /^lib\/.*\.tsx?$/.test(path))
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

export function lineCount(path: string): number {
  return read(path).trimEnd().split('\n').length
}

const importPattern = /(?:\b(?:from|import|require|resolve)|\bnew URL)\s*\(?\s*(['"`])(\.(?:(?!\1)[^])+)\1/g

/** Files that a file imports, types included, as `repositoryFiles` names them. */
export function importsOf(path: string): string[] {
  return importsIn(path, read(path))
}

/** Files that a text imports, if it is that of the file `path`. */
export function importsIn(path: string, text: string): string[] {
  return [...text.matchAll(importPattern)].map(([, , imported]) => join(dirname(path), imported!))
}
