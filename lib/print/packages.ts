/** The packages in the executable, as installed. For macros alone: these files are not on the host that runs it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The parts that Bun's package names in process.versions, with their licences. Bun's LICENSE.md, in the repository that
 * its package names, lists them with their sources, and explains how to link Bun with a changed JavaScriptCore.
 */
export const partsOfBun: Readonly<Record<string, string>> = {
  ares: 'MIT',
  boringssl: 'Apache-2.0 and others',
  icu: 'Unicode-3.0',
  libarchive: 'BSD-2-Clause and others',
  libdeflate: 'MIT',
  llhttp: 'MIT',
  lolhtml: 'BSD-3-Clause',
  lshpack: 'MIT',
  mimalloc: 'MIT',
  picohttpparser: 'MIT',
  sqlite: 'public domain',
  tinycc: 'LGPL-2.1',
  typescript: 'Apache-2.0',
  usockets: 'Apache-2.0',
  uv: 'MIT',
  uwebsockets: 'Apache-2.0',
  webkit: 'LGPL-2.1 (JavaScriptCore and WebCore) and BSD-2-Clause',
  zig: 'MIT',
  zlib: 'Zlib',
  zstd: 'BSD-3-Clause',
}

export interface Manifest {
  name: string
  version: string
  license: string
  repository?: string
  dependencies?: Record<string, string>
}

export const root = join(import.meta.dir, '../..')

/** In the text of the page, which is made before: a dependency for development alone. */
const inPage = ['preact']

/** Returns the dependencies, including indirect ones. */
export function bundledPackages(): string[] {
  const found = new Set(inPage)
  const open = Object.keys(manifestOf(root).dependencies ?? {})
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue
    found.add(name)
    open.push(...Object.keys(manifestOf(folderOf(name)).dependencies ?? {}))
  }
  return [...found].toSorted()
}

export function folderOf(name: string): string {
  return join(root, 'node_modules', name)
}

export function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}
