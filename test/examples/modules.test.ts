/** The example modules as the documents show them, record by record through their definitions. */
import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { type Definition, describeThrown, loadDefinition, skip } from '../../lib/definition/index.ts'
import { read } from '../style/repository.ts'
import { cases } from './cases.ts'

const urlOf = (file: string) => new URL(file, import.meta.url)

test.each(cases)('$module converts records as it says', async ({ module, records, stored, bad = [] }) => {
  const definition = await loadDefinition(urlOf(`${module}.ts`).href)
  const store = new Map<string, Uint8Array>()
  const found: string[] = []
  for (const [key, value] of records) {
    try {
      take(definition, store, key, value === null ? null : Buffer.from(value))
    } catch (thrown) {
      found.push(describeThrown(thrown, definition))
    }
  }
  for (const [key, value] of Object.entries(stored)) {
    const bytes = store.get(key)
    expect(bytes ? definition.value.toJson(definition.value.decode(bytes)) : null).toEqual(value as never)
  }
  expect(found).toHaveLength(bad.length)
  for (const [index, text] of bad.entries()) expect(`convert failed: ${found[index]}`).toContain(text)
})

test.each(cases)('one document shows $module verbatim', ({ module, files = [] }) => {
  const documents = ['README.md', 'lib/definition/README.md'].map(read)
  for (const file of [`${module}.ts`, ...files]) {
    const code = readFileSync(urlOf(file), 'utf8').trim()
    expect([file, documents.filter((text) => text.includes(code)).length]).toEqual([file, 1])
  }
})

/** The result of one record, without Kafka. @param store values by key */
function take(definition: Definition, store: Map<string, Uint8Array>, key: string, bytes: Uint8Array | null): void {
  const { input, value, convert, onNew, onUpdate, onDelete } = definition
  const oldBytes = store.get(key)
  const old: unknown = oldBytes && value.decode(oldBytes)
  const record = { key, topic: 'orders', partition: 0, offset: 0, timestamp: 0 }
  const decoded: unknown = bytes && input.decode(bytes)
  const converted: unknown = bytes && convert ? convert(decoded, record) : decoded
  if (converted === skip) return
  if (bytes === null || (convert && converted === null)) {
    if (oldBytes) onDelete?.(key, old)
    store.delete(key)
    return
  }
  const changed: unknown = oldBytes ? onUpdate?.(key, old, converted) : onNew?.(key, converted)
  store.set(key, value.encode(changed ?? converted))
}
