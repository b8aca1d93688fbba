/** What a schema refers to, found as Confluent's registry finds it. */
import { describe, expect, test } from 'bun:test'
import { registryCodec } from '../../../lib/format/registry.ts'
import { Schemas } from '../../../lib/format/registry/schemas.ts'
import { FakeRegistry, type RegisteredSchema } from '../../support/format/registry/fake-registry.ts'
import { settled, wire } from '../../support/format/registry/settled.ts'

const ofOptions = ['cpp', 'go', 'java'].map((language) => `google/protobuf/${language}_features.proto`)

type Reference = RegisteredSchema['references'][number]

const quick = { confirmMs: 1, retryMsOperator: 1 }

function avro(subject: string, version: number, schema: object, references: Reference[] = []): RegisteredSchema {
  const id = subject === 'top' ? 7 : 100 + version
  return { subject, version, id, schemaType: 'AVRO', schema: JSON.stringify(schema), references }
}

function proto(subject: string, version: number, body: string, references: Reference[] = []): RegisteredSchema {
  const id = subject === 'top' ? 7 : 100 + version
  return { subject, version, id, schemaType: 'PROTOBUF', schema: `syntax = "proto3"; ${body}`, references }
}

function record(name: string, ...fields: [name: string, type: string][]): object {
  return { type: 'record', name, fields: fields.map(([field, type]) => ({ name: field, type })) }
}

/** What a value with this payload is under schema 7, or why it is none. */
async function decoded(kind: 'avro' | 'protobuf', schemas: RegisteredSchema[], payload: number[]): Promise<unknown> {
  await using registry = new FakeRegistry(schemas)
  const codec = registryCodec({ format: 'registry', kind, registry }, new Schemas(registry, quick))
  return await settled(() => codec.decode(wire(7, ...payload))).catch((error: Error) => error.message)
}

describe('a reference to a version that was deleted softly', () => {
  const money = record('Money', ['cents', 'int'])
  const top = avro('top', 1, record('Order', ['total', 'Money']), [{ name: 'Money', subject: 'money', version: 1 }])

  test('is found', async () => {
    expect(await decoded('avro', [{ ...avro('money', 1, money), isDeleted: true }, top], [14])).toEqual({
      total: { cents: 7 },
    })
  })

  test('that was deleted permanently makes the schema unusable', async () => {
    expect(await decoded('avro', [top], [14])).toBe(
      'schema 7 is of no use: it refers to version 1 of subject money, which is not found',
    )
  })

  test('is not requested as the latest of a subject', async () => {
    const schemas = [avro('s', 1, { type: 'int' }), { ...avro('s', 2, { type: 'string' }), isDeleted: true }]
    await using registry = new FakeRegistry(schemas)
    const spec = { format: 'registry', kind: 'avro', registry, subject: 's' } as const
    const codec = registryCodec(spec, new Schemas(registry, quick))
    expect(await settled(() => codec.encode(7))).toEqual(wire(101, 14))
  })
})

describe('a name that is reached in several ways is the first, depth first:', () => {
  const moneyOf = (version: number) => ({ name: 'Money', subject: 'money', version })
  const monies = [avro('money', 1, record('Money', ['old', 'int'])), avro('money', 2, record('Money', ['new', 'int']))]

  test('its own definition before one of a later reference', async () => {
    const line = avro('line', 1, record('Line', ['price', 'Money']), [moneyOf(2)])
    const top = avro('top', 1, record('Order', ['total', 'Money'], ['line', 'Line']), [
      moneyOf(1),
      { name: 'Line', subject: 'line', version: 1 },
    ])
    expect(await decoded('avro', [...monies, line, top], [2, 4])).toEqual({
      total: { old: 1 },
      line: { price: { old: 2 } },
    })
  })

  test('one of an earlier reference before its own definition', async () => {
    const line = avro('line', 1, record('Line', ['price', 'Money']), [moneyOf(2)])
    const top = avro('top', 1, record('Order', ['total', 'Money'], ['line', 'Line']), [
      { name: 'Line', subject: 'line', version: 1 },
      moneyOf(1),
    ])
    expect(await decoded('avro', [...monies, line, top], [2, 4])).toEqual({
      total: { new: 1 },
      line: { price: { new: 2 } },
    })
  })

  test('files, likewise', async () => {
    const schemas = [
      proto('money', 1, 'message Money { int32 old = 1; }'),
      proto('money', 2, 'message Money { int32 new = 1; }'),
      proto('line', 1, 'import "money.proto"; message Line { Money price = 1; }', [
        { name: 'money.proto', subject: 'money', version: 2 },
      ]),
      proto('top', 1, 'import "line.proto"; import "money.proto"; message Order { Line line = 1; Money total = 2; }', [
        { name: 'line.proto', subject: 'line', version: 1 },
        { name: 'money.proto', subject: 'money', version: 1 },
      ]),
    ]
    const payload = [0, 0x0a, 0x04, 0x0a, 0x02, 0x08, 0x01, 0x12, 0x02, 0x08, 0x02]
    expect(await decoded('protobuf', schemas, payload)).toEqual({ line: { price: { new: 1 } }, total: { new: 2 } })
  })

  test('circular references end', async () => {
    const back = { name: 'b.proto', subject: 'b', version: 1 }
    const schemas = [
      proto('b', 1, 'import "b.proto"; message B { int32 b = 1; }', [back]),
      proto('top', 1, 'import "b.proto"; message A { B b = 1; }', [back]),
    ]
    expect(await decoded('protobuf', schemas, [0, 0x0a, 0x02, 0x08, 0x07])).toEqual({ b: { b: 7 } })
  })
})

