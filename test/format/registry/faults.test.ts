/** What a registry that is away, or answers nonsense, does to records: it lets them wait. Only its own word makes one bad. */
import { describe, expect, test } from 'bun:test'
import { registryCodec } from '../../../lib/format/registry.ts'
import { Schemas, type SchemasOptions } from '../../../lib/format/registry/schemas.ts'
import { formatTroubles } from '../../../lib/format/troubles.ts'
import { configureLogging } from '../../../lib/log/index.ts'
import { avroSchema, FakeRegistry, json, problem } from '../../support/format/registry/fake-registry.ts'
import { isPending, settled, wire } from '../../support/format/registry/settled.ts'
import { until } from '../../support/until.ts'

const quick = { retryMsMin: 1, retryMsMax: 5, retryMsOperator: 1, confirmMs: 1 }
const credentials = { user: 'latchkey', password: 'hunter2' }

function setUp(registry: FakeRegistry, options: SchemasOptions = {}) {
  const config = { url: `${registry.url}/`, credentials }
  const schemas = new Schemas(config, { ...quick, ...options })
  const codec = registryCodec({ format: 'registry', kind: 'avro', registry: config, subject: 's1' }, schemas)
  return { schemas, codec, problems: () => schemas.troubles().map(({ problem: found }) => found) }
}

describe('a record waits while the registry', () => {
  const timeoutMs = 50
  const away = 'it answers 404, as a server that is not a registry does; check the path in SCHEMA_REGISTRY_URL'
  const faults: { registry: string; answer: () => Response | Promise<Response>; found: string }[] = [
    {
      registry: 'fails',
      answer: () => problem(500, 50_001, 'Error in the backend data store'),
      found: 'it answers 500 (error_code 50001)',
    },
    { registry: 'is overloaded', answer: () => new Response('slow down', { status: 429 }), found: 'it answers 429' },
    {
      registry: 'asks for other credentials',
      answer: () => problem(401, 401, 'Unauthorized'),
      found: 'it answers 401, it asks for other credentials: see SCHEMA_REGISTRY_CREDENTIALS',
    },
    {
      registry: 'denies the permission to read',
      answer: () => problem(403, 40_301, 'User is denied operation Read'),
      found: 'it answers 403, the user of SCHEMA_REGISTRY_CREDENTIALS may not read there',
    },
    {
      registry: 'is none at this path',
      answer: () => new Response('<h1>Not found</h1>', { status: 404 }),
      found: away,
    },
    { registry: 'answers a 404 of another kind', answer: () => problem(404, 404, 'HTTP 404 Not Found'), found: away },
    {
      registry: 'answers a page',
      answer: () => new Response('<h1>Welcome</h1>'),
      found: 'its response is not a JSON object; check SCHEMA_REGISTRY_URL',
    },
    {
      registry: 'answers no schema',
      answer: () => json({ id: 1 }),
      found: 'its answer has no schema; check SCHEMA_REGISTRY_URL',
    },
    {
      registry: 'answers half a reference',
      answer: () => json({ schema: '"int"', references: [{ name: 'a' }] }),
      found: 'its answer has a reference without name, subject and version',
    },
    {
      registry: 'does not answer',
      answer: () => new Promise<Response>(() => {}),
      found: `no answer within ${timeoutMs} ms`,
    },
    {
      registry: 'does not end its answer',
      answer: () => new Response(new ReadableStream({ start: (controller) => controller.enqueue('{') })),
      found: `no answer within ${timeoutMs} ms`,
    },
  ]

  test.each(faults)('$registry, and is decoded when that has passed', async ({ answer, found }) => {
    await using registry = new FakeRegistry([avroSchema(1)])
    const { codec, problems } = setUp(registry, found.includes('within') ? { timeoutMs } : {})
    registry.fault = answer
    expect(isPending(() => codec.decode(wire(1, 2)))).toBe(true)
    await until('the trouble is reported', () => problems().includes(found))
    // Asked for several times, and pending all the while.
    await until('it is asked again', () => registry.asked.length > 2)
    expect(isPending(() => codec.decode(wire(1, 2)))).toBe(true)
    registry.fault = undefined
    expect(await settled(() => codec.decode(wire(1, 2)))).toEqual({ a: 1 })
    expect(problems()).toEqual([])
  })

  test('cannot be reached, and is decoded when it is back', async () => {
    await using registry = new FakeRegistry([avroSchema(1)])
    const { codec, problems, schemas } = setUp(registry)
    await registry.stop()
    expect(isPending(() => codec.decode(wire(1, 2)))).toBe(true)
    await until('the trouble is reported', () => problems()[0]?.startsWith('it cannot be reached: ') === true)
    expect(schemas.troubles()[0]).toMatchObject({ registry: registry.url, what: 'schema 1' })
    registry.start()
    expect(await settled(() => codec.decode(wire(1, 2)))).toEqual({ a: 1 })
  })

  test('redirects: no host but the configured registry is contacted', async () => {
    await using other = new FakeRegistry([avroSchema(1)])
    await using registry = new FakeRegistry([avroSchema(1)])
    const { codec, problems } = setUp(registry)
    registry.fault = () => Response.redirect(`${other.url}/schemas/ids/1`, 307)
    expect(isPending(() => codec.decode(wire(1, 2)))).toBe(true)
    const found = `it redirects to ${new URL(other.url).origin}, which is not followed: set SCHEMA_REGISTRY_URL to it`
    await until('the trouble is reported', () => problems().includes(found))
    expect(other.asked).toEqual([])
    registry.fault = undefined
    await settled(() => codec.decode(wire(1, 2)))
  })
})

