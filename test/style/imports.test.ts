import { expect, test } from 'bun:test'
import { importsIn, importsOf, read, sourceFiles } from './repository.ts'

interface Layer {
  files: RegExp
  /** Whom it may know, beside itself. */
  knows: readonly string[]
}

/**
 * From the base up; a file belongs to the first layer that it fits. `store-protocol` is plain data: what goes into and comes out of a store, seen by
 * everybody who must not know the store. What formats and definitions do to values needs no Kafka, and HTTP sees a store through a small interface
 * with its own threads. A folder runs in one thread: the two sides of the map do not know each other, nor do the store threads and their handles.
 */
const layers: Record<string, Layer> = {
  base: { files: /^lib\/(errors|deadline|turns)\.ts$/, knows: [] },
  text: { files: /^lib\/text\//, knows: [] },
  linux: { files: /^lib\/linux\//, knows: [] },
  log: { files: /^lib\/log\//, knows: [] },
  format: { files: /^lib\/format\//, knows: ['base', 'text', 'log'] },
  definition: { files: /^lib\/definition\//, knows: ['base', 'text', 'format'] },
  'record batches': { files: /^lib\/kafka\/record-batch\//, knows: ['base'] },
  'map memory': { files: /^lib\/map\/memory\//, knows: ['base'] },
  'map reader': { files: /^lib\/map\/reader\//, knows: ['base', 'map memory'] },
  'map writer': { files: /^lib\/map\/writer\//, knows: ['base', 'map memory'] },
  'map snapshot': { files: /^lib\/map\/snapshot\//, knows: ['base', 'linux', 'map memory', 'map writer'] },
  map: { files: /^lib\/map\/index\.ts$/, knows: ['map memory', 'map reader', 'map writer', 'map snapshot'] },
  'group protocol': { files: /^lib\/group-protocol\//, knows: ['text', 'linux', 'log'] },
  'store protocol': {
    files: /^lib\/store-protocol\//,
    knows: ['base', 'log', 'format', 'record batches', 'map', 'group protocol'],
  },
  settings: { files: /^lib\/config\//, knows: ['base', 'text', 'linux', 'log', 'format', 'store protocol'] },
  metrics: { files: /^lib\/metrics\//, knows: ['base', 'group protocol', 'store protocol'] },
  kafka: { files: /^lib\/kafka\//, knows: ['base', 'text', 'log', 'record batches', 'store protocol'] },
  topics: {
    files: /^lib\/topics\//,
    knows: ['base', 'text', 'log', 'settings', 'record batches', 'kafka', 'store protocol'],
  },
  group: {
    files: /^lib\/group\//,
    knows: ['base', 'text', 'linux', 'log', 'group protocol', 'store protocol', 'kafka', 'topics'],
  },
  'store thread': {
    files: /^lib\/store-thread\//,
    knows: [
      'base',
      'text',
      'linux',
      'log',
      'format',
      'definition',
      'record batches',
      'map',
      'group protocol',
      'store protocol',
      'kafka',
      'topics',
    ],
  },
  store: {
    files: /^lib\/store\//,
    knows: ['base', 'text', 'log', 'definition', 'record batches', 'map', 'group protocol', 'store protocol'],
  },
  elastic: {
    files: /^lib\/elastic\//,
    knows: ['base', 'text', 'log', 'group protocol', 'store protocol', 'store'],
  },
  routing: {
    files: /^lib\/routing\//,
    knows: ['base', 'metrics', 'store protocol', 'group protocol'],
  },
  print: { files: /^lib\/print\//, knows: [] },
  http: {
    files: /^lib\/http\//,
    knows: ['base', 'text', 'log', 'definition', 'metrics', 'group protocol', 'store protocol', 'routing'],
  },
  // In the browser. Of HTTP it knows the types of what it reads.
  page: { files: /^lib\/page\//, knows: ['http', 'store protocol'] },
  resp: { files: /^lib\/resp\//, knows: ['base', 'text', 'log', 'definition', 'metrics', 'store protocol'] },
  server: {
    files: /^lib\/server\//,
    knows: [
      'base',
      'text',
      'linux',
      'log',
      'definition',
      'settings',
      'print',
      'metrics',
      'group',
      'topics',
      'store',
      'routing',
      'elastic',
      'http',
      'resp',
      'store protocol',
    ],
  },
  library: {
    files: /^lib\/(index\.ts$|library\/)/,
    knows: [
      'base',
      'text',
      'log',
      'format',
      'definition',
      'settings',
      'metrics',
      'topics',
      'store',
      'elastic',
      'routing',
      'http',
      'store protocol',
    ],
  },
  cli: { files: /^lib\/cli\//, knows: ['text', 'log', 'group protocol', 'settings'] },
  main: {
    files: /^main\.ts$/,
    knows: ['base', 'log', 'definition', 'settings', 'server', 'cli'],
  },
}

/** Files that start another thread, and by which file of that. */
const starts: Record<string, string> = {
  'lib/server/ahead.ts': 'lib/store-thread/start.ts',
  'lib/store/store-port.ts': 'lib/store-thread/start.ts',
  'lib/elastic/group-port.ts': 'lib/group/start.ts',
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

test('imports go one way, and only to known layers', () => {
  const wrong = sourceFiles().flatMap((path) =>
    importsOf(path)
      .filter((imported) => !mayImport(path, imported))
      .map((imported) => `${path} imports ${imported}`),
  )
  expect(wrong).toEqual([])
})

test('there is one way to get a logger: lib/log alone imports LogTape', () => {
  const importing = sourceFiles().filter((path) => /['"`]@logtape\/logtape['"`]/.test(read(path)))
  expect(importing.length).toBeGreaterThan(0)
  expect(importing.filter((path) => layerOf(path) !== 'log')).toEqual([])
})

const sockets = /['"`]node:(net|tls|https?|http2|dgram)['"`]|\bBun\.(listen|serve|connect|udpSocket)\b/

test('lib/http has no sockets: lib/server opens them', () => {
  const opening = new Set(sourceFiles().flatMap((path) => (sockets.test(read(path)) ? [layerOf(path)] : [])))
  expect(opening).toContain('server')
  expect(opening).not.toContain('http')
})

test('each allowed import between layers occurs', () => {
  const known = new Set(
    sourceFiles().flatMap((path) => importsOf(path).map((imported) => `${layerOf(path)} knows ${layerOf(imported)}`)),
  )
  const listed = Object.entries(layers).flatMap(([name, { knows }]) => knows.map((other) => `${name} knows ${other}`))
  expect(listed.filter((pair) => !known.has(pair))).toEqual([])
})

test('the check of imports finds those that go the wrong way', () => {
  expect(mayImport('lib/kafka/protocol/fetch.ts', 'lib/map/index.ts')).toBe(false)
  expect(mayImport('lib/map/index.ts', 'lib/store/store.ts')).toBe(false)
  expect(mayImport('lib/errors.ts', 'lib/config/index.ts')).toBe(false)
  expect(mayImport('lib/http/routes.ts', 'lib/store/store.ts')).toBe(false)
  expect(mayImport('lib/http/routes.ts', 'test/http/fake.ts')).toBe(false)
  expect(mayImport('lib/store/store.ts', 'lib/map/index.ts')).toBe(true)
  expect(mayImport('lib/config/index.ts', 'lib/store-protocol/store-config.ts')).toBe(true)
})

test.each([
  "import { a } from './a.ts'",
  "import './a.ts'",
  "export * from './a.ts'",
  "export type { A } from './a.ts'",
  'const a = await import(`./a.ts`)',
  'const a = require("./a.ts")',
  "type A = import('./a.ts').A",
  "new Worker(new URL('./a.ts', import.meta.url))",
  "new Worker(import.meta.resolve('./a.ts'))",
])('the check finds the import in %s', (text) => {
  expect(importsIn('lib/map/index.ts', text)).toEqual(['lib/map/a.ts'])
})

function mayImport(path: string, imported: string): boolean {
  const from = layerOf(path)
  const to = layerOf(imported)
  if (from === undefined) return false
  if (starts[path] === imported) return true
  if (to === undefined) return imported === 'package.json'
  return to === from || layers[from]!.knows.includes(to)
}

function layerOf(path: string): string | undefined {
  return Object.keys(layers).find((name) => layers[name]!.files.test(path))
}
