import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accepted, faultsOf as faultsOfInput, required, settingsOf } from './support/read.ts'

const registry = 'https://registry.example:8081'
/** The working directory, and that of the executable. */
let here: string
let beside: string
let root: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'latchkey-formats-'))
  here = join(root, 'here')
  beside = join(root, 'beside')
  for (const folder of [here, beside, join(beside, 'protos')]) mkdirSync(folder)
  writeFileSync(
    join(beside, 'orders.proto'),
    'syntax = "proto3"; package shop; message Order { int64 id = 1; } message Key {}',
  )
  writeFileSync(join(here, 'lines.proto'), 'syntax = "proto3"; import "money.proto"; message Line { Money price = 1; }')
  writeFileSync(join(beside, 'protos/money.proto'), 'syntax = "proto3"; message Money { int64 units = 1; }')
  writeFileSync(join(here, 'broken.proto'), 'message {')
  writeFileSync(join(here, 'order.avsc'), '{"type":"record","name":"Order","fields":[{"name":"id","type":"long"}]}')
  writeFileSync(join(here, 'broken.avsc'), '{"type":"recorder"}')
})
afterAll(() => rmSync(root, { recursive: true }))

function inputOf(environment: Record<string, string>) {
  return { environment: { ...required, ...environment }, envDirectories: [here, beside] }
}

function formatsOf(environment: Record<string, string>) {
  return settingsOf(inputOf(environment)).formats
}

/** Without the folders, which differ from run to run. */
function faultsOf(environment: Record<string, string>): string[] {
  const faults = faultsOfInput(inputOf(environment))
  return faults.map((fault) => fault.replaceAll(here, 'HERE').replaceAll(beside, 'BESIDE'))
}

