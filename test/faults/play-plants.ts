/**
 * Plants each of some defects in a copy of the sources, and runs tests, with one seed after another, until it is found.
 * Exit code 1 if one is not found.
 */
import { cpSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { run } from '../support/process/run.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'
import { planted } from './planted.ts'
import type { Plant } from './plants.ts'

const root = resolve(import.meta.dir, '../..')
const copied = ['lib', 'test/setup', 'test/support', 'test/examples', 'package.json', 'tsconfig.json', 'bunfig.toml']
const seedsMax = 10
const playedMs = 180_000

/** Defects, and the files and folders with the tests that have to find them. */
export interface Planting {
  readonly plants: readonly Plant[]
  readonly tests: readonly string[]
}

export interface Plantings {
  readonly name: string
  readonly all: readonly Planting[]
  /** Part of a name, to plant those only. */
  readonly wanted: string
}

export async function playPlants({ name, all, wanted }: Plantings): Promise<never> {
  const folder = temporaryFolder(`planted-${name}`)
  const files = new Set([...copied, ...all.flatMap(({ tests }) => tests)])
  for (const each of files) cpSync(join(root, each), join(folder, each), { recursive: true })
  // Kafka's jars are there once a test has needed them.
  for (const each of ['node_modules', '.kafka']) {
    if (existsSync(join(root, each))) symlinkSync(join(root, each), join(folder, each))
  }
  let count = 0
  let found = 0
  for (const { plants, tests } of all) {
    const chosen = plants.filter((plant) => plant.name.includes(wanted))
    if (chosen.length === 0) continue
    const unplanted = await play(folder, tests, 1)
    if (unplanted !== undefined) throw new Error(`the tests fail without a defect:\n${unplanted}`)
    for (const plant of chosen) {
      count++
      if (await isFound(folder, plant, tests)) found++
    }
  }
  rmSync(folder, { recursive: true, force: true })
  console.log(`${found} of ${count} planted defects were found`)
  process.exit(found < count || count === 0 ? 1 : 0)
}

async function isFound(folder: string, plant: Plant, tests: readonly string[]): Promise<boolean> {
  const file = join(folder, plant.file)
  const source = readFileSync(join(root, plant.file), 'utf8')
  writeFileSync(file, planted(source, plant))
  let output: string | undefined
  let seed = 0
  while (output === undefined && seed < seedsMax) output = await play(folder, tests, ++seed)
  writeFileSync(file, source)
  if (output === undefined) {
    console.log(`MISSED ${plant.name}`)
    return false
  }
  const error = /^error: (.*)$/m.exec(output)?.[1] ?? 'it does not end, or ends the process'
  const test = /^\(fail\) (.*?)(?: \[[^\]]*\])?$/m.exec(output)?.[1]
  console.log(`${plant.name}: seed ${seed}: ${test ?? error}`)
  return true
}

/** @returns what is printed if it fails */
async function play(folder: string, tests: readonly string[], seed: number): Promise<string | undefined> {
  const command = `cd '${folder}' && LATCHKEY_SEED=${seed} exec '${process.execPath}' test --bail ${tests.join(' ')}`
  try {
    const { stdout, stderr, exitCode } = await run(['/bin/sh', '-c', command], playedMs)
    return exitCode === 0 ? undefined : stdout + stderr
  } catch (error) {
    return String(error)
  }
}
