/** Bytes that Confluent's client for Python has written: write-vectors.py. */
import { expect, test } from 'bun:test'
import type { Json } from '../../../lib/format/index.ts'
import { registryCodec } from '../../../lib/format/registry.ts'
import { Schemas } from '../../../lib/format/registry/schemas.ts'
import { FakeRegistry } from '../../support/format/registry/fake-registry.ts'
import { settled } from '../../support/format/registry/settled.ts'
import vectors from '../../support/format/registry/vectors.json' with { type: 'json' }

type Kind = 'avro' | 'protobuf' | 'json'

test.each(vectors.vectors)('what Confluent’s client writes is read: $name', async ({ subject, kind, bytes, json }) => {
  await using registry = new FakeRegistry(vectors.schemas)
  const spec = { format: 'registry', kind: kind as Kind, registry, subject } as const
  const codec = registryCodec(spec, new Schemas(registry))
  const decoded = await settled(() => codec.decode(Uint8Array.fromHex(bytes)))
  expect(codec.toJson(decoded)).toEqual(json as Json)
})

test.each(vectors.vectors.filter(({ name }) => !/second|inside/.test(name)))(
  'what Confluent’s client writes is written the same, under the latest schema: $name',
  async ({ subject, kind, bytes, json }) => {
    await using registry = new FakeRegistry(vectors.schemas)
    const spec = { format: 'registry', kind: kind as Kind, registry, subject } as const
    const codec = registryCodec(spec, new Schemas(registry))
    const value = await settled(() => codec.fromJson(json as Json))
    const encoded = codec.encode(value)
    // The members of an object stand in another order in canonical JSON.
    if (kind === 'json') expect(codec.decode(encoded)).toEqual(json as Json)
    else expect(encoded.toHex()).toBe(bytes)
    expect(encoded.subarray(0, 5).toHex()).toBe(bytes.slice(0, 10))
    expect(codec.encode(codec.fromText(codec.toText(value)))).toEqual(encoded)
  },
)

test('a key that is a string is addressed without quotation marks', async () => {
  await using registry = new FakeRegistry(vectors.schemas)
  const spec = { format: 'registry', kind: 'avro', registry, subject: 'text-value' } as const
  const codec = registryCodec(spec, new Schemas(registry))
  const { bytes } = vectors.vectors.find(({ subject }) => subject === 'text-value')!
  const key = await settled(() => codec.fromText('latch'))
  expect(codec.encode(key).toHex()).toBe(bytes)
  expect(codec.toText(codec.decode(codec.encode('7')))).toBe('7')
})