describe('formats', () => {
  test('there are none when bytes pass through', () => {
    expect(settingsOf(inputOf({}))).not.toHaveProperty('formats')
    expect(formatsOf({ KEY_FORMAT: 'raw', VALUE_FORMAT: 'raw', STORE_FORMAT: 'raw' })).toBeUndefined()
  })

  test('values are stored as they are in the topic when nothing else is said', () => {
    expect(formatsOf({ KEY_FORMAT: 'int64', VALUE_FORMAT: 'json' })).toEqual({
      key: { format: 'int64' },
      value: { format: 'json' },
      store: { format: 'json' },
    })
    expect(formatsOf({ KEY_FORMAT: 'uuid' })).toEqual({
      key: { format: 'uuid' },
      value: { format: 'raw' },
      store: { format: 'raw' },
    })
  })

  test('the texts of their settings are not among the settings', () => {
    const settings = settingsOf(
      inputOf({
        KEY_FORMAT: 'int64',
        VALUE_FORMAT: 'protobuf',
        PROTO_FILE: 'orders.proto',
        VALUE_MESSAGE: 'shop.Order',
      }),
    )
    expect(Object.keys(settings).filter((name) => /format|proto|message|schema/i.test(name))).toEqual(['formats'])
    expect(Object.isFrozen(settings.formats)).toBeTrue()
  })

  test('files are found in the working directory, else beside the executable, and by their absolute paths', () => {
    const environment = { VALUE_FORMAT: 'protobuf', PROTO_FILE: 'orders.proto', VALUE_MESSAGE: 'shop.Order' }
    const value = { format: 'protobuf', file: join(beside, 'orders.proto'), message: 'shop.Order' }
    expect(formatsOf(environment)?.value).toEqual(value as never)
    expect(formatsOf({ ...environment, PROTO_FILE: join(beside, 'orders.proto') })?.value).toEqual(value as never)
    expect(formatsOf({ VALUE_FORMAT: 'avro', VALUE_SCHEMA_FILE: 'order.avsc' })?.value).toEqual({
      format: 'avro',
      file: join(here, 'order.avsc'),
    })
    const lines = { VALUE_FORMAT: 'protobuf', PROTO_FILE: 'lines.proto', VALUE_MESSAGE: 'Line', PROTO_PATH: 'protos' }
    expect(formatsOf(lines)?.value).toEqual({
      format: 'protobuf',
      file: join(here, 'lines.proto'),
      message: 'Line',
      include: [join(beside, 'protos')],
    })
  })

  test('keys, values and stored values have each what belongs to them', () => {
    const formats = formatsOf({
      KEY_FORMAT: 'protobuf',
      KEY_MESSAGE: 'shop.Key',
      VALUE_FORMAT: 'protobuf',
      VALUE_MESSAGE: 'shop.Order',
      PROTO_FILE: 'orders.proto',
      STORE_FORMAT: 'avro',
      STORE_SCHEMA_FILE: 'order.avsc',
    })
    expect(formats).toMatchObject({
      key: { message: 'shop.Key' },
      value: { message: 'shop.Order' },
      store: { format: 'avro' },
    })
  })

  test('values are stored as another message of the same format when that is named', () => {
    const environment = { VALUE_FORMAT: 'protobuf', PROTO_FILE: 'orders.proto', VALUE_MESSAGE: 'shop.Order' }
    for (const more of [{}, { STORE_FORMAT: 'protobuf' }] as Record<string, string>[]) {
      expect(formatsOf({ ...environment, ...more })?.store).toMatchObject({ message: 'shop.Order' })
      expect(formatsOf({ ...environment, ...more, STORE_MESSAGE: 'shop.Key' })?.store).toMatchObject({
        message: 'shop.Key',
      })
    }
  })

  test('what has no file of its own is the wire format of the registry, under the subjects of the topics', () => {
    const formats = formatsOf({
      KEY_FORMAT: 'avro',
      VALUE_FORMAT: 'protobuf',
      STORE_FORMAT: 'json-schema',
      SCHEMA_REGISTRY_URL: `${registry}/`,
      SCHEMA_REGISTRY_CREDENTIALS: 'me:pass:word',
    })
    const common = {
      format: 'registry',
      registry: { url: registry, credentials: { user: 'me', password: 'pass:word' } },
    }
    expect(formats).toEqual({
      key: { ...common, kind: 'avro', subject: 'orders-key' },
      value: { ...common, kind: 'protobuf', subject: 'orders-value' },
      store: { ...common, kind: 'json', subject: 'orders-changelog-value' },
    } as never)
    const same = formatsOf({ VALUE_FORMAT: 'avro', SCHEMA_REGISTRY_URL: registry })
    expect(same?.store).toEqual(same!.value)
    const mixed = formatsOf({
      KEY_FORMAT: 'protobuf',
      KEY_MESSAGE: 'shop.Key',
      PROTO_FILE: 'orders.proto',
      VALUE_FORMAT: 'avro',
      STORE_FORMAT: 'avro',
      STORE_SCHEMA_FILE: 'order.avsc',
      SCHEMA_REGISTRY_URL: registry,
    })
    expect(mixed).toMatchObject({
      key: { format: 'protobuf' },
      value: { format: 'registry' },
      store: { format: 'avro' },
    })
  })
})