describe('a record is bad when the registry says', () => {
  const large = 'x'.repeat(1_048_577)
  const cases: { word: string; answer?: unknown; found: string }[] = [
    { word: 'that there is no such schema', found: 'schema 7 is not found' },
    {
      word: 'that it is of another kind',
      answer: { schema: 'message A {}', schemaType: 'PROTOBUF' },
      found: 'schema 7 is of type PROTOBUF, where AVRO is expected',
    },
    { word: 'what is no schema', answer: { schema: '{}' }, found: 'schema 7 is of no use: a type has no "type": {}' },
    {
      word: 'more than a schema may be',
      answer: { schema: large },
      found: 'schema 7 is longer than 1048576 characters',
    },
    { word: 'and does not stop', answer: large + large, found: 'schema 7 is longer than 2097152 bytes' },
    {
      word: 'that it refers to what is not there',
      answer: { schema: '"int"', references: [{ name: 'a', subject: 'b', version: 3 }] },
      found: 'schema 7 is of no use: it refers to version 3 of subject b, which is not found',
    },
  ]

  test.each(cases)('$word', async ({ answer, found }) => {
    await using registry = new FakeRegistry()
    registry.fault = (path) => (answer !== undefined && path === '/schemas/ids/7' ? json(answer) : undefined)
    const { codec, problems } = setUp(registry)
    const said = await settled(() => codec.decode(wire(7))).catch((error: Error) => error.message)
    expect(said).toBe(found)
    expect(problems()).toEqual([])
  })

  test('so, twice: a follower may be slightly behind', async () => {
    await using registry = new FakeRegistry([avroSchema(1)])
    const { codec } = setUp(registry)
    registry.fault = () => (registry.asked.length === 1 ? problem(404, 40_403, 'Schema not found') : undefined)
    expect(await settled(() => codec.decode(wire(1, 2)))).toEqual({ a: 1 })
  })

  test('so, and is not requested again for a while', async () => {
    await using registry = new FakeRegistry()
    let now = 0
    const { codec } = setUp(registry, { refusalMs: 1_000, now: () => now })
    await settled(() => codec.decode(wire(7))).catch(() => {})
    const { length } = registry.asked
    expect(() => codec.decode(wire(7))).toThrow('schema 7 is not found')
    now = 999
    expect(() => codec.decode(wire(7))).toThrow('schema 7 is not found')
    expect(registry.asked).toHaveLength(length)
    now = 1_000
    registry.schemas.push(avroSchema(7))
    expect(await settled(() => codec.decode(wire(7, 2)))).toEqual({ a: 1 })
  })
})

test('schemas that refer to each other in a circle are refused, not followed forever', async () => {
  const refer = (subject: string) => [{ name: subject, subject, version: 1 }]
  await using registry = new FakeRegistry([
    { ...avroSchema(1), references: refer('s2') },
    { ...avroSchema(2), references: refer('s1') },
  ])
  const { codec } = setUp(registry)
  const said = await settled(() => codec.decode(wire(1, 2))).catch((error: Error) => error.message)
  expect(said).toContain('schema 1 is of no use')
  expect(registry.asked.length).toBeLessThan(20)
})

