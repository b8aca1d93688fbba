import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConfigInput, helpText, readCommand, type Settings } from '../lib/config.ts'
import { defaultClients } from '../lib/config/client-properties.ts'
import { flagOf, metadataOf, settingKeys } from '../lib/config/settings.ts'
import { threadsDefault } from '../lib/config/threads.ts'
import { LatchkeyError } from '../lib/errors.ts'

const required = { SOURCE_TOPIC: 'orders', KAFKA_BROKERS: 'kafka' }
let root: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'latchkey-config-'))
})
afterAll(() => rmSync(root, { recursive: true }))

function read(input: Partial<ConfigInput>) {
  return readCommand({ argv: [], environment: {}, envDirectories: [], ...input })
}

function settingsOf(input: Partial<ConfigInput>): Settings {
  const command = read(input)
  if (!('settings' in command)) throw new Error(`No settings: ${command.action}`)
  return command.settings
}

function faultsOf(input: Partial<ConfigInput>): string[] {
  try {
    read(input)
  } catch (error) {
    expect(error).toBeInstanceOf(LatchkeyError)
    expect((error as LatchkeyError).code).toBe('invalid_settings')
    const { faults } = (error as LatchkeyError).details as { faults: string[] }
    for (const fault of faults) expect((error as LatchkeyError).message).toContain(fault)
    return faults
  }
  throw new Error('Settings were accepted')
}

