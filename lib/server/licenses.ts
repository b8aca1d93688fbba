/**
 * The text of --licenses: the licences of everything in the executable, read from the installed packages. main.ts
 * imports this as a macro: it runs while the executable is built, and only its text becomes part of the executable.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
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

interface Manifest {
  version: string
  license: string
  repository?: string
  dependencies?: Record<string, string>
}

const root = join(import.meta.dir, '../..')
const rule = '-'.repeat(80)
const fileName = /^(licen[cs]e|copying|notice)/i
/** Folders in packages with further licence files, for parts that come from others. */
const furtherFolders = ['google']

/** @throws Error if a package has no licence file, which stops the build */
export function licensesText(): string {
  const sections = [
    section('Latchkey', readFileSync(join(root, 'LICENSE'), 'utf8')),
    ...bundledPackages().map((name) => packageSection(name)),
    section('google/type/*.proto of googleapis', 'Copyright Google LLC. Apache-2.0, as printed for prom-client.'),
    bunSection(),
  ]
  return sections.join('\n')
}

/** Returns the dependencies, including indirect ones. */
function bundledPackages(): string[] {
  const found = new Set<string>()
  const open = Object.keys(manifestOf(root).dependencies ?? {})
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue
    found.add(name)
    open.push(...Object.keys(manifestOf(folderOf(name)).dependencies ?? {}))
  }
  return [...found].toSorted()
}

function packageSection(name: string): string {
  const folder = folderOf(name)
  const { version, license } = manifestOf(folder)
  const texts = [folder, ...furtherFolders.map((further) => join(folder, further))].flatMap(licenseFiles)
  if (texts.length === 0) throw new Error(`collect licences: ${name} has no file with its licence`)
  return section(`${name} ${version} (${license})`, texts.join('\n'))
}

function licenseFiles(folder: string): string[] {
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter((name) => fileName.test(name))
  return names.toSorted().map((name) => readFileSync(join(folder, name), 'utf8'))
}

function bunSection(): string {
  const { version, license, repository } = manifestOf(folderOf('bun'))
  const parts = Object.entries(partsOfBun).map(([name, terms]) => `  ${name} ${process.versions[name] ?? ''}: ${terms}`)
  const lines = [`Bun's sources and the texts of these licences: ${repository}`, 'It has in it', ...parts]
  return section(`Bun ${version} (${license})`, lines.join('\n'))
}

function section(title: string, text: string): string {
  return `${rule}\n${title}\n${rule}\n${text.replaceAll('\r\n', '\n').trim()}\n`
}

function folderOf(name: string): string {
  return join(root, 'node_modules', name)
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}
