import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { definitionOf, describeThrown, loadDefinition } from '../../lib/definition/index.ts'
import { LatchkeyError } from '../../lib/errors.ts'
import { ModuleFolder } from '../support/definition/module-folder.ts'

let folder: ModuleFolder

beforeAll(() => {
  folder = new ModuleFolder()
})

afterAll(() => folder.remove())

const heading = `import { defineStore } from 'latchkey'\n`

test('a module in a folder without packages imports latchkey, valibot and its own files', async () => {
  folder.write('parts/names.ts', `export const name: string = 'total'\n`)
  folder.write('sum.js', 'export const sum = (numbers) => numbers.reduce((a, b) => a + b, 0)\n')
  const url = folder.write(
    'whole.ts',
    `import { defineStore, skip } from 'latchkey'
     import * as v from 'valibot'
     import { name } from './parts/names.ts'
     import { sum } from './sum'
     export default defineStore({
       key: 'utf8',
       input: v.object({ prices: v.array(v.number()) }),
       value: 'json',
       convert: ({ prices }) => (prices.length === 0 ? skip : { [name]: sum(prices) }),
     })`,
  )
  const definition = await definitionOf({ module: url })
  expect(definition.module).toBe(url)
  const input = definition.input.decode(Buffer.from('{"prices":[1,2]}'))
  expect(definition.convert!(input, {} as never)).toEqual({ total: 3 })
})

test('a module in JavaScript', async () => {
  const url = folder.write('plain.js', `${heading}export default defineStore({ key: 'utf8', input: 'json' })`)
  expect((await loadDefinition(url)).keepsBytes).toBe(true)
})

test('a definition from another file belongs to the module that exports it', async () => {
  folder.write('made-here.ts', `${heading}export const made = defineStore({ key: 'utf8', input: 'json' })`)
  const url = folder.write('exported-here.ts', `export { made as default } from './made-here.ts'`)
  expect((await loadDefinition(url)).module).toBe(url)
})

/** What stands in the file, and what is said after "Loading the store module <path>: ". */
const faults: [name: string, text: string, found: string | RegExp][] = [
  [
    'exports what cannot be read',
    `export default new Proxy({}, {\n  has() {\n    throw new Error('trap')\n  },\n})\n`,
    /^exports-what-cannot-be-read\.ts:3:\d+: trap$/,
  ],
  [
    'does not parse',
    `${heading}\nexport default defineStore({ key: 'utf8', input: = })\n`,
    /^does-not-parse\.ts:3:50: Unexpected =: export default defineStore\({ key: 'utf8', input: = }\)$/,
  ],
  [
    'throws',
    `${heading}\nconst a: any = null\nexport default defineStore(a.b)\n`,
    /^throws\.ts:4:\d+: null is not an object \(evaluating 'a\.b'\)$/,
  ],
  ['throws a text', `throw 'no'\n`, '"no" was thrown, not an Error'],
  ['exports nothing', `export {}\n`, 'it has no default export: it must be `export default defineStore({ … })`'],
  [
    'exports a name',
    `export const store = 1\n`,
    'it has no default export, only store: it must be `export default defineStore({ … })`',
  ],
  [
    'exports an object',
    `export default { key: 'utf8' }\n`,
    'its default export is an object that defineStore has not made: it must be `export default defineStore({ … })`',
  ],
  [
    'exports a function',
    `export default () => {}\n`,
    'its default export is a function that defineStore has not made: it must be `export default defineStore({ … })`',
  ],
  [
    'exports a promise',
    `${heading}export default Promise.resolve(defineStore({ key: 'utf8', input: 'json' }))\n`,
    'its default export is a promise: write `export default await …`',
  ],
  [
    'imports no file',
    `import a from './not-there.ts'\nexport default a\n`,
    'imports-no-file.ts:1: there is no ./not-there.ts',
  ],
  [
    'imports no name',
    `${heading}import { defineStor } from 'latchkey'\nexport default defineStor(defineStore)\n`,
    /^imports-no-name\.ts:\d: latchkey exports no defineStor: did you mean defineStore\?$/,
  ],
  [
    'names no format',
    `${heading}\nexport default defineStore({\n  key: 'utf8',\n  input: 'UTF-8',\n})\n`,
    /^names-no-format\.ts:3:\d+: input: there is no format "UTF-8": did you mean "utf8"\?$/,
  ],
  [
    'names no member',
    `${heading}export default defineStore({ key: 'utf8', input: 'json', onUpdated() {} })\n`,
    /^names-no-member\.ts:2:\d+: there is no "onUpdated": did you mean onUpdate\?$/,
  ],
  [
    'is async',
    `${heading}export default defineStore({ key: 'utf8', input: 'json', convert: async (a) => a })\n`,
    /^is-async\.ts:2:\d+: convert is async: it must be synchronous$/,
  ],
  [
    'names no file',
    `import { defineStore, protobuf } from 'latchkey'\nexport default defineStore({ key: 'utf8', input: protobuf({ file: 'a.proto', message: 'A' }) })\n`,
    /^names-no-file\.ts:2:\d+: input: .*a\.proto/,
  ],
  [
    'opens a store',
    `import { defineStore, openStore } from 'latchkey'\nconst definition = defineStore({ key: 'utf8', input: 'json' })\nopenStore({}, definition)\n`,
    /^opens-a-store\.ts:3:\d+: openStore is called while the definition is loaded: put the definition into a separate module, as its default export$/,
  ],
]

