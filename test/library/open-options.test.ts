import { afterEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readCommand } from '../../lib/config/index.ts'
import { type OpenOptions, settingsOfOptions } from '../../lib/library/open-options.ts'

const least = { sourceTopic: 'orders', kafkaBrokers: 'a' } satisfies OpenOptions
const home = process.cwd()

afterEach(() => process.chdir(home))

function settingsOfEnvironment(environment: Record<string, string>) {
  const command = readCommand({ argv: [], environment, envDirectories: [] })
  if (!('settings' in command)) throw new Error(command.action)
  return command.settings
}

const settingsOf = (options: OpenOptions) => settingsOfOptions(options, false).settings

describe('settingsOfOptions', () => {
  test.each([
    [undefined, 'its options are undefined; give an object such as'],
    [null, 'its options are null; give an object'],
    ['orders', 'its options are string; give an object'],
  ])('refuses %p in one line', (options, message) => {
    expect(() => settingsOf(options as unknown as OpenOptions)).toThrow(message)
  })

  test('defaults are those of the settings', () => {
    const settings = settingsOfEnvironment({ SOURCE_TOPIC: 'orders', KAFKA_BROKERS: 'a' })
    expect(settingsOf(least)).toEqual(settings)
  })

  test('JavaScript values give the same settings as their texts', () => {
    const options: OpenOptions = {
      ...least,
      kafkaBrokers: ['a:1', 'b:2'],
      partitions: [0, 2],
      autoFlushSeconds: 0.25,
      fencing: false,
      keepHeaders: ['trace', 'x-*'],
      keyFormat: 'int64',
      kafkaProperties: { 'client.id': 'a,b', 'socket.timeout.ms': 5_000, 'socket.keepalive.enable': false },
    }
    const environment = {
      SOURCE_TOPIC: 'orders',
      KAFKA_BROKERS: 'a:1,b:2',
      PARTITIONS: '0,2',
      AUTO_FLUSH_SECONDS: '0.25',
      FENCING: 'false',
      KEEP_HEADERS: 'trace,x-*',
      KEY_FORMAT: 'int64',
      KAFKA_PROPERTIES: String.raw`client.id=a\,b,socket.timeout.ms=5000,socket.keepalive.enable=false`,
    }
    expect(settingsOf(options)).toEqual(settingsOfEnvironment(environment))
    expect(settingsOf({ ...least, rebuild: true }).rebuild).toBe(true)
    expect(settingsOf({ ...least, rebuild: false }).rebuild).toBeUndefined()
  })

  test('neither environment nor .env is read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-options-'))
    writeFileSync(join(folder, '.env'), 'STORE_ID=of-the-file\n')
    process.env['STORE_ID'] = 'of-the-environment'
    try {
      process.chdir(folder)
      expect(settingsOf(least).storeId).toBe('orders')
    } finally {
      delete process.env['STORE_ID']
      process.chdir(home)
      rmSync(folder, { recursive: true })
    }
  })

  test.each([
    [{ serverPort: 80 }, 'serverPort: unknown option'],
    [{ httpThreads: 2 }, 'httpThreads: unknown option'],
    [{ partition: [1] }, 'partition: unknown option; did you mean partitions?'],
    [{ partitions: [-1] }, 'partitions="-1": "-1" is neither a partition number nor a range such as 0-3'],
    [{ fencing: 'maybe' }, 'fencing="maybe": it must be true or false'],
    [{ useReplicaOnly: true, rebuild: true }, 'rebuild: with useReplicaOnly=true nothing is written'],
    [{ changelogTopic: 'orders' }, 'changelogTopic="orders": it must differ from sourceTopic'],
    [{ valueFormat: 'protobuf' }, 'protoFile is missing: valueFormat=protobuf needs the file of its message'],
  ])('%o is refused', (options, text) => {
    expect(() => settingsOf({ ...least, ...options } as OpenOptions)).toThrow(text)
  })

  test('options without effect cause a notice, by their names', () => {
    const { notices } = settingsOfOptions(
      { ...least, kafkaProperties: { 'linger.ms': 5, 'queue.buffering.max.kbytes': 1 } },
      false,
    )
    expect(notices).toEqual([expect.stringContaining('kafkaProperties: queue.buffering.max.kbytes has no effect')])
  })
})
