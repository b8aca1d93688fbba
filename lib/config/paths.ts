/** Files that settings name: in the working directory, else beside the executable, as `.env` is. */
import { statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

/** @returns the absolute path, undefined where no directory has it */
export function findPath(path: string, kind: 'file' | 'directory', directories: readonly string[]): string | undefined {
  const candidates = isAbsolute(path) ? [path] : directories.map((directory) => join(directory, path))
  return candidates.find((candidate) => {
    const found = statSync(candidate, { throwIfNoEntry: false })
    return kind === 'file' ? found?.isFile() : found?.isDirectory()
  })
}

/** What to say where there is none. */
export function notFound(path: string, kind: 'file' | 'directory', directories: readonly string[]): string {
  const where = isAbsolute(path) ? '' : ` in ${[...new Set(directories)].join(' or ')}`
  return `there is no such ${kind}${where}`
}
