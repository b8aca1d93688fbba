import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { planted } from './planted.ts'
import { plants } from './plants.ts'

const root = resolve(import.meta.dir, '../..')

test.each(plants.map((plant) => [plant.name, plant] as const))('there is a place to plant: %s', (_, plant) => {
  const source = readFileSync(join(root, plant.file), 'utf8')
  expect(planted(source, plant)).not.toBe(source)
})
