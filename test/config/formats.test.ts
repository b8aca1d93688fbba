import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beside, formatsOf, here, inputOf, registry, removeFiles, root, writeFiles } from '../support/config/formats.ts'
import { accepted, settingsOf } from '../support/config/read.ts'

beforeAll(writeFiles)
afterAll(removeFiles)

describe('formats', () => {
  test('there are none when bytes are passed through', () => {
    expect(settingsOf(inputOf({}))).not.toHaveProperty('formats')
    expect(formatsOf({ KEY_FORMAT: 'raw', VALUE_FORMAT: 'raw', STORE_FORMAT: 'raw' })).toBeUndefined()
  })

  test('values are stored as they are in the topic by default', () => {
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

  test('keys, values and stored values each have their own format options', () => {
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

  test('without a schema file the format is the wire format of the registry, under the subjects of the topics', () => {
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
