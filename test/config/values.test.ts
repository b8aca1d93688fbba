import { expect, test } from 'bun:test'
import { memorySettings } from '../../lib/config/definitions/memory.ts'
import { metadataOf, settingKeys } from '../../lib/config/settings.ts'
import { faultsOf, required, settingsOf } from '../support/config/read.ts'

test.each([
  ['SOURCE_TOPIC', 'a/b'],
  ['SOURCE_TOPIC', '..'],
  ['STORE_ID', 'x'.repeat(250)],
  ['STORE_ID', 'a b'],
  ['CHANGELOG_TOPIC', 'ä'],
  ['INITIAL_CAPACITY', '-1'],
  ['INITIAL_CAPACITY', '1e6'],
  ['INITIAL_CAPACITY', '1000000001'],
  ['MEMORY_MAX', '255M'],
  ['MEMORY_MAX', '17T'],
  ['MEMORY_MAX', '1.5G'],
  ['MEMORY_MAX', '2GB'],
  ['MEMORY_MAX', '-1'],
  ['MEMORY_MAX', 'max'],
  ['AUTO_FLUSH_COUNT', '1.5'],
  ['AUTO_FLUSH_SECONDS', '0'],
  ['AUTO_FLUSH_SECONDS', 'Infinity'],
  ['AUTO_FLUSH_SECONDS', '86401'],
  ['READER_POOL_SIZE', '0'],
  ['READER_POOL_SIZE', '100001'],
  ['SERVER_BIND', 'a b'],
  ['SERVER_PORT', '65536'],
  ['SERVER_CONNECTIONS_MAX', '0'],
  ['SERVER_CONNECTIONS_MAX', '1000001'],
  ['SERVER_HOSTS', 'a b'],
  ['SERVER_HOSTS', 'orders.example:8080'],
  ['SERVER_HOSTS', 'a,*b'],
  ['SERVER_HOSTS', 'a.*'],
  ['SERVER_HOSTS', ','],
  ['READY_WHEN', 'ready'],
  ['CORS_ORIGINS', 'a.example'],
  ['CORS_ORIGINS', 'https://a.example/'],
  ['CORS_ORIGINS', 'https://A.example'],
  ['CORS_ORIGINS', 'https://a.example:443'],
  ['CORS_ORIGINS', 'null'],
  ['CORS_ORIGINS', 'https://a.example,'],
  ['FENCING', 'maybe'],
  ['STRUCTURED_LOGGING', '2'],
  ['LOG_LEVEL', 'fatal'],
  ['ON_BAD_RECORD', 'halt'],
])('%s is refused when it is %p', (variable, value) => {
  const faults = faultsOf({ environment: { ...required, [variable]: value } })
  const key = settingKeys.find((candidate) => metadataOf(candidate).variable === variable)!
  expect(faults).toEqual([expect.stringMatching(new RegExp(`^${variable}="`))])
  expect(faults[0]).toEndWith(`(environment): it must be ${metadataOf(key).allowed}`)
})

test.each([
  ['MEMORY_MAX', '268435456', 'memoryMax', 2 ** 28],
  ['MEMORY_MAX', '512M', 'memoryMax', 2 ** 29],
  ['MEMORY_MAX', '300000k', 'memoryMax', 300_000 * 1024],
  ['MEMORY_MAX', '2G', 'memoryMax', 2 ** 31],
  ['MEMORY_MAX', '1t', 'memoryMax', 2 ** 40],
  ['AUTO_FLUSH_SECONDS', '0.25', 'autoFlushSeconds', 0.25],
  ['SERVER_BIND', '[::]', 'serverBind', '::'],
  ['SERVER_PORT', '0', 'serverPort', 0],
  ['SERVER_HOSTS', 'Orders.example, *.internal,*', 'serverHosts', ['orders.example', '*.internal', '*']],
  [
    'CORS_ORIGINS',
    'https://a.example, http://localhost:3000',
    'corsOrigins',
    ['https://a.example', 'http://localhost:3000'],
  ],
  ['CORS_ORIGINS', '*', 'corsOrigins', ['*']],
  ['FENCING', 'FALSE', 'fencing', false],
  ['READY_WHEN', 'recovered', 'readyWhen', 'recovered'],
  ['SOURCE_TOPIC', 'A.b_c-9', 'sourceTopic', 'A.b_c-9'],
] as const)('%s is accepted when it is %p', (variable, value, key, expected) => {
  expect(settingsOf({ environment: { ...required, [variable]: value } })[key]).toEqual(expected)
})