test.each(faults)('a module that %s is a wrong setting, reported with its place', async (name, text, found) => {
  const file = `${name.replaceAll(' ', '-')}.ts`
  const message = await messageOfLoading(folder.write(file, text))
  const prefix = `Loading the store module ${join(folder.path, file)}: `
  expect(message).toStartWith(prefix)
  if (typeof found === 'string') expect(message.slice(prefix.length)).toBe(found)
  else expect(message.slice(prefix.length)).toMatch(found)
})

test('a fault in a file that the module imports is reported with that file', async () => {
  folder.write('broken/part.ts', `export const a = 1\n\nexport const b = (a as any).c.d\n`)
  const message = await messageOfLoading(
    folder.write('uses-broken.ts', `import { b } from './broken/part.ts'\nexport default b\n`),
  )
  expect(message).toMatch(/uses-broken\.ts: broken\/part\.ts:3:\d+: undefined is not an object/)
})

test('loading a module has a time limit', async () => {
  const url = folder.write('waits.ts', 'await new Promise(() => {})\nexport default 1\n')
  const message = await messageOfLoading(url, 20)
  expect(message).toEndWith('waits.ts: it is not loaded after 0.02 s: an `await` outside of functions does not end')
})

test('a path with spaces, parentheses and umlauts', async () => {
  const text = `${heading}export default defineStore({ key: 'utf8', input: 'json', convert() { throw new Error('no') } })`
  const url = folder.write('my orders (1)/Aufträge 100%.ts', text)
  const definition = await loadDefinition(url)
  expect(definition.module).toBe(url)
  let thrown: unknown
  try {
    definition.convert!(1, {} as never)
  } catch (error) {
    thrown = error
  }
  expect(describeThrown(thrown, definition)).toBe('Aufträge 100%.ts:2: no')
})

test('a missing file', async () => {
  const message = await messageOfLoading(`file://${folder.path}/nowhere.ts`)
  expect(message).toBe(`Loading the store module ${folder.path}/nowhere.ts: there is no such file`)
})

async function messageOfLoading(url: string, loadMsMax?: number): Promise<string> {
  const error: unknown = await loadDefinition(url, loadMsMax).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(LatchkeyError)
  expect((error as LatchkeyError).code).toBe('invalid_settings')
  return (error as LatchkeyError).message
}