describe('faults', () => {
  const protobuf = { VALUE_FORMAT: 'protobuf', PROTO_FILE: 'orders.proto', VALUE_MESSAGE: 'shop.Order' }
  const cases: [string, Record<string, string>, string[]][] = [
    [
      'a format that is none',
      { KEY_FORMAT: 'int46', KEY_MESSAGE: 'x' },
      [
        'KEY_FORMAT="int46" (environment): it must be raw, utf8, json, int32, int64, uuid, uuid-binary, bytes, protobuf, avro or json-schema',
      ],
    ],
    [
      'a file that is missing',
      { ...protobuf, PROTO_FILE: 'no.proto' },
      ['PROTO_FILE="no.proto" (environment): there is no such file in HERE or BESIDE'],
    ],
    [
      'an absolute path that leads nowhere',
      { ...protobuf, PROTO_FILE: '/no/such.proto' },
      ['PROTO_FILE="/no/such.proto" (environment): there is no such file'],
    ],
    [
      'a file that is malformed, which is told once',
      { ...protobuf, PROTO_FILE: 'broken.proto', KEY_FORMAT: 'protobuf', KEY_MESSAGE: 'x' },
      [`PROTO_FILE="broken.proto" (environment): broken.proto: illegal type name '{' (line 1)`],
    ],
    [
      'an import that is missing',
      { ...protobuf, PROTO_FILE: 'lines.proto' },
      [
        'PROTO_FILE="lines.proto" (environment): lines.proto imports "money.proto", which is not in HERE: name the directory that import paths start from in PROTO_PATH',
      ],
    ],
    [
      'directories that are missing',
      { ...protobuf, PROTO_PATH: 'protos, no, gone' },
      [
        'PROTO_PATH="protos, no, gone" (environment): "no": there is no such directory in HERE or BESIDE',
        'PROTO_PATH="protos, no, gone" (environment): "gone": there is no such directory in HERE or BESIDE',
      ],
    ],
    [
      'a message that is not there',
      { ...protobuf, VALUE_MESSAGE: 'Order' },
      ['VALUE_MESSAGE="Order" (environment): no message has this full name: there are shop.Order, shop.Key'],
    ],
    [
      'a format without what it needs',
      { KEY_FORMAT: 'protobuf', VALUE_FORMAT: 'avro', STORE_FORMAT: 'json-schema' },
      [
        'PROTO_FILE is missing: KEY_FORMAT=protobuf needs the file of its message, or SCHEMA_REGISTRY_URL',
        'KEY_MESSAGE is missing: KEY_FORMAT=protobuf needs the full name of its message',
        'VALUE_SCHEMA_FILE is missing: VALUE_FORMAT=avro needs the file of its schema, or SCHEMA_REGISTRY_URL',
        'SCHEMA_REGISTRY_URL is missing: STORE_FORMAT=json-schema is read with the schemas of a registry',
      ],
    ],
    [
      'a schema that is none',
      { VALUE_FORMAT: 'avro', VALUE_SCHEMA_FILE: 'broken.avsc' },
      [
        expect.stringMatching(
          /^VALUE_SCHEMA_FILE="broken.avsc" \(environment\): broken.avsc is no Avro schema in JSON: /,
        ) as never,
      ],
    ],
    [
      'a conversion from or to what nothing is known of',
      { STORE_FORMAT: 'json' },
      ['STORE_FORMAT="json" (environment): VALUE_FORMAT has to say what it is converted from'],
    ],
    [
      'a conversion to raw bytes',
      { VALUE_FORMAT: 'json', STORE_FORMAT: 'raw' },
      ['STORE_FORMAT="raw" (environment): it is no format to convert to; leave it out to store values as they are'],
    ],
    [
      'settings that have no effect',
      {
        KEY_FORMAT: 'int32',
        KEY_MESSAGE: 'x',
        KEY_SCHEMA_FILE: 'x',
        VALUE_FORMAT: 'json',
        STORE_MESSAGE: 'x',
        PROTO_FILE: 'orders.proto',
        PROTO_PATH: 'protos',
        SCHEMA_REGISTRY_URL: registry,
      },
      [
        'KEY_MESSAGE="x" (environment): it has no effect: KEY_FORMAT is not protobuf',
        'KEY_SCHEMA_FILE="x" (environment): it has no effect: KEY_FORMAT is not avro',
        'STORE_MESSAGE="x" (environment): it has no effect: VALUE_FORMAT is not protobuf',
        'PROTO_FILE="orders.proto" (environment): it has no effect: no format is protobuf with a message of it',
        'PROTO_PATH="protos" (environment): it has no effect: no format is protobuf with a message of PROTO_FILE',
        'SCHEMA_REGISTRY_URL (environment): it has no effect: no format is avro, protobuf or json-schema without a file of its own',
      ],
    ],
    [
      'credentials without a registry',
      { SCHEMA_REGISTRY_CREDENTIALS: 'me:pass' },
      ['SCHEMA_REGISTRY_CREDENTIALS (environment): it has no effect without SCHEMA_REGISTRY_URL'],
    ],
    [
      'credentials that are none',
      { VALUE_FORMAT: 'avro', SCHEMA_REGISTRY_URL: registry, SCHEMA_REGISTRY_CREDENTIALS: 'hunter2' },
      ['SCHEMA_REGISTRY_CREDENTIALS (environment): it must be user:password'],
    ],
  ]
  test.each(cases)('%s', (_, environment, faults) => {
    expect(faultsOf(environment)).toEqual(faults)
  })

  test.each([
    ['registry.example', 'it must be a URL such as https://registry.example:8081'],
    ['ftp://registry.example', 'it must be a URL such as https://registry.example:8081'],
    ['https://me:hunter2@registry.example', 'user and password go into SCHEMA_REGISTRY_CREDENTIALS, as user:password'],
    ['https://registry.example/?token=hunter2', 'it must be a URL without query and fragment'],
  ])('%s is no URL of a registry, and is not quoted', (url, found) => {
    const faults = faultsOf({ VALUE_FORMAT: 'avro', SCHEMA_REGISTRY_URL: url })
    expect(faults).toEqual([`SCHEMA_REGISTRY_URL (environment): ${found}`])
  })

  test('a copy whose keys are those of a registry has to know their topic', () => {
    const copy = { SOURCE_TOPIC: '', STORE_ID: 'orders', USE_REPLICA_ONLY: 'true', SCHEMA_REGISTRY_URL: registry }
    expect(faultsOf({ ...copy, KEY_FORMAT: 'avro' })).toEqual([
      'SOURCE_TOPIC is missing: keys are looked up by the latest schema of its subject in the registry',
    ])
    expect(formatsOf({ ...copy, VALUE_FORMAT: 'avro' })?.store).not.toHaveProperty('subject')
    expect(formatsOf({ ...copy, SOURCE_TOPIC: 'orders', KEY_FORMAT: 'avro' })?.key).toHaveProperty(
      'subject',
      'orders-key',
    )
  })

  test('are told together with those of all other settings', () => {
    const faults = faultsOf({ SERVER_PORT: 'x', VALUE_FORMAT: 'avro', KEY_FORMAT: 'protobuf', KEY_MESSAGE: 'K' })
    expect(faults.map((fault) => fault.split(/[= ]/)[0])).toEqual(['SERVER_PORT', 'PROTO_FILE', 'VALUE_SCHEMA_FILE'])
  })
})

test('credentials can be given as a file, are shown nowhere, and are warned of where all can read them', () => {
  const file = join(root, 'credentials')
  writeFileSync(file, 'me:hunter2\n')
  const environment = { VALUE_FORMAT: 'avro', SCHEMA_REGISTRY_URL: registry, SCHEMA_REGISTRY_CREDENTIALS_FILE: file }
  expect(formatsOf(environment)?.value).toMatchObject({
    registry: { credentials: { user: 'me', password: 'hunter2' } },
  })
  expect(accepted(inputOf(environment)).notices).toEqual([])
  const plain = accepted(inputOf({ ...environment, SCHEMA_REGISTRY_URL: 'http://registry.example' }))
  expect(plain.notices).toEqual([
    'SCHEMA_REGISTRY_CREDENTIALS go over plain HTTP and can be read on the way; use https',
  ])
  expect(accepted(inputOf({ ...environment, SCHEMA_REGISTRY_URL: 'http://localhost:8081' })).notices).toEqual([])
})
