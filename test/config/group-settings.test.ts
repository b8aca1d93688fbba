import { expect, test } from 'bun:test'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readCommand } from '../../lib/config/index.ts'
import type { LatchkeyError } from '../../lib/errors.ts'

const required = { SOURCE_TOPIC: 'orders', KAFKA_BROKERS: 'localhost:9092' }
const elastic = { ...required, ELASTIC: 'true' }

function read(environment: Record<string, string>, argv: string[] = []) {
  const command = readCommand({ argv, environment, envDirectories: [] })
  if (!('settings' in command)) throw new Error(`read ${command.action}`)
  return command
}

function faultsOf(environment: Record<string, string>, argv: string[] = []): string[] {
  try {
    read(environment, argv)
  } catch (error) {
    return (error as LatchkeyError).details['faults'] as string[]
  }
  return []
}

test('without ELASTIC there is no group', () => {
  const { settings, notices } = read(required)
  expect([settings.elastic, settings.group, notices]).toEqual([undefined, undefined, []])
})

test('ELASTIC alone has a default for everything', () => {
  const { settings, notices } = read(elastic)
  expect(settings.elastic).toEqual({})
  expect(settings.group).toEqual({
    standbys: 1,
    advertisedUrl: undefined,
    routing: 'proxy',
    handoverSeconds: 20,
    peerCa: undefined,
  })
  const { sessionTimeoutMs, heartbeatMs } = settings.clients.consumer
  expect([sessionTimeoutMs, heartbeatMs, notices]).toEqual([6_000, 500, []])
})

test.each([
  ['http://10.0.0.7:8080', 'http://10.0.0.7:8080'],
  ['HTTPS://orders.example/', 'https://orders.example'],
  ['http://[fd00::1]:8080/latchkey/', 'http://[fd00::1]:8080/latchkey'],
])('ADVERTISED_URL=%s is %s', (text, url) => {
  expect(read({ ...elastic, ADVERTISED_URL: text }).settings.group?.advertisedUrl).toBe(url)
})

test.each([
  '10.0.0.7:8080',
  'ftp://a',
  'http://user:pw@a',
  'http://a/?b',
  'http://a/?',
  'http://a/#b',
  'http://a/#',
  'http://',
])('ADVERTISED_URL=%s is refused', (text) => {
  expect(faultsOf({ ...elastic, ADVERTISED_URL: text })).toEqual([
    expect.stringContaining('it must be an http or https'),
  ])
})

test.each([
  ['http://0.0.0.0:8080', 'it stands for all addresses'],
  ['http://0:8080', 'it stands for all addresses'],
  ['http://[::]', 'it stands for all addresses'],
  ['https://[::ffff:0.0.0.0]:8080', 'it stands for all addresses'],
  ['http://10.0.0.7:0', 'nothing is reached at port 0'],
])('ADVERTISED_URL=%s leads nowhere: %s', (text, found) => {
  expect(faultsOf({ ...elastic, ADVERTISED_URL: text })).toEqual([
    `ADVERTISED_URL="${text}" (environment): ${found}; name the one that the others reach`,
  ])
})

test.each([
  ['PARTITIONS', '0-3'],
  ['PARTITIONS_REPLICA', '0'],
  ['USE_REPLICA_ONLY', 'true'],
  ['USE_PROCESSING_ONLY', 'true'],
  ['WAIT_FOR_REPLICAS', 'true'],
  ['FENCING', 'false'],
  ['PARTITIONER', 'none'],
])('%s=%s contradicts ELASTIC', (name, value) => {
  const [fault, ...others] = faultsOf({ ...elastic, [name]: value })
  expect(fault).toStartWith(`${name}="${value}" (environment): it excludes ELASTIC=true: `)
  expect(others).toEqual([])
})

test('all contradictions are reported together', () => {
  expect(faultsOf({ ...elastic, PARTITIONS: '0', FENCING: 'false' })).toHaveLength(2)
})

test('a rebuild may be requested with ELASTIC', () => {
  expect(read(elastic, ['--rebuild']).settings).toMatchObject({ elastic: {}, rebuild: true })
})

test.each(['STANDBYS=2', 'ADVERTISED_URL=http://a', 'ROUTING=none', 'HANDOVER_SECONDS=5', 'PEER_CA=a'])(
  '%s has no effect without ELASTIC, which is said',
  (text) => {
    const [name = '', value = ''] = text.split('=')
    expect(read({ ...required, [name]: value }).notices).toEqual([`${name} has no effect without ELASTIC=true`])
  },
)

test.each([
  ['STANDBYS', '4'],
  ['ROUTING', 'redirect'],
  ['HANDOVER_SECONDS', '-1'],
])('%s=%s is refused', (name, value) => {
  expect(faultsOf({ ...elastic, [name]: value })).toEqual([expect.stringContaining(`${name}="${value}"`)])
})

test('a heartbeat has to be sent three times within a session', () => {
  const KAFKA_CONSUMER_PROPERTIES = 'session.timeout.ms=6000,heartbeat.interval.ms=2001'
  expect(faultsOf({ ...elastic, KAFKA_CONSUMER_PROPERTIES })).toEqual([
    'KAFKA_CONSUMER_PROPERTIES: heartbeat.interval.ms=2001 must be at most a third of session.timeout.ms=6000',
  ])
  expect(faultsOf({ ...required, KAFKA_CONSUMER_PROPERTIES })).toEqual([])
})

test('PEER_CA has to hold certificates', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'latchkey-')), 'ca.pem')
  expect(faultsOf({ ...elastic, PEER_CA: path })).toEqual([expect.stringContaining('the file cannot be read')])
  writeFileSync(path, 'nothing')
  expect(faultsOf({ ...elastic, PEER_CA: path })).toEqual([expect.stringContaining('it holds no certificate')])
})
