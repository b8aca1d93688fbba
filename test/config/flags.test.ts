import { expect, test } from 'bun:test'
import { readCommand } from '../../lib/config/index.ts'
import { faultsOf, read, required, settingsOf } from '../support/config/read.ts'

test.each([
  ['--wait-for-replicas', 'waitForReplicas'],
  ['--use-replica-only', 'useReplicaOnly'],
  ['--use-processing-only', 'useProcessingOnly'],
] as const)('%s is a switch', (flag, key) => {
  expect(settingsOf({ argv: [flag], environment: required })[key]).toBe(true)
  expect(settingsOf({ argv: [flag, 'FALSE'], environment: required })[key]).toBe(false)
})

test('a value after an unknown flag is no further fault; anything else is', () => {
  const stray = (word: string) =>
    `"${word}" is not expected: settings are given as flags, such as --source-topic orders`
  const unknown = expect.stringContaining('"--unknown" is not a flag')
  const argv = (...words: string[]) => faultsOf({ argv: words, environment: required })
  expect(argv('--unknown', 'value')).toEqual([unknown])
  expect(argv('--unknown', 'value', 'other')).toEqual([unknown, stray('other')])
  expect(argv('--unknown=1', 'value')).toEqual([expect.stringContaining('is not a flag'), stray('value')])
  expect(argv('--fencing', 'value')).toEqual([stray('value')])
  expect(argv('--store-id', 'a', 'true')).toEqual([stray('true')])
})

test('a first word that is no command is named, with the one that was probably meant', () => {
  const argv = (...words: string[]) => faultsOf({ argv: words, environment: required })
  expect(argv('orders', '--fencing')).toEqual([
    '"orders" is not a command: it must be one of get, dump, watch, status, print, check, or a flag',
  ])
  expect(argv('stauts')).toEqual(['"stauts" is not a command: did you mean status?'])
  expect(argv('help')).toEqual(['"help" is not a command: did you mean --help?'])
  expect(argv('dashbord')).toEqual(['"dashbord" is not a command: did you mean print dashboard?'])
  expect(argv('--server-port=1', 'get')).toEqual([
    '"get" is not expected: a command stands before its flags, as in latchkey get …',
  ])
})

