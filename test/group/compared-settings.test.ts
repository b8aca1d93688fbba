import { expect, test } from 'bun:test'
import { comparedSettings } from '../../lib/group/compared-settings.ts'
import { mustAgree } from '../../lib/group/settings.ts'
import { settingsFrom } from '../support/instances/settings.ts'

const topics = { SOURCE_TOPIC: 'orders', KAFKA_BROKERS: 'localhost:9092', ELASTIC: 'true' }
const groupWide = { standbys: 1, routing: 'proxy' } as const

test('all settings that must agree are compared', () => {
  const compared = comparedSettings(settingsFrom(topics), groupWide)
  expect(Object.keys(compared)).toEqual(expect.arrayContaining([...mustAgree]))
})

test('what is at another place on another machine is the same, and no secret is in it', () => {
  const registry = { url: 'http://a', credentials: { user: 'u', password: 'hunter2' } }
  const config = settingsFrom(topics)
  const at = (place: string) =>
    comparedSettings(
      {
        ...config,
        module: `file:///${place}/store.ts`,
        formats: {
          key: { format: 'protobuf', file: `/${place}/a.proto`, message: 'A', include: [`/${place}`] },
          value: { format: 'registry', kind: 'avro', registry },
          store: { format: 'json' },
        },
      },
      groupWide,
    )
  expect(at('one')).toEqual(at('two'))
  expect(JSON.stringify(at('one'))).not.toContain('hunter2')
  expect(at('one')['KEY_FORMAT']).toContain('a.proto')
})

test('what the leader decides for all, and what clients of each instance get, is compared', () => {
  const config = settingsFrom(topics)
  const one = comparedSettings(config, groupWide)
  expect([one['STANDBYS'], one['ROUTING'], one['auto.offset.reset']]).toEqual(['1', 'proxy', 'earliest'])
  expect(comparedSettings(config, { standbys: 0, routing: 'none' })).toEqual({ ...one, STANDBYS: '0', ROUTING: 'none' })
})
