import { describe, expect, test } from 'bun:test'
import { availableParallelism } from 'node:os'
import { defaultClients } from '../../lib/config/client-properties.ts'
import { threadsDefault } from '../../lib/config/threads.ts'
import { faultsOf, required, settingsOf } from '../support/config/read.ts'

describe('readCommand', () => {
  test('settings have their defaults when only the required ones are given', () => {
    expect(settingsOf({ environment: required })).toEqual({
      sourceTopic: 'orders',
      kafkaBrokers: [{ host: 'kafka', port: 9092 }],
      storeId: 'orders',
      changelogTopic: 'orders-changelog',
      partitions: [],
      partitionsReplica: [],
      useReplicaOnly: false,
      waitForReplicas: false,
      useProcessingOnly: false,
      partitioner: 'murmur2',
      onBadRecord: 'skip',
      keepHeaders: [],
      initialCapacity: 0,
      autoFlushCount: 1000,
      autoFlushSeconds: 1,
      autoFlushWhenIdle: true,
      changesBytes: 16_777_216,
      snapshotSeconds: 60,
      storeThreads: threadsDefault(availableParallelism()),
      readerPoolSize: 1000,
      serverBind: '0.0.0.0',
      serverPort: 8080,
      httpThreads: threadsDefault(availableParallelism()),
      httpFastPath: true,
      serverConnectionsMax: 4096,
      readyWhen: 'caught-up',
      fencing: true,
      shutdownDelay: 0,
      structuredLogging: false,
      logLevel: 'info',
      clients: defaultClients(),
    })
  })

  test.each([
    [{ AUTO_FLUSH_SECONDS: '1' }, false],
    [{ AUTO_FLUSH_COUNT: '1000' }, false],
    [{ AUTO_FLUSH_COUNT: '1000', AUTO_FLUSH_WHEN_IDLE: 'true' }, true],
    [{ AUTO_FLUSH_WHEN_IDLE: 'false' }, false],
  ])('no flush is earlier than configured when the settings are %p', (environment, expected) => {
    expect(settingsOf({ environment: { ...required, ...environment } }).autoFlushWhenIdle).toBe(expected)
  })

  test.each([
    [1, 1],
    [7, 1],
    [8, 2],
    [64, 8],
  ])('with %p cores there are %p threads of each kind by default', (cores, threads) => {
    expect(threadsDefault(cores)).toBe(threads)
  })

  test('settings are frozen when read', () => {
    const settings = settingsOf({ environment: required })
    expect(Object.isFrozen(settings)).toBeTrue()
    expect(Object.isFrozen(settings.kafkaBrokers)).toBeTrue()
  })

  test('the changelog is named after the store when only the store has a name', () => {
    const settings = settingsOf({ environment: { ...required, STORE_ID: 'prices' } })
    expect(settings.changelogTopic).toBe('prices-changelog')
  })

  test('the port for Redis clients is absent, free or another one than that of HTTP', () => {
    expect(settingsOf({ environment: required }).respPort).toBeUndefined()
    const both = (serverPort: string, respPort: string) => {
      return { environment: { ...required, SERVER_PORT: serverPort, RESP_PORT: respPort } }
    }
    expect(settingsOf(both('0', '0')).respPort).toBe(0)
    expect(settingsOf(both('8080', '6379')).respPort).toBe(6379)
    expect(faultsOf(both('7000', '7000'))).toEqual([
      'RESP_PORT="7000" (environment): it must differ from SERVER_PORT: HTTP and the Redis protocol have a port each',
    ])
  })

  test('a changelog is refused when it is the source topic', () => {
    const different = 'it must differ from SOURCE_TOPIC'
    const same = faultsOf({ environment: { ...required, CHANGELOG_TOPIC: 'orders' } })
    expect(same).toEqual([expect.stringContaining(different)])
    const derived = { ...required, SOURCE_TOPIC: 'a-changelog', STORE_ID: 'a' }
    expect(faultsOf({ environment: derived })).toEqual([expect.stringContaining(different)])
    const colliding = { ...required, SOURCE_TOPIC: 'a.b', CHANGELOG_TOPIC: 'a_b', SERVER_PORT: 'x' }
    expect(faultsOf({ environment: colliding })).toHaveLength(2)
  })

  test.each([
    ['DEAD_LETTER_TOPIC is missing: with ON_BAD_RECORD=dead-letter', {}],
    ['DEAD_LETTER_TOPIC="orders" (environment): it must differ', { DEAD_LETTER_TOPIC: 'orders' }],
    [
      'DEAD_LETTER_TOPIC="a_b-changelog" (environment): it must differ',
      { DEAD_LETTER_TOPIC: 'a_b-changelog', STORE_ID: 'a.b' },
    ],
    ['it must differ', { DEAD_LETTER_TOPIC: 'log', CHANGELOG_TOPIC: 'log' }],
    ['it has no effect without', { DEAD_LETTER_TOPIC: 'bad', ON_BAD_RECORD: 'stop' }],
    ['it must be 1 to 249 characters', { DEAD_LETTER_TOPIC: 'a/b' }],
  ])('the topic for bad records is a fault: %s', (fault, environment) => {
    const faults = faultsOf({ environment: { ...required, ON_BAD_RECORD: 'dead-letter', ...environment } })
    expect(faults).toEqual([expect.stringContaining(fault)])
  })

  test('the topic for bad records is accepted when it is a separate topic', () => {
    const environment = { ...required, ON_BAD_RECORD: 'dead-letter', DEAD_LETTER_TOPIC: 'orders-bad' }
    expect(settingsOf({ environment })).toMatchObject({ onBadRecord: 'dead-letter', deadLetterTopic: 'orders-bad' })
  })

  test('a changelog is required when its default name would be too long', () => {
    const environment = { ...required, SOURCE_TOPIC: 'x'.repeat(245) }
    expect(faultsOf({ environment })).toEqual([
      expect.stringMatching(/^CHANGELOG_TOPIC is missing: .* is longer than the 249/),
    ])
    const named = { ...environment, CHANGELOG_TOPIC: 'short' }
    expect(settingsOf({ environment: named }).changelogTopic).toBe('short')
  })
})
