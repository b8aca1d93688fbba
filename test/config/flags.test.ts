import { expect, test } from 'bun:test'
import { faultsOf, read, required, settingsOf } from './support/read.ts'

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
