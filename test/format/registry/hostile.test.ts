/** Hostile records: any bytes, any id. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { SchemaPending } from '../../../lib/format/index.ts'
import { registryCodec } from '../../../lib/format/registry.ts'
import { Refused } from '../../../lib/format/registry/faults.ts'
import { Fetched } from '../../../lib/format/registry/fetched.ts'
import { Schemas } from '../../../lib/format/registry/schemas.ts'
import { FakeRegistry } from '../../support/format/registry/fake-registry.ts'
import { isPending, settled, wire } from '../../support/format/registry/settled.ts'
import vectors from '../../support/format/registry/vectors.json' with { type: 'json' }

const silent = { trouble() {}, settled() {} }
const never = () => new Promise<never>(() => {})
const sized = (size = 1) => Promise.resolve({ size })

describe('bytes outside the wire format are refused', () => {
  const registry = { url: 'http://127.0.0.1:1' }
  const codec = registryCodec({ format: 'registry', kind: 'avro', registry })
  test.each([
    [[], 'no bytes at all found, where the wire format of a schema registry has 0'],
    [[0x7b], 'a first byte of 123 found, where the wire format of a schema registry has 0'],
    [[1, 0, 0, 0, 1], 'a first byte of 1 found'],
    [[0, 0, 0, 1], '4 bytes found, too few for the id of a schema'],
  ])('%j', (bytes, found) => {
    expect(() => codec.decode(Uint8Array.from(bytes))).toThrow(found)
  })
})

test('JSON under a schema is read without a request for the schema', async () => {
  await using registry = new FakeRegistry()
  const codec = registryCodec({ format: 'registry', kind: 'json', registry }, new Schemas(registry))
  expect(codec.decode(wire(7, ...new TextEncoder().encode('{"a":1}')))).toEqual({ a: 1 })
  expect(() => codec.decode(wire(7, 0x7b))).toThrow('it is not JSON')
  expect(registry.asked).toEqual([])
})

describe('numbers of a message', () => {
  const { id } = vectors.schemas.find(({ subject }) => subject === 'protobuf-value')!

  async function decoded(...payload: number[]): Promise<unknown> {
    await using registry = new FakeRegistry(vectors.schemas)
    const codec = registryCodec({ format: 'registry', kind: 'protobuf', registry }, new Schemas(registry))
    return await settled(() => codec.decode(wire(id, ...payload))).catch((error: Error) => error.message)
  }

  test.each([
    [[], 'the numbers of its message do not end'],
    [[0x80], 'the numbers of its message do not end'],
    [[0x80, 0x80, 0x80, 0x80, 0x80, 0x01], 'the numbers of its message do not end'],
    [[0x01], 'the numbers of its message are -1'],
    [[0xca, 0x01], 'the numbers of its message are 101'],
    [[0x02, 0x04], 'the schema has no message at 2'],
    [[0x02, 0x01], 'the schema has no message at -1'],
    [[0x04, 0x00, 0x04], 'the schema has no message at 0.2'],
    [[0x04, 0x00], 'the numbers of its message do not end'],
  ])('%j are refused', async (payload, found) => {
    expect(await decoded(...payload)).toBe(found)
  })

  test('may be written out where a single 0 would do', async () => {
    expect(await decoded(0x02, 0x00, 0x08, 0x07)).toEqual({ id: 7 })
    expect(await decoded(0x00, 0x08, 0x07)).toEqual({ id: 7 })
  })

  test('before any bytes: a message, or an Error', async () => {
    await using registry = new FakeRegistry(vectors.schemas)
    const codec = registryCodec({ format: 'registry', kind: 'protobuf', registry }, new Schemas(registry))
    await settled(() => codec.decode(wire(id, 0)))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (payload) => {
        try {
          codec.decode(wire(id, ...payload))
        } catch (error) {
          expect(error).not.toBeInstanceOf(SchemaPending)
          expect(error).not.toBeInstanceOf(TypeError)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('the cache is bounded:', () => {
  test('schemas, of which those that are used stay', async () => {
    const fetched = new Fetched<{ size: number }>(silent, { readyMax: 3 })
    let asked = 0
    const ask = (what: string) => settled(() => fetched.get(what, () => (asked++, sized())))
    for (const what of ['a', 'b', 'c', 'a', 'd']) await ask(what)
    expect(asked).toBe(4)
    for (const what of ['a', 'c', 'd']) await ask(what)
    expect(asked).toBe(4)
    await ask('b')
    expect(asked).toBe(5)
  })

  test('their length together, of which the last one may be all', async () => {
    const fetched = new Fetched<{ size: number }>(silent)
    for (const what of ['a', 'b', 'c']) await settled(() => fetched.get(what, () => sized(8_000_000)))
    expect(isPending(() => fetched.get('a', never))).toBe(true)
    expect(isPending(() => fetched.get('c', never))).toBe(false)
  })

  test('schemas being fetched: a further one waits for room', async () => {
    const fetched = new Fetched<{ size: number }>(silent)
    const first = Promise.withResolvers<{ size: number }>()
    let asked = 0
    expect(isPending(() => fetched.get('first', () => first.promise))).toBe(true)
    const ask = () => (asked++, never())
    for (let id = 0; id < 100; id++) isPending(() => fetched.get(String(id), ask))
    expect(asked).toBe(63)
    const last = settled(() => fetched.get('99', () => sized(7)))
    first.resolve({ size: 1 })
    expect(await last).toEqual({ size: 7 })
  })

  test('refusals, of which the oldest are evicted', async () => {
    const fetched = new Fetched<{ size: number }>(silent, { confirmMs: 0 })
    let asked = 0
    const refuse = () => (asked++, Promise.reject(new Refused('not found')))
    for (let id = 0; id < 1_500; id++) await settled(() => fetched.get(String(id), refuse)).catch(() => {})
    // The first ten are asked for twice.
    expect(asked).toBe(1_510)
    expect(isPending(() => fetched.get('0', never))).toBe(true)
    expect(() => fetched.get('1499', never)).toThrow('1499 is not found')
  })
})
