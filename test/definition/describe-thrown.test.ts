import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Definition, describeThrown, loadDefinition } from '../../lib/definition/index.ts'
import { ModuleFolder } from '../support/definition/module-folder.ts'

let folder: ModuleFolder
let definition: Definition

beforeAll(async () => {
  folder = new ModuleFolder()
  folder.write(
    'parts/total.ts',
    `interface Line {\n  price: number\n}\n\nexport const total = (lines: Line[]) => lines.length\n`,
  )
  const url = folder.write(
    'orders.ts',
    `import { defineStore } from 'latchkey'
import * as v from 'valibot'
import { total } from './parts/total.ts'

interface Order {
  kind: string
  lines?: { price: number }[]
}

export default defineStore({
  key: 'utf8',
  input: 'json',
  convert(input) {
    const order = input as unknown as Order
    if (order.kind === 'text') throw 'no Error'
    if (order.kind === 'long') throw new Error('a'.repeat(1000))
    if (order.kind === 'lines') throw new Error('one\\n  two')
    if (order.kind === 'schema') v.parse(v.string(), 1)
    return { total: total(order.lines!), price: order.lines![0]!.price }
  },
})
`,
  )
  definition = await loadDefinition(url)
})

afterAll(() => folder.remove())

function described(input: unknown): string {
  try {
    definition.convert!(input, {} as never)
  } catch (thrown) {
    return describeThrown(thrown, definition)
  }
  throw new Error('nothing was thrown')
}

test('an error is reported with the line of the module that threw it', () => {
  expect(described({ kind: 'a', lines: [] })).toStartWith('orders.ts:19: undefined is not an object (evaluating')
})

test('an error in another file of the module is reported with that file', () => {
  expect(described({ kind: 'a' })).toStartWith('parts/total.ts:5: undefined is not an object (evaluating')
})

test('an error in a package is reported with the line that called it', () => {
  expect(described({ kind: 'schema' })).toBe('orders.ts:18: Invalid type: Expected string but received 1')
})

test('the report is one line of bounded length', () => {
  expect(described({ kind: 'lines' })).toBe('orders.ts:17: one two')
  expect(described({ kind: 'long' })).toHaveLength(300)
})

test('a thrown value that is not an Error has no line', () => {
  expect(described({ kind: 'text' })).toBe('"no Error" was thrown, not an Error')
})

test('an error of a built-in codec is its message', () => {
  let thrown: unknown
  try {
    definition.input.decode(Buffer.from('{'))
  } catch (error) {
    thrown = error
  }
  expect(describeThrown(thrown, definition)).toStartWith('it is not JSON')
})
