/**
 * Plants each defect of plants.ts in a copy of the sources, and runs the tests of followers, of which follower.test.ts is
 * a model with random histories, with one seed after another, until it is found. Exit code 1 if one is not found.
 * Arguments: a part of a name, to plant those only.
 */
import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { run } from '../../support/process/run.ts'
import { temporaryFolder } from '../../support/process/temporary-folder.ts'
import { planted } from '../planted.ts'
import { feedPlants } from './plants.ts'

const root = resolve(import.meta.dir, '../../..')
const copied = [
  'lib',
  'test/setup',
  'test/support',
  'test/store/changes',
  'package.json',
  'tsconfig.json',
  'bunfig.toml',
]
const tests = 'test/store/changes/follower.test.ts test/store/changes/missed-changes.test.ts'
const seedsMax = 10
const playedMs = 180_000

const folder = temporaryFolder('planted-feed')
for (const name of copied) cpSync(join(root, name), join(folder, name), { recursive: true })
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))

/** @returns what is printed if it fails */
async function play(seed: number): Promise<string | undefined> {
  const command = `cd '${folder}' && LATCHKEY_SEED=${seed} exec '${process.execPath}' test --bail ${tests}`
  const { stdout, stderr, exitCode } = await run(['/bin/sh', '-c', command], playedMs)
  return exitCode === 0 ? undefined : stdout + stderr
}

const unplanted = await play(1)
if (unplanted !== undefined) throw new Error(`the tests fail without a defect:\n${unplanted}`)
const wanted = feedPlants.filter(({ name }) => name.includes(process.argv[2] ?? ''))
const missed: string[] = []
for (const plant of wanted) {
  const file = join(folder, plant.file)
  const source = readFileSync(join(root, plant.file), 'utf8')
  writeFileSync(file, planted(source, plant))
  let found: string | undefined
  let seed = 0
  while (found === undefined && seed < seedsMax) found = await play(++seed)
  writeFileSync(file, source)
  const error = /^error: (.*)$/m.exec(found ?? '')?.[1]
  console.log(
    found === undefined ? `MISSED ${plant.name}` : `${plant.name}: seed ${seed}: ${error ?? 'it does not end'}`,
  )
  if (found === undefined) missed.push(plant.name)
}
rmSync(folder, { recursive: true, force: true })
console.log(`${wanted.length - missed.length} of ${wanted.length} planted defects were found`)
process.exit(missed.length > 0 || wanted.length === 0 ? 1 : 0)
