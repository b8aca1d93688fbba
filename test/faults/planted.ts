/** Builds the executable from a copy of the sources with a defect in it. */
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { run, tail } from '../support/process/run.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'
import type { Plant } from './plants.ts'

const root = resolve(import.meta.dir, '../..')
const copied = [
  'lib',
  'test/setup',
  'main.ts',
  'LICENSE',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'bunfig.toml',
]
const buildTimeoutMs = 120_000

export async function plantedExecutable(plant: Plant): Promise<string> {
  const folder = temporaryFolder('planted')
  for (const name of copied) cpSync(join(root, name), join(folder, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const file = join(folder, plant.file)
  writeFileSync(file, planted(readFileSync(file, 'utf8'), plant))
  const path = join(folder, 'latchkey')
  const command = [process.execPath, 'run', '--cwd', folder, 'build', '--outfile', path]
  const { stdout, stderr, exitCode } = await run(command, buildTimeoutMs)
  if (exitCode !== 0) throw new Error(`build with ${plant.name}: exit code ${exitCode}\n${tail(stdout + stderr)}`)
  return path
}

/** @throws Error where the place for the defect is not there, or not once */
export function planted(source: string, { name, file, edits }: Plant): string {
  return edits.reduce((text, { find, replace }) => {
    const places = text.split(find).length - 1
    if (places !== 1) throw new Error(`plant ${name} in ${file}: its place is there ${places} times: ${find}`)
    return text.replace(find, () => replace)
  }, source)
}
