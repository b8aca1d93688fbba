import { expect, test } from 'bun:test'
import { importsOf, sourceFiles } from './repository.ts'

/**
 * From the base up. A file may import its own layer and those above it in this list; layers on one line do not know each other.
 * The contract of the store is plain data: what it is told and what it tells, seen by everybody who must not know the store.
 */
const layers: Record<string, RegExp>[] = [
  { base: /^lib\/(errors\.ts|log\.ts|log\/|near-name\.ts)/ },
  { format: /^lib\/format\// },
  { definition: /^lib\/definition\// },
  { contract: /^lib\/store\/contract\// },
  { settings: /^lib\/config(\.ts|\/)/, metrics: /^lib\/metrics(\.ts|\/)/ },
  { kafka: /^lib\/kafka\//, map: /^lib\/map\// },
  { store: /^lib\/store\// },
  { http: /^lib\/http\// },
  { server: /^lib\/server\// },
  { library: /^lib\/index\.ts$/ },
  { main: /^main\.ts$/ },
]

test('every source file belongs to a layer', () => {
  expect(sourceFiles().filter((path) => layerOf(path) === undefined)).toEqual([])
})

test('imports go one way: main, library, http, store, kafka and map, base', () => {
  const wrong = sourceFiles().flatMap((path) =>
    importsOf(path)
      .filter((imported) => !mayImport(path, imported))
      .map((imported) => `${path} imports ${imported}`),
  )
  expect(wrong).toEqual([])
})

test('the check of imports finds those that go the wrong way', () => {
  expect(mayImport('lib/kafka/fetch.ts', 'lib/map/index.ts')).toBe(false)
  expect(mayImport('lib/map/index.ts', 'lib/store/store.ts')).toBe(false)
  expect(mayImport('lib/errors.ts', 'lib/config.ts')).toBe(false)
  expect(mayImport('lib/http/routes.ts', 'test/http/fake.ts')).toBe(false)
  expect(mayImport('lib/store/store.ts', 'lib/map/index.ts')).toBe(true)
  expect(mayImport('lib/config.ts', 'lib/store/contract/store-config.ts')).toBe(true)
})

function mayImport(path: string, imported: string): boolean {
  const from = layerOf(path)
  const to = layerOf(imported)
  if (!from || !to) return imported === 'package.json' && from !== undefined
  return to.height < from.height || to.name === from.name
}

function layerOf(path: string): { name: string; height: number } | undefined {
  for (const [height, layer] of layers.entries()) {
    const name = Object.keys(layer).find((key) => layer[key]?.test(path))
    if (name !== undefined) return { name, height }
  }
  return undefined
}
