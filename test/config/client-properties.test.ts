import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseProperties } from '../../lib/config/client-properties/parse.ts'
import { properties, readClientProperties } from '../../lib/config/client-properties/read.ts'
import { withoutEffect } from '../../lib/config/client-properties/without-effect.ts'
import { readCommand } from '../../lib/config/index.ts'
import type { LatchkeyError } from '../../lib/errors.ts'
import { all, consumer, faultsOf, read } from '../support/config/properties.ts'

const folder = mkdtempSync(join(tmpdir(), 'latchkey-properties-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the text of properties', () => {
  test('values keep their equals signs, and their commas when these are escaped', () => {
    const { given, faults } = parseProperties('sasl.password=a=b\\,c\\d, client.id = x ,', false)
    expect(faults).toEqual([])
    expect(given.map(({ name, value }) => [name, value])).toEqual([
      ['sasl.password', 'a=b,c\\d'],
      ['client.id', ' x '],
    ])
  })

  test('lines separate too, and may be comments, when the text comes from a file', () => {
    const { given } = parseProperties('# users, of all\nacks=all\r\n\nlinger.ms=5,batch.size=9', true)
    expect(given.map(({ name }) => name)).toEqual(['acks', 'linger.ms', 'batch.size'])
  })

  test('a piece without equals sign is a fault, and the fault does not show it', () => {
    expect(faultsOf('sasl.password=top,secret')).toEqual([
      'KAFKA_PROPERTIES: item 2 is not name=value; a comma inside a value is written \\,',
    ])
    expect(faultsOf('sasl.password=top,sec=ret')).toEqual([
      'KAFKA_PROPERTIES: item 2, after sasl.password, is not a property; a comma inside a value is written \\,',
    ])
  })
})

describe('the table', () => {
  test('every property and alias stands once', () => {
    const names = [...properties.flatMap(({ name, aliases }) => [name, ...aliases]), ...withoutEffect.keys()]
    expect(names.length).toBe(new Set(names).size)
  })

  test('names and aliases mean the same', () => {
    expect(consumer('max.partition.fetch.bytes=77')).toEqual(consumer('fetch.message.max.bytes=77'))
    expect(faultsOf('sasl.mechanism=PLAIN,sasl.mechanisms=PLAIN')).toEqual([
      'KAFKA_PROPERTIES: sasl.mechanism is given twice',
    ])
  })

  test('an unknown property is refused with the nearest name', () => {
    expect(faultsOf('fetch.min.byte=1')).toEqual([
      'KAFKA_PROPERTIES: "fetch.min.byte" is not a property: did you mean fetch.min.bytes?',
    ])
    expect(faultsOf('colour=blue')).toEqual([
      'KAFKA_PROPERTIES: "colour" is not a property of librdkafka; correct or remove it',
    ])
  })

  test.each([
    ['fetch.wait.max.ms=-1', 'a whole number from 0 to 300000'],
    ['fetch.min.bytes=0', 'a whole number from 1 to 100000000'],
    ['linger.ms=900001', 'a number from 0 to 900000'],
    ['batch.size=1e6', 'a whole number from 1 to 2147483647'],
    ['compression.type=brotli', 'none, gzip, snappy, lz4 or zstd'],
    ['acks=0', 'all, -1 or 1'],
    ['acks=2', 'all, -1 or 1'],
    ['isolation.level=serializable', 'read_uncommitted'],
    ['auto.offset.reset=middle', 'earliest (smallest, beginning), latest (largest, end) or error'],
    ['check.crcs=yes', 'true or false'],
    ['security.protocol=tls', 'plaintext, ssl, sasl_plaintext or sasl_ssl'],
    ['sasl.mechanism=GSSAPI', 'PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512'],
    ['bootstrap.servers=http://a', 'has a scheme'],
    ['client.id=', 'a text that is not empty'],
    ['socket.connection.setup.timeout.ms=999', 'a whole number from 1000 to 2147483647'],
  ])('%s is refused with what is allowed', (text, allowed) => {
    const [fault, ...more] = faultsOf(text)
    expect(more).toEqual([])
    expect(fault).toStartWith(`KAFKA_PROPERTIES: ${text.split('=')[0]}=`)
    expect(fault).toContain(allowed)
  })

  test.each([
    ['true', true],
    ['T', true],
    ['1', true],
    ['False', false],
    ['f', false],
    ['0', false],
  ])('%s is a truth value', (word, expected) => {
    expect(consumer(`check.crcs=${word}`).fetch.checkCrcs).toBe(expected)
  })

  test('an invalid PEM key is not shown', () => {
    const faults = faultsOf('security.protocol=ssl,ssl.key.pem=   ')
    expect(faults[0]).toBe('KAFKA_PROPERTIES: ssl.key.pem: it must be a text in PEM, its line ends written \\n')
    const faultsOfKey = faultsOf(
      'security.protocol=ssl,ssl.certificate.pem=a,ssl.key.pem=hunter2,ssl.key.password=hunter3',
    )
    expect(faultsOfKey.length).toBeGreaterThan(0)
    expect(faultsOfKey.join()).not.toContain('hunter')
  })

  test.each([
    ['max.poll.interval.ms=6000', 'it needs membership in a group'],
    ['statistics.interval.ms=1000', '/metrics'],
    ['debug=all', 'LOG_LEVEL'],
    ['partitioner=murmur2', 'goes to the partition of its source record'],
    ['enable.auto.commit=true', 'once the changelog has acknowledged'],
  ])('%s is accepted with the reason why it does nothing', (text, reason) => {
    const { faults, notices } = read(text)
    expect(faults).toEqual([])
    expect(notices).toEqual([expect.stringContaining(reason)])
  })

  test.each([
    'ssl.crl.location=x',
    'ssl.keystore.location=x',
    'sasl.kerberos.keytab=x',
    'sasl.oauthbearer.method=oidc',
  ])('%s is refused, since a store that ignored it would be less secure than intended, or not be let in', (text) =>
    expect(faultsOf(text)).toEqual([expect.stringContaining('not supported')]),
  )

  test.each([
    ['auto.offset.reset=latest', 'lacks every key'],
    ['isolation.level=read_uncommitted', 'aborted transactions'],
    ['check.crcs=false', 'not noticed'],
    ['acks=1', 'may be lost'],
    ['retries=3', 'exit code 1'],
    ['enable.ssl.certificate.verification=false', 'not verified'],
    ['sasl.username=a', 'has no effect'],
    ['ssl.ca.location=/nowhere', 'no effect with security.protocol=plaintext'],
    ['compression.level=5', 'no effect with compression.type=none'],
  ])('%s is accepted with a notice about its cost', (text, said) => {
    const { faults, notices } = read(text)
    expect(faults).toEqual([])
    expect(notices.join()).toContain(said.replace('has no effect', 'have no effect'))
  })

  test('a property of another client is ignored with a notice', () => {
    const { clients, notices } = read('acks=1', ['consumer'])
    expect(clients.producer.produce.acks).toBe(-1)
    expect(notices).toEqual(['KAFKA_PROPERTIES: acks is ignored: it is a property of the changelog producer'])
  })

  test('properties of one client override the shared ones', () => {
    const { clients } = readClientProperties([
      { variable: 'KAFKA_PROPERTIES', clients: all, text: 'client.id=shared,fetch.min.bytes=5', byLine: false },
      { variable: 'KAFKA_CHANGELOG_PROPERTIES', clients: ['changelog'], text: 'client.id=own', byLine: false },
    ])
    expect(clients.consumer.connection.clientId).toBe('shared')
    expect(clients.changelog.connection.clientId).toBe('own')
    expect(clients.changelog.fetch.minBytes).toBe(5)
  })

  test('the result is frozen, and can be sent to another thread', () => {
    const { clients } = read('security.protocol=sasl_ssl,sasl.mechanism=PLAIN,sasl.username=a,sasl.password=b')
    expect(Object.isFrozen(clients.consumer.connection.sasl)).toBe(true)
    expect(structuredClone(clients)).toEqual(clients)
  })
})

describe('properties that depend on each other', () => {
  test.each([
    ['receive.message.max.bytes=5000', 'must be 512 more than fetch.max.bytes=8388608'],
    ['enable.idempotence=true,acks=1', 'needs acks=all'],
    ['security.protocol=sasl_ssl', 'needs sasl.mechanism and sasl.username and sasl.password'],
    ['security.protocol=sasl_plaintext,sasl.mechanism=PLAIN,sasl.username=a', 'needs sasl.password'],
  ])('%s is refused', (text, said) => {
    expect(faultsOf(text)).toEqual([expect.stringContaining(said)])
  })
})

test('a fault names the setting that gave the last of the properties it is about', () => {
  const { faults } = readClientProperties([
    { variable: 'KAFKA_PROPERTIES', clients: all, text: 'fetch.max.bytes=4488', byLine: false },
    {
      variable: 'KAFKA_CHANGELOG_PROPERTIES',
      clients: ['changelog'],
      text: 'receive.message.max.bytes=4999',
      byLine: false,
    },
  ])
  expect(faults).toEqual([
    'KAFKA_CHANGELOG_PROPERTIES: receive.message.max.bytes=4999 must be 512 more than fetch.max.bytes=4488, or greater',
  ])
  expect(faultsOf('fetch.max.bytes=4488,receive.message.max.bytes=5000')).toEqual([])
})

describe('settings', () => {
  const required = { SOURCE_TOPIC: 'orders', KAFKA_BROKERS: 'kafka:9092' }
  const command = (environment: Record<string, string>) =>
    readCommand({ argv: [], environment: { ...required, ...environment }, envDirectories: [] })

  test('each setting is for its client, and none is kept as text', () => {
    const given = command({
      KAFKA_PROPERTIES: 'client.id=all',
      KAFKA_CONSUMER_PROPERTIES: 'fetch.wait.max.ms=1',
      KAFKA_PRODUCER_PROPERTIES: 'linger.ms=2',
      KAFKA_CHANGELOG_PROPERTIES: 'fetch.wait.max.ms=3,acks=all',
    })
    if (given.action !== 'run') throw new Error(given.action)
    const { consumer: source, producer, changelog } = given.settings.clients
    expect([source.fetch.maxWaitMs, producer.produce.lingerMs, changelog.fetch.maxWaitMs]).toEqual([1, 2, 3])
    expect(Object.keys(given.settings).filter((key) => /properties/i.test(key))).toEqual([])
    expect(given.notices).toEqual([expect.stringContaining('KAFKA_CHANGELOG_PROPERTIES: acks is ignored')])
  })

  test('properties may come from a file', () => {
    const path = join(folder, 'kafka.properties')
    writeFileSync(path, '# of all clients\nclient.id=filed\nsasl.username=a\n')
    const given = command({ KAFKA_PROPERTIES_FILE: path })
    expect(given.action === 'run' && given.settings.clients.producer.connection.clientId).toBe('filed')
  })

  test('no fault shows a secret, and all are reported together', () => {
    const environment = {
      SERVER_PORT: 'x',
      KAFKA_PROPERTIES: 'sasl.password=hunter2,sasl.pasword=hunter2,linger.ms=x,ssl.key.password=',
      KAFKA_PRODUCER_PROPERTIES: 'enable.idempotence=maybe',
    }
    try {
      command(environment)
    } catch (error) {
      const { faults } = (error as LatchkeyError).details as { faults: string[] }
      expect(faults).toHaveLength(5)
      return expect((error as LatchkeyError).message).not.toContain('hunter2')
    }
    throw new Error('Settings were accepted')
  })

  test('a producer that is not idempotent cannot fence', () => {
    const plain = { KAFKA_PRODUCER_PROPERTIES: 'enable.idempotence=false' }
    expect(() => command(plain)).toThrow('needs FENCING=false')
    expect(command({ ...plain, FENCING: 'false' }).action).toBe('run')
  })
})
