/**
 * The text of --licenses: the licences of everything in the executable, read from the installed packages. information.ts of lib/server
 * imports this as a macro: it runs while the executable is built, and only its text becomes part of the executable.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundledPackages, folderOf, manifestOf, partsOfBun, root } from './packages.ts'

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