/** A directory with this `.env`. */
function directoryWith(text: string): string {
  const directory = mkdtempSync(join(root, 'dir-'))
  writeFileSync(join(directory, '.env'), text)
  return directory
}

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
      storeThreads: threadsDefault(availableParallelism()),
      readerPoolSize: 1000,
      serverBind: '0.0.0.0',
      serverPort: 8080,
      httpThreads: threadsDefault(availableParallelism()),
      serverConnectionsMax: 4096,
      readyWhen: 'caught-up',
      fencing: true,
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
  ])('nothing is flushed sooner than the user said when the settings are %p', (environment, expected) => {
    expect(settingsOf({ environment: { ...required, ...environment } }).autoFlushWhenIdle).toBe(expected)
  })

  test.each([
    [1, 1],
    [7, 1],
    [8, 2],
    [64, 8],
  ])('with %p cores there are %p threads of a kind by default', (cores, threads) => {
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

  test('a flag beats the environment and that beats the env file when all give a setting', () => {
    const directory = directoryWith('STORE_ID=file\nSERVER_PORT=1\nREADER_POOL_SIZE=7')
    const settings = settingsOf({
      argv: ['--store-id=flag'],
      environment: { ...required, STORE_ID: 'environment', SERVER_PORT: '2' },
      envDirectories: [directory],
    })
    expect(settings).toMatchObject({ storeId: 'flag', serverPort: 2, readerPoolSize: 7 })
  })

  test('empty text counts as not given when a lower source has a value', () => {
    const directory = directoryWith('STORE_ID=file')
    const environment = { ...required, STORE_ID: '', SERVER_PORT: ' ' }
    expect(settingsOf({ environment, envDirectories: [directory] })).toMatchObject({
      storeId: 'file',
      serverPort: 8080,
    })
  })

  test('the first directory with an env file counts when several have one', () => {
    const [first, second] = [directoryWith('STORE_ID=first'), directoryWith('STORE_ID=second')]
    const without = mkdtempSync(join(root, 'dir-'))
    expect(settingsOf({ environment: required, envDirectories: [without, first, second] }).storeId).toBe('first')
  })

  test('--env-file is read instead of .env when given', () => {
    const directory = directoryWith('SERVER_PORT=1')
    const path = join(directory, 'other.env')
    writeFileSync(path, '\uFEFF# ours\r\nSTORE_ID="other"\r\nexport READER_POOL_SIZE=9 # few\r\n')
    const settings = settingsOf({ argv: ['--env-file', path], environment: required, envDirectories: [directory] })
    expect(settings).toMatchObject({ storeId: 'other', readerPoolSize: 9, serverPort: 8080 })
  })

  test('--env-file is a fault when the file does not exist', () => {
    const path = join(root, 'absent.env')
    expect(faultsOf({ argv: [`--env-file=${path}`], environment: required })).toEqual([
      `${path} cannot be read as env file: there is no such file (ENOENT)`,
    ])
  })

  test('every fault is in one message when several settings are wrong', () => {
    const directory = directoryWith('AUTO_FLUSH_COUNT=0\nSOURCE_TOPC=orders')
    const faults = faultsOf({
      argv: ['--sever-port', '80', '--log-level=loud', 'stray'],
      environment: { KAFKA_BROKERS: 'http://kafka,::1', SERVER_PORT: '80a' },
      envDirectories: [directory],
    })
    const path = join(directory, '.env')
    expect(faults).toEqual([
      '"--sever-port" is no flag: did you mean --server-port?',
      '"stray" is not expected: settings are given as flags',
      `SOURCE_TOPC in ${path} is no setting: did you mean SOURCE_TOPIC?`,
      `SOURCE_TOPIC is missing: it must be ${metadataOf('sourceTopic').allowed}`,
      'KAFKA_BROKERS="http://kafka,::1" (environment): "http://kafka" has a scheme; leave it out, "::1" has more than one colon; an IPv6 address stands in brackets, as in [::1]:9092',
      `AUTO_FLUSH_COUNT="0" (${path}): it must be a whole number from 1 to 10000000`,
      'SERVER_PORT="80a" (environment): it must be a whole number from 0 to 65535',
      'LOG_LEVEL="loud" (flag): it must be trace, debug, info, warning or error',
    ])
  })

  test.each([
    ['SOURCE_TOPIC', 'a/b'],
    ['SOURCE_TOPIC', '..'],
    ['STORE_ID', 'x'.repeat(250)],
    ['STORE_ID', 'a b'],
    ['CHANGELOG_TOPIC', 'ä'],
    ['INITIAL_CAPACITY', '-1'],
    ['INITIAL_CAPACITY', '1e6'],
    ['INITIAL_CAPACITY', '1000000001'],
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
    ['READY_WHEN', 'ready'],
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
    ['AUTO_FLUSH_SECONDS', '0.25', 'autoFlushSeconds', 0.25],
    ['SERVER_BIND', '[::]', 'serverBind', '::'],
    ['SERVER_PORT', '0', 'serverPort', 0],
    ['FENCING', 'FALSE', 'fencing', false],
    ['READY_WHEN', 'recovered', 'readyWhen', 'recovered'],
    ['SOURCE_TOPIC', 'A.b_c-9', 'sourceTopic', 'A.b_c-9'],
  ] as const)('%s is taken when it is %p', (variable, value, key, expected) => {
    expect(settingsOf({ environment: { ...required, [variable]: value } })[key]).toBe(expected)
  })

  test.each([
    ['3', [3]],
    ['0-3,7', [0, 1, 2, 3, 7]],
    [' 7 , 5-5,1-2', [1, 2, 5, 7]],
    ['10,9', [9, 10]],
    ['99999', [99_999]],
    ['', []],
  ])('PARTITIONS is taken when it is %p', (text, expected) => {
    const environment = { ...required, PARTITIONS: text, PARTITIONS_REPLICA: '' }
    expect(settingsOf({ environment }).partitions).toEqual(expected)
  })

  test.each([
    ['3-1', '"3-1" is no partition number and no range such as 0-3'],
    ['x', '"x" is no partition number'],
    ['1,,2', '"" is no partition number'],
    ['1-2-3', '"1-2-3" is no partition number'],
    ['-1', '"-1" is no partition number'],
    ['99999-100000', '"99999-100000" is no partition number'],
    ['1,1', 'partition 1 is named twice'],
    ['0-3,2', 'partition 2 is named twice'],
  ])('PARTITIONS is refused when it is %p', (text, expected) => {
    expect(faultsOf({ environment: { ...required, PARTITIONS: text } })).toEqual([expect.stringContaining(expected)])
  })

  test.each([
    ['--wait-for-replicas', 'waitForReplicas'],
    ['--use-replica-only', 'useReplicaOnly'],
    ['--use-processing-only', 'useProcessingOnly'],
  ] as const)('%s is a switch', (flag, key) => {
    expect(settingsOf({ argv: [flag], environment: required })[key]).toBe(true)
    expect(settingsOf({ argv: [flag, 'FALSE'], environment: required })[key]).toBe(false)
  })

  test('what follows an unknown flag is no further fault, as its value; anything else is', () => {
    const stray = (word: string) => `"${word}" is not expected: settings are given as flags`
    const unknown = expect.stringContaining('"--unknown" is no flag')
    const argv = (...words: string[]) => faultsOf({ argv: words, environment: required })
    expect(argv('--unknown', 'value')).toEqual([unknown])
    expect(argv('--unknown', 'value', 'other')).toEqual([unknown, stray('other')])
    expect(argv('--unknown=1', 'value')).toEqual([expect.stringContaining('is no flag'), stray('value')])
    expect(argv('value', '--fencing')).toEqual([stray('value')])
    expect(argv('--fencing', 'value')).toEqual([stray('value')])
    expect(argv('--store-id', 'a', 'true')).toEqual([stray('true')])
  })

  test.each([
    [['--structured-logging'], true],
    [['--structured-logging', 'false'], false],
    [['--structured-logging=true'], true],
    [['--structured-logging', 'true'], true],
    [['--structured-logging=false'], false],
    [['--no-structured-logging'], false],
  ])('a switch is read when the command line has %p', (argv, expected) => {
    const environment = { ...required, STRUCTURED_LOGGING: String(!expected) }
    expect(settingsOf({ argv, environment }).structuredLogging).toBe(expected)
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

  test('the topic for bad records is taken when it is one of its own', () => {
    const environment = { ...required, ON_BAD_RECORD: 'dead-letter', DEAD_LETTER_TOPIC: 'orders-bad' }
    expect(settingsOf({ environment })).toMatchObject({ onBadRecord: 'dead-letter', deadLetterTopic: 'orders-bad' })
  })

  test('headers to keep are names with an end that may be open', () => {
    const keep = (text: string) => settingsOf({ environment: { ...required, KEEP_HEADERS: text } }).keepHeaders
    expect(keep(' trace-id, x-*,trace-id,,')).toEqual(['trace-id', 'x-*'])
    expect(keep('*')).toEqual(['*'])
    const fault = (text: string) => faultsOf({ environment: { ...required, KEEP_HEADERS: text } })
    expect(fault('a*b')).toEqual([expect.stringContaining('"a*b" is no name')])
    expect(fault('x'.repeat(257))).toEqual([expect.stringContaining('up to 256 characters')])
    expect(fault('id,src')).toEqual([expect.stringContaining('"src" is reserved')])
    expect(fault(Array.from({ length: 101 }, (_, i) => i).join())).toEqual([expect.stringContaining('more than 100')])
  })

  test('a changelog is asked for when its default name would be too long', () => {
    const environment = { ...required, SOURCE_TOPIC: 'x'.repeat(245) }
    expect(faultsOf({ environment })).toEqual([
      expect.stringMatching(/^CHANGELOG_TOPIC is missing: .* is longer than the 249/),
    ])
    const named = { ...environment, CHANGELOG_TOPIC: 'short' }
    expect(settingsOf({ environment: named }).changelogTopic).toBe('short')
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
  ])('KAFKA_BROKERS is taken when it is %p', (text, expected) => {
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

  test.each([
    [['--port', '1'], '--server-port'],
    [['--brokers=a'], '--kafka-brokers'],
    [['--souce-topic=a'], '--source-topic'],
    [['--hlep'], '--help'],
    [['--no-store-id'], undefined],
    [['-x'], undefined],
    [['--completely-different'], undefined],
  ])('a flag is refused when it is unknown as in %p', (argv, near) => {
    const hint = near ? `did you mean ${near}?` : 'see latchkey --help'
    expect(faultsOf({ argv, environment: required })).toEqual([expect.stringContaining(`is no flag: ${hint}`)])
  })

  test('a flag is refused when its value is missing', () => {
    const missing = ['--store-id has no value: give one, as in --store-id=…']
    expect(faultsOf({ argv: ['--store-id'], environment: required })).toEqual(missing)
    expect(faultsOf({ argv: ['--store-id', '--fencing'], environment: required })).toEqual(missing)
  })

  test('a variable of the environment is only noticed when it is almost a setting', () => {
    const command = read({ environment: { ...required, LOG_LEVLE: 'info', PATH: '/bin' } })
    expect(command).toMatchObject({
      action: 'run',
      notices: ['LOG_LEVLE in the environment is no setting: did you mean LOG_LEVEL?'],
    })
  })

  test.each(['SOURCE_TOPIC: orders', 'export SOURCE_TOPIC orders', ' SOURCE_TOPIC', 'SOURCE_TOPIC: a=b'])(
    'a line of an env file that gives a setting no value is a fault: %s',
    (line) => {
      const directory = directoryWith(`# ours\n${line}\nKAFKA_BROKERS=kafka:9092\n`)
      expect(faultsOf({ envDirectories: [directory] })).toContain(
        `line 2 of ${join(directory, '.env')} gives SOURCE_TOPIC no value: it must be SOURCE_TOPIC=<value>`,
      )
    },
  )

  test('variables of others are left alone when an env file has them', () => {
    const directory = directoryWith('POSTGRES_PASSWORD=x\nPORT=1\nTZ=UTC')
    expect(settingsOf({ environment: required, envDirectories: [directory] }).serverPort).toBe(8080)
  })

  test('control characters are escaped when a value has them', () => {
    const faults = faultsOf({ environment: { ...required, STORE_ID: 'a\u001b[31m\nb' } })
    expect(faults[0]).toContain(String.raw`STORE_ID="a\u001b[31m\nb"`)
  })

  test('the action is asked for when a flag of its own is given', () => {
    expect(read({ argv: ['--help', '--nonsense'] })).toEqual({ action: 'help' })
    expect(read({ argv: ['-h'] })).toEqual({ action: 'help' })
    expect(read({ argv: ['--version'] })).toEqual({ action: 'version' })
    expect(read({ argv: ['--check'], environment: required }).action).toBe('check')
    expect(read({ environment: required }).action).toBe('run')
  })

  test('a rebuild is asked for by its flag alone, and refused where nothing could be deleted', () => {
    expect(read({ argv: ['--rebuild'], environment: required })).toMatchObject({
      action: 'run',
      settings: { rebuild: true },
    })
    expect(settingsOf({ environment: { ...required, REBUILD: 'true' } })).not.toHaveProperty('rebuild')
    for (const variable of ['USE_REPLICA_ONLY', 'USE_PROCESSING_ONLY']) {
      const faults = faultsOf({ argv: ['--rebuild'], environment: { ...required, [variable]: 'true' } })
      expect(faults).toEqual([expect.stringContaining(`--rebuild: with ${variable}=true `)])
    }
  })
})

describe('helpText', () => {
  test('help names flag, variable, default and meaning when any setting is looked for', () => {
    const text = helpText(false)
    for (const key of settingKeys) {
      const { variable, meaning, allowed, default: defaultText } = metadataOf(key)
      expect(text).toContain(flagOf(variable))
      expect(text).toContain(variable)
      expect(text).toContain(meaning)
      expect(text).toContain(`Allowed: ${allowed}`)
      if (defaultText) expect(text).toContain(`Default: ${defaultText}`)
    }
    expect(text.indexOf('Examples')).toBeLessThan(text.indexOf('Settings'))
  })

  test('help has escapes only when color is wanted', () => {
    expect(helpText(false)).not.toContain('\u001b')
    expect(helpText(true)).toContain('\u001b[1m')
  })
})