test.each([
  ['3', [3]],
  ['0-3,7', [0, 1, 2, 3, 7]],
  [' 7 , 5-5,1-2', [1, 2, 5, 7]],
  ['10,9', [9, 10]],
  ['99999', [99_999]],
  ['', []],
])('PARTITIONS is accepted when it is %p', (text, expected) => {
  const environment = { ...required, PARTITIONS: text, PARTITIONS_REPLICA: '' }
  expect(settingsOf({ environment }).partitions).toEqual(expected)
})

test.each([
  ['3-1', '"3-1" is neither a partition number nor a range such as 0-3'],
  ['x', '"x" is neither a partition number'],
  ['1,,2', '"" is neither a partition number'],
  ['1-2-3', '"1-2-3" is neither a partition number'],
  ['-1', '"-1" is neither a partition number'],
  ['99999-100000', '"99999-100000" is neither a partition number'],
  ['1,1', 'partition 1 is named twice'],
  ['0-3,2', 'partition 2 is named twice'],
])('PARTITIONS is refused when it is %p', (text, expected) => {
  expect(faultsOf({ environment: { ...required, PARTITIONS: text } })).toEqual([expect.stringContaining(expected)])
})

test('headers to keep are names, or prefixes with *', () => {
  const keep = (text: string) => settingsOf({ environment: { ...required, KEEP_HEADERS: text } }).keepHeaders
  expect(keep(' trace-id, x-*,trace-id,,')).toEqual(['trace-id', 'x-*'])
  expect(keep('*')).toEqual(['*'])
  const fault = (text: string) => faultsOf({ environment: { ...required, KEEP_HEADERS: text } })
  expect(fault('a*b')).toEqual([expect.stringContaining('"a*b" is not a name')])
  expect(fault('x'.repeat(257))).toEqual([expect.stringContaining('up to 256 characters')])
  expect(fault('id,src')).toEqual([expect.stringContaining('"src" is reserved')])
  expect(fault(Array.from({ length: 101 }, (_, i) => i).join())).toEqual([expect.stringContaining('more than 100')])
})

test.each([
  ['a', [{ host: 'a', port: 9092 }]],
  [
    'a:1, b.c:2 ,a:1,',
    [
      { host: 'a', port: 1 },
      { host: 'b.c', port: 2 },
    ],
  ],
  ['10.0.0.1:9093', [{ host: '10.0.0.1', port: 9093 }]],
  ['[::1]', [{ host: '::1', port: 9092 }]],
  ['[fe80::1%eth0]:9093', [{ host: 'fe80::1%eth0', port: 9093 }]],
])('KAFKA_BROKERS is accepted when it is %p', (text, expected) => {
  expect(settingsOf({ environment: { ...required, KAFKA_BROKERS: text } }).kafkaBrokers).toEqual(expected)
})

test.each([
  [',', 'it names no broker'],
  ['a:0', 'no port from 1 to 65535'],
  ['a:', 'no port from 1 to 65535'],
  ['a:x', 'no port from 1 to 65535'],
  ['a:65536', 'no port from 1 to 65535'],
  [':9092', 'no legal host'],
  ['a b', 'no legal host'],
  ['a/b:1', 'no legal host'],
  ['[a]:1', 'no legal host'],
  ['[::1', 'in brackets'],
  ['[::1]x', 'in brackets'],
  ['SASL_SSL://a:1', 'has a scheme'],
])('KAFKA_BROKERS is refused when it is %p', (text, expected) => {
  const faults = faultsOf({ environment: { ...required, KAFKA_BROKERS: text } })
  expect(faults).toEqual([expect.stringContaining(expected)])
})

test('control characters are escaped when a value has them', () => {
  const faults = faultsOf({ environment: { ...required, STORE_ID: 'a\u001b[31m\nb' } })
  expect(faults[0]).toContain(String.raw`STORE_ID="a\u001b[31m\nb"`)
})

test('CORS_ORIGINS=* is refused together with a token', () => {
  const environment = { ...required, CORS_ORIGINS: '*', SERVER_TOKEN: 'secret-secret-secret' }
  expect(faultsOf({ environment })).toEqual([expect.stringMatching(/^CORS_ORIGINS.*: "\*" excludes SERVER_TOKEN/)])
  expect(settingsOf({ environment: { ...environment, CORS_ORIGINS: 'https://a.example' } }).corsOrigins).toHaveLength(1)
})

test('memory is bounded by nine tenths of the limit of the control group when nothing else is said', () => {
  expect(memorySettings({}, 260 * 2 ** 20)).toEqual({ memoryMax: 234 * 2 ** 20 })
  expect(memorySettings({}, 1000 * 2 ** 20 + 7)).toEqual({ memoryMax: 900 * 2 ** 20 + 6 })
  expect(memorySettings({ memoryMax: 2 ** 31 }, 260 * 2 ** 20)).toEqual({ memoryMax: 2 ** 31 })
  expect(memorySettings({}, undefined)).toEqual({})
})
