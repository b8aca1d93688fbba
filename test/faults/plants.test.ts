import { expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { feedPlants } from './feed/plants.ts'
import {
  commitPlants,
  copyPlants,
  groupPlants,
  mapPlants,
  missPlants,
  rolePlants,
  routingPlants,
} from './group/plants.ts'
import { planted } from './planted.ts'
import { plants } from './plants.ts'
import { checkPlants, filesPlants, memoryPlants } from './snapshots/plants.ts'

const root = resolve(import.meta.dir, '../..')

const ofGroups = [
  ...rolePlants,
  ...commitPlants,
  ...copyPlants,
  ...mapPlants,
  ...missPlants,
  ...groupPlants,
  ...routingPlants,
]
const ofSnapshots = [...checkPlants, ...filesPlants, ...memoryPlants]

test.each([...plants, ...feedPlants, ...ofSnapshots, ...ofGroups].map((plant) => [plant.name, plant] as const))(
  'the source has the lines of the planted defect: %s',
  (_, plant) => {
    const source = readFileSync(join(root, plant.file), 'utf8')
    const text = planted(source, plant)
    expect(text).not.toBe(source)
    const imported = [...text.matchAll(/ from '(\..*)'/g)].map(([, path]) => join(root, dirname(plant.file), path!))
    expect(imported.filter((path) => !existsSync(path))).toEqual([])
  },
)
