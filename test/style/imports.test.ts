import { expect, test } from 'bun:test'
import { importsOf, sourceFiles } from './repository.ts'

interface Layer {
  files: RegExp
  /** Whom it may know, beside itself. */
  knows: readonly string[]
}

/**
 * From the base up; a file belongs to the first layer that it fits. The contract of the store is plain data: what it is told and what it tells,
 * seen by everybody who must not know the store. What formats and definitions do to values needs no Kafka, and HTTP sees a store through a small
 * interface of its own.
 */
const layers: Record<string, Layer> = {
  errors: { files: /^lib\/errors\.ts$/, knows: [] },
  deadline: { files: /^lib\/deadline\.ts$/, knows: [] },
  names: { files: /^lib\/near-name\.ts$/, knows: [] },
  libc: { files: /^lib\/(libc|boot-time)\.ts$/, knows: [] },
  files: { files: /^lib\/unreadable\.ts$/, knows: [] },
  text: { files: /^lib\/bom\.ts$/, knows: [] },
  log: { files: /^lib\/log(\.ts|\/)/, knows: [] },
  format: { files: /^lib\/format\//, knows: ['errors', 'files', 'text', 'log'] },
  definition: { files: /^lib\/definition\//, knows: ['errors', 'deadline', 'names', 'text', 'format'] },
  contract: { files: /^lib\/contract\//, knows: ['format'] },
  settings: {
    files: /^lib\/config(\.ts|\/)/,
    knows: ['errors', 'names', 'files', 'text', 'log', 'format', 'contract'],
  },
  metrics: { files: /^lib\/metrics(\.ts|\/)/, knows: ['contract'] },
  kafka: { files: /^lib\/kafka\//, knows: ['errors', 'deadline', 'contract'] },
  map: { files: /^lib\/map\//, knows: ['errors', 'deadline'] },
  headers: { files: /^lib\/store\/memory\/header-prefix\.ts$/, knows: ['contract', 'kafka'] },
  store: {
    files: /^lib\/store\//,
    knows: [
      'errors',
      'deadline',
      'libc',
      'log',
      'format',
      'definition',
      'contract',
      'settings',
      'kafka',
      'map',
      'headers',
    ],
  },
  http: {
    files: /^lib\/http\//,
    knows: ['errors', 'deadline', 'libc', 'log', 'definition', 'contract', 'settings', 'metrics', 'headers'],
  },
  server: {
    files: /^lib\/server\//,
    knows: ['errors', 'libc', 'log', 'definition', 'contract', 'settings', 'metrics', 'store', 'http'],
  },
  library: {
    files: /^lib\/(index\.ts$|library\/)/,
    knows: [
      'errors',
      'names',
      'log',
      'format',
      'definition',
      'contract',
      'settings',
      'metrics',
      'headers',
      'store',
      'http',
    ],
  },
  main: {
    files: /^main\.ts$/,
    knows: ['errors', 'deadline', 'log', 'definition', 'settings', 'store', 'http', 'server'],
  },
}

test('every source file belongs to a layer', () => {
  expect(sourceFiles().filter((path) => layerOf(path) === undefined)).toEqual([])
})

test('each layer knows only layers before it', () => {
  const names = Object.keys(layers)
  const wrong = Object.entries(layers).filter(([name, { knows }]) =>
    knows.some((known) => !names.includes(known) || names.indexOf(known) >= names.indexOf(name)),
  )
  expect(wrong).toEqual([])
})

test('imports go one way, and only to layers that are known', () => {
  const wrong = sourceFiles().flatMap((path) =>
    importsOf(path)
      .filter((imported) => !mayImport(path, imported))
      .map((imported) => `${path} imports ${imported}`),
  )
  expect(wrong).toEqual([])
})

test('what a layer may know, it does', () => {
  const known = new Set(
    sourceFiles().flatMap((path) => importsOf(path).map((imported) => `${layerOf(path)} knows ${layerOf(imported)}`)),
  )
  const listed = Object.entries(layers).flatMap(([name, { knows }]) => knows.map((other) => `${name} knows ${other}`))
  expect(listed.filter((pair) => !known.has(pair))).toEqual([])
})

test('the check of imports finds those that go the wrong way', () => {
  expect(mayImport('lib/kafka/fetch.ts', 'lib/map/index.ts')).toBe(false)
  expect(mayImport('lib/map/index.ts', 'lib/store/store.ts')).toBe(false)
  expect(mayImport('lib/errors.ts', 'lib/config.ts')).toBe(false)
  expect(mayImport('lib/http/routes.ts', 'lib/store/store.ts')).toBe(false)
  expect(mayImport('lib/http/routes.ts', 'test/http/fake.ts')).toBe(false)
  expect(mayImport('lib/store/store.ts', 'lib/map/index.ts')).toBe(true)
  expect(mayImport('lib/config.ts', 'lib/contract/store-config.ts')).toBe(true)
})

function mayImport(path: string, imported: string): boolean {
  const from = layerOf(path)
  const to = layerOf(imported)
  if (from === undefined) return false
  if (to === undefined) return imported === 'package.json'
  return to === from || layers[from]!.knows.includes(to)
}

function layerOf(path: string): string | undefined {
  return Object.keys(layers).find((name) => layers[name]!.files.test(path))
}
