/** Avro `bytes` as a whole schema, which Confluent's clients write without a length; every other type has Avro's own encoding. */
import { describe, expect, test } from 'bun:test'
import type { Json } from '../../../lib/format/index.ts'
import { registryCodec } from '../../../lib/format/registry.ts'
import { Schemas } from '../../../lib/format/registry/schemas.ts'
import { FakeRegistry } from '../../support/format/registry/fake-registry.ts'
import { settled, wire } from '../../support/format/registry/settled.ts'

const decimal = { type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 }

async function codecUnder(schema: unknown) {
  const text = typeof schema === 'string' ? schema : JSON.stringify(schema)
  const registered = { subject: 's', version: 1, id: 7, schemaType: 'AVRO', schema: text, references: [] }
  await using registry = new FakeRegistry([registered])
  const codec = registryCodec({ format: 'registry', kind: 'avro', registry, subject: 's' }, new Schemas(registry))
  await settled(() => codec.toText('AA=='))
  await settled(() => codec.decode(wire(7))).catch(() => {})
  return codec
}

describe('bytes as a whole schema are all that follows the id:', () => {
  const vectors: { schema: unknown; payload: number[]; json: Json }[] = [
    { schema: '"bytes"', payload: [0x04, 0x41, 0x42], json: 'BEFC' },
    { schema: 'bytes', payload: [0x04, 0x41, 0x42], json: 'BEFC' },
    { schema: { type: 'bytes' }, payload: [0x41], json: 'QQ==' },
    { schema: { type: { type: 'bytes' } }, payload: [0x41], json: 'QQ==' },
    { schema: '"bytes"', payload: [], json: '' },
    { schema: '"bytes"', payload: [0xff, 0xff, 0xff, 0xff, 0x0f], json: '/////w8=' },
    { schema: decimal, payload: [0x04, 0xce], json: '12.30' },
  ]

  test.each(vectors)('$payload under $schema', async ({ schema, payload, json }) => {
    const codec = await codecUnder(schema)
    expect(codec.decode(wire(7, ...payload))).toEqual(json)
    expect(codec.encode(json)).toEqual(wire(7, ...payload))
    expect(codec.encode(codec.fromJson(json))).toEqual(wire(7, ...payload))
    expect(codec.encode(codec.fromText(codec.toText(json)))).toEqual(wire(7, ...payload))
  })
})

describe('elsewhere bytes have their length:', () => {
  const vectors: { schema: unknown; payload: number[]; json: Json }[] = [
    { schema: '"string"', payload: [0x04, 0x41, 0x42], json: 'AB' },
    { schema: ['null', 'bytes'], payload: [0x02, 0x02, 0x41], json: 'QQ==' },
    { schema: { type: 'array', items: 'bytes' }, payload: [0x02, 0x02, 0x41, 0x00], json: ['QQ=='] },
    {
      schema: { type: 'record', name: 'R', fields: [{ name: 'b', type: 'bytes' }] },
      payload: [0x02, 0x41],
      json: { b: 'QQ==' },
    },
    { schema: { type: 'fixed', name: 'space.bytes', size: 1 }, payload: [0x41], json: 'QQ==' },
  ]

  test.each(vectors)('$payload under $schema', async ({ schema, payload, json }) => {
    const codec = await codecUnder(schema)
    expect(codec.decode(wire(7, ...payload))).toEqual(json)
    expect(codec.encode(json)).toEqual(wire(7, ...payload))
  })
})