test('one schema that is reached by several names has each of them', async () => {
  const schemas = [
    proto('money', 1, 'message Money { int32 cents = 1; }'),
    proto('line', 1, 'import "near/money.proto"; message Line { Money price = 1; }', [
      { name: 'near/money.proto', subject: 'money', version: 1 },
    ]),
    proto('top', 1, 'import "line.proto"; import "money.proto"; message Order { Line line = 1; Money total = 2; }', [
      { name: 'money.proto', subject: 'money', version: 1 },
      { name: 'line.proto', subject: 'line', version: 1 },
    ]),
  ]
  expect(await decoded('protobuf', schemas, [0, 0x12, 0x02, 0x08, 0x07])).toEqual({ total: { cents: 7 } })
})

test('more than 100 names are refused', async () => {
  const references = Array.from({ length: 101 }, (_, index) => ({ name: `n${index}`, subject: 'm', version: 1 }))
  const schemas = [avro('m', 1, record('Money', ['cents', 'int'])), avro('top', 1, { type: 'int' }, references)]
  expect(await decoded('avro', schemas, [14])).toBe('schema 7 is with more than 100 references')
})

describe('without a reference there is', () => {
  const files: { imported: string; field: string; payload: number[]; json: unknown }[] = [
    {
      imported: 'google/type/money.proto',
      field: 'google.type.Money',
      payload: [0x0a, 0x03, 0x45, 0x55, 0x52, 0x10, 0x05],
      json: { currencyCode: 'EUR', units: 5 },
    },
    {
      imported: 'google/type/datetime.proto',
      field: 'google.type.DateTime',
      payload: [0x08, 0x07, 0x42, 0x02, 0x08, 0x05],
      json: { year: 7, utcOffset: '5s' },
    },
    { imported: 'google/type/month.proto', field: 'google.type.Month', payload: [], json: undefined },
    {
      imported: 'confluent/type/decimal.proto',
      field: 'confluent.type.Decimal',
      payload: [0x0a, 0x01, 0x7b, 0x10, 0x03],
      json: { value: 'ew==', precision: 3 },
    },
    { imported: 'confluent/meta.proto', field: 'confluent.Meta', payload: [0x0a, 0x01, 0x78], json: { doc: 'x' } },
    {
      imported: 'google/protobuf/compiler/plugin.proto',
      field: 'google.protobuf.compiler.Version',
      payload: [0x08, 0x07],
      json: { major: 7 },
    },
  ]

  test.each(files)('$imported', async ({ imported, field, payload, json }) => {
    const schema = proto('top', 1, `import "${imported}"; message A { ${field} a = 1; }`)
    const bytes = json === undefined ? [] : [0x0a, payload.length, ...payload]
    expect(await decoded('protobuf', [schema], [0, ...bytes])).toEqual(json === undefined ? {} : { a: json })
  })

  test.each(ofOptions)('%s, of which nothing is used', async (imported) => {
    const schema = proto('top', 1, `import "${imported}"; message A { int32 a = 1; }`)
    expect(await decoded('protobuf', [schema], [0, 0x08, 0x07])).toEqual({ a: 7 })
  })

  test('no import that a reference provides', async () => {
    const own = proto('own', 1, 'package google.type; message Money { string own = 1; }')
    const top = proto('top', 1, 'import "google/type/money.proto"; message A { google.type.Money a = 1; }', [
      { name: 'google/type/money.proto', subject: 'own', version: 1 },
    ])
    expect(await decoded('protobuf', [own, top], [0, 0x0a, 0x03, 0x0a, 0x01, 0x78])).toEqual({ a: { own: 'x' } })
  })
})
