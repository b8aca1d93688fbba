import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const root = resolve(import.meta.dir, '../..')

/** A path in the git-ignored folder that holds what the bench builds and writes. */
export function buildFolder(...parts: string[]): string {
  return join(root, '.bench', ...parts)
}

/** Short name of what these files say, so that a changed program is built again. */
export function digestOf(...paths: string[]): string {
  const hash = createHash('sha256')
  for (const path of paths) hash.update(readFileSync(path))
  return hash.digest('hex').slice(0, 12)
}
