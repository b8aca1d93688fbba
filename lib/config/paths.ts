/**
 * Looks up files that settings name: like `.env`, in the working directory first, then in the folder of the executable.
 */
import { statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

/** @returns the absolute path; undefined if no directory has the file */
export function findPath(path: string, kind: 'file' | 'directory', directories: readonly string[]): string | undefined {
  const candidates = isAbsolute(path) ? [path] : directories.map((directory) => join(directory, path))
  return candidates.find((candidate) => {
    const found = statSync(candidate, { throwIfNoEntry: false })
    return kind === 'file' ? found?.isFile() : found?.isDirectory()
  })
}

/** Returns the error text for a path that was not found. */
export function notFound(path: string, kind: 'file' | 'directory', directories: readonly string[]): string {
  const where = isAbsolute(path) ? '' : ` in ${[...new Set(directories)].join(' or ')}`
  return `there is no such ${kind}${where}`
}