test('encoding waits until the subject is registered, and requests it once then', async () => {
  await using registry = new FakeRegistry()
  const { codec, problems } = setUp(registry)
  expect(isPending(() => codec.encode({ a: 1 }))).toBe(true)
  await until('the trouble is reported', () => problems().includes('the latest schema of subject s1 is not found'))
  registry.schemas.push(avroSchema(9, 'a', 's1'))
  expect(await settled(() => codec.encode({ a: 1 }))).toEqual(wire(9, 2))
  const { length } = registry.asked
  registry.schemas.push(avroSchema(10, 'b', 's1'))
  expect(codec.encode({ a: 1 })).toEqual(wire(9, 2))
  // Its id is known by that, too.
  expect(codec.decode(wire(9, 4))).toEqual({ a: 2 })
  expect(registry.asked).toHaveLength(length)
})

test('without a subject nothing is encoded', () => {
  const spec = { format: 'registry', kind: 'avro', registry: { url: 'http://127.0.0.1:1' } } as const
  expect(() => registryCodec(spec).encode({})).toThrow('it cannot be encoded: no subject says under which schema')
})

test('credentials are sent to the registry, and shown nowhere', async () => {
  await using registry = new FakeRegistry([avroSchema(1)])
  const lines: string[] = []
  configureLogging({ level: 'trace', structured: true, write: (line) => lines.push(line) })
  const { codec, problems } = setUp(registry)
  registry.fault = () => problem(401, 401, 'Unauthorized')
  expect(isPending(() => codec.decode(wire(1, 2)))).toBe(true)
  await until('it is asked again', () => registry.asked.length > 2)
  expect(lines.filter((line) => line.includes('it answers 401'))).toHaveLength(1)
  expect(lines.join() + problems().join()).not.toMatch(/hunter2|latchkey:/)
  registry.fault = undefined
  await settled(() => codec.decode(wire(1, 2)))
  expect(lines.at(-1)).toContain('all requests that waited for it are answered')
  expect(registry.authorizations).toContain(`Basic ${btoa('latchkey:hunter2')}`)
})

test('codecs of one registry share its schemas, and its troubles are reported together', async () => {
  await using registry = new FakeRegistry([avroSchema(1)])
  registry.fault = () => problem(500, 50_001, 'Error')
  const config = { url: registry.url }
  const [first, second] = [1, 2].map(() => registryCodec({ format: 'registry', kind: 'avro', registry: config }))
  expect(isPending(() => first!.decode(wire(1, 2)))).toBe(true)
  await until('the trouble is reported', () =>
    formatTroubles().some((trouble) => trouble.includes('asked for schema 1:')),
  )
  registry.fault = undefined
  await settled(() => first!.decode(wire(1, 2)))
  expect(second!.decode(wire(1, 4))).toEqual({ a: 2 })
  expect(formatTroubles()).toEqual([])
})

test('keys and values of two kinds are not confused', async () => {
  const schema = 'syntax = "proto3"; message A { int32 a = 1; }'
  await using registry = new FakeRegistry([
    avroSchema(1),
    { subject: 'p', version: 1, id: 2, schemaType: 'PROTOBUF', schema, references: [] },
  ])
  const config = { url: registry.url }
  const key = registryCodec({ format: 'registry', kind: 'avro', registry: config })
  const value = registryCodec({ format: 'registry', kind: 'protobuf', registry: config })
  const asKey = settled(() => key.decode(wire(2, 0, 8, 7))).catch((error: Error) => error.message)
  expect(await asKey).toBe('schema 2 is of type PROTOBUF, where AVRO is expected')
  expect(await settled(() => value.decode(wire(2, 0, 8, 7)))).toEqual({ a: 7 })
  expect(await settled(() => key.decode(wire(1, 2)))).toEqual({ a: 1 })
  const asValue = settled(() => value.decode(wire(1, 2))).catch((error: Error) => error.message)
  expect(await asValue).toBe('schema 1 is of type AVRO, where PROTOBUF is expected')
})