test('the command check is the flag --check', () => {
  const input = { argv: ['check', '--store-id', 'a'], environment: required, envDirectories: [] }
  expect(readCommand(input)).toMatchObject({ action: 'check', settings: { storeId: 'a' } })
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

test.each([
  [['--port', '1'], '--server-port or --resp-port'],
  [['--bind', '::'], '--server-bind'],
  [['--brokers=a'], '--kafka-brokers'],
  [['--souce-topic=a'], '--source-topic'],
  [['--hlep'], '--help'],
  [['--no-store-id'], undefined],
  [['-x'], undefined],
  [['--completely-different'], undefined],
])('a flag is refused when it is unknown as in %p', (argv, near) => {
  const hint = near ? `did you mean ${near}?` : 'leave it out; --help all has those that are'
  expect(faultsOf({ argv, environment: required })).toEqual([expect.stringContaining(`is not a flag: ${hint}`)])
})

test('a flag is refused when its value is missing', () => {
  const missing = ['--store-id has no value: give one, as in --store-id=…']
  expect(faultsOf({ argv: ['--store-id'], environment: required })).toEqual(missing)
  expect(faultsOf({ argv: ['--store-id', '--fencing'], environment: required })).toEqual(missing)
})

test('the action is the one that its flag names', () => {
  expect(read({ argv: ['--help', '--nonsense'] })).toEqual({ action: 'help' })
  expect(read({ argv: ['-h'] })).toEqual({ action: 'help' })
  expect(read({ argv: ['--help', 'kafka'] })).toEqual({ action: 'help', topic: 'kafka' })
  expect(read({ argv: ['--help=all'] })).toEqual({ action: 'help', topic: 'all' })
  for (const flag of ['--version', '-V', '-v']) expect(read({ argv: [flag] })).toEqual({ action: 'version' })
  expect(read({ argv: ['--check'], environment: required }).action).toBe('check')
  expect(read({ environment: required }).action).toBe('run')
})

test('a rebuild is requested by its flag alone, and refused where nothing could be deleted', () => {
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

test('help about an unknown subject is refused with the known ones', () => {
  const fault = '--help "kafak": it must be one of all, kafka, formats, http, memory, group, commands, or nothing'
  expect(faultsOf({ argv: ['--help', 'kafak'], environment: required })).toEqual([fault])
  expect(faultsOf({ argv: ['--help', 'kafak', '--nonsense'] })).toEqual([fault])
})

test.each([
  ['yes', true],
  ['on', true],
  ['1', true],
  ['No', false],
  ['off', false],
  ['0', false],
])('a switch understands %s, as a flag and in the environment', (word, expected) => {
  expect(settingsOf({ argv: ['--use-replica-only', word], environment: required }).useReplicaOnly).toBe(expected)
  const environment = { ...required, USE_REPLICA_ONLY: word }
  expect(settingsOf({ environment }).useReplicaOnly).toBe(expected)
})

test.each(['warn', 'WARN', 'warning', 'Warning'])('%s is a level of the log', (level) => {
  expect(settingsOf({ argv: ['--log-level', level], environment: required }).logLevel).toBe('warning')
})

const brokers = { KAFKA_BROKERS: 'kafka' }
const slips: { argv: string[]; environment?: Record<string, string>; fault: string }[] = [
  { argv: ['--sorce-topic', 'orders'], fault: '"--sorce-topic" is not a flag: did you mean --source-topic?' },
  { argv: ['--sorce-topic=orders'], fault: '"--sorce-topic" is not a flag: did you mean --source-topic?' },
  { argv: ['--sorce-topic'], fault: '"--sorce-topic" is not a flag: did you mean --source-topic?' },
  { argv: ['-source-topic', 'orders'], fault: '"-source-topic" is not a flag: did you mean --source-topic?' },
  { argv: ['-source-topic=orders'], fault: '"-source-topic=orders" is not a flag: did you mean --source-topic?' },
  { argv: ['--source-topic'], fault: '--source-topic has no value: give one, as in --source-topic=…' },
  {
    argv: ['--use-replica-onyl', '--store-id', 'a'],
    fault: '"--use-replica-onyl" is not a flag: did you mean --use-replica-only?',
  },
  {
    argv: ['--source-topic', '--store-id', 'a'],
    fault: '--source-topic has no value: give one, as in --source-topic=…',
  },
  { argv: ['--env-file'], fault: '--env-file has no value: give one, as in --env-file=…' },
  { argv: ['--env-file', '--check'], fault: '--env-file has no value: give one, as in --env-file=…' },
  {
    argv: ['--env-file', '/nowhere/orders.env', '--value-format', 'avro'],
    fault: '/nowhere/orders.env cannot be read as env file: there is no such file (ENOENT)',
  },
  {
    argv: ['--env-fil', '/dev/null', '--source-topic=orders'],
    fault: '"--env-fil" is not a flag: did you mean --env-file?',
  },
  {
    argv: [],
    environment: { SORCE_TOPIC: 'orders' },
    fault: 'SOURCE_TOPIC is missing: SORCE_TOPIC in the environment is not a setting: did you mean SOURCE_TOPIC?',
  },
]

test.each(slips)('one mistake is one fault: $fault', ({ argv, environment, fault }) => {
  expect(faultsOf({ argv, environment: { ...brokers, ...environment } })).toEqual([fault])
})

test('a missing setting is reported with an example', () => {
  expect(faultsOf({})).toEqual([
    'SOURCE_TOPIC is missing: set it, for example SOURCE_TOPIC=orders',
    'KAFKA_BROKERS is missing: set it, for example KAFKA_BROKERS=localhost:9092',
  ])
})
