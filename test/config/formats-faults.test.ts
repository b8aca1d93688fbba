import { afterAll, beforeAll, expect, test } from 'bun:test'
import { faultsOf, formatsOf, registry, removeFiles, writeFiles } from '../support/config/formats.ts'

beforeAll(writeFiles)
afterAll(removeFiles)

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
    'a file that is malformed, which is reported once',
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
      'PROTO_FILE is missing: KEY_FORMAT=protobuf needs the file of its message, or SCHEMA_REGISTRY_URL, for example PROTO_FILE=orders/v1/order.proto',
      'KEY_MESSAGE is missing: KEY_FORMAT=protobuf needs the full name of its message, for example KEY_MESSAGE=orders.v1.OrderKey',
      'VALUE_SCHEMA_FILE is missing: VALUE_FORMAT=avro needs the file of its schema, or SCHEMA_REGISTRY_URL, for example VALUE_SCHEMA_FILE=order.avsc',
      'SCHEMA_REGISTRY_URL is missing: STORE_FORMAT=json-schema is read with the schemas of a registry, for example SCHEMA_REGISTRY_URL=https://registry.example:8081',
    ],
  ],
  [
    'a schema that is none',
    { VALUE_FORMAT: 'avro', VALUE_SCHEMA_FILE: 'broken.avsc' },
    [
      expect.stringMatching(
        /^VALUE_SCHEMA_FILE="broken.avsc" \(environment\): broken.avsc is not an Avro schema in JSON: /,
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
    ['STORE_FORMAT="raw" (environment): it is not a format to convert to; leave it out to store values as they are'],
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
      'SCHEMA_REGISTRY_URL (environment): it has no effect: no format is avro, protobuf or json-schema without a schema file',
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

test('a replica whose keys are those of a registry has to know their topic', () => {
  const replica = { SOURCE_TOPIC: '', STORE_ID: 'orders', USE_REPLICA_ONLY: 'true', SCHEMA_REGISTRY_URL: registry }
  expect(faultsOf({ ...replica, KEY_FORMAT: 'avro' })).toEqual([
    'SOURCE_TOPIC is missing: keys are looked up by the latest schema of its subject in the registry, for example SOURCE_TOPIC=orders',
  ])
  expect(formatsOf({ ...replica, VALUE_FORMAT: 'avro' })?.store).not.toHaveProperty('subject')
  expect(formatsOf({ ...replica, SOURCE_TOPIC: 'orders', KEY_FORMAT: 'avro' })?.key).toHaveProperty(
    'subject',
    'orders-key',
  )
})

test('faults of formats are reported together with those of all other settings', () => {
  const faults = faultsOf({ SERVER_PORT: 'x', VALUE_FORMAT: 'avro', KEY_FORMAT: 'protobuf', KEY_MESSAGE: 'K' })
  expect(faults.map((fault) => fault.split(/[= ]/)[0])).toEqual(['SERVER_PORT', 'PROTO_FILE', 'VALUE_SCHEMA_FILE'])
})
