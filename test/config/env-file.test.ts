import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { faultsOf, read, required, settingsOf } from '../support/config/read.ts'

let root: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'latchkey-config-'))
})
afterAll(() => rmSync(root, { recursive: true }))

/** A directory with this `.env`. */
function directoryWith(text: string): string {
  const directory = mkdtempSync(join(root, 'dir-'))
  writeFileSync(join(directory, '.env'), text)
  return directory
}

test('a flag overrides the environment, which overrides the env file', () => {
  const directory = directoryWith('STORE_ID=file\nSERVER_PORT=1\nREADER_POOL_SIZE=7')
  const settings = settingsOf({
    argv: ['--store-id=flag'],
    environment: { ...required, STORE_ID: 'environment', SERVER_PORT: '2' },
    envDirectories: [directory],
  })
  expect(settings).toMatchObject({ storeId: 'flag', serverPort: 2, readerPoolSize: 7 })
})

test('empty text counts as not set when a source of lower precedence has a value', () => {
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

test('an environment variable that is almost a setting causes only a notice', () => {
  const command = read({ environment: { ...required, LOG_LEVLE: 'info', PATH: '/bin' } })
  expect(command).toMatchObject({
    action: 'run',
    notices: ['LOG_LEVLE in the environment is not a setting: did you mean LOG_LEVEL?'],
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

test('unrelated variables in an env file are ignored', () => {
  const directory = directoryWith('POSTGRES_PASSWORD=x\nPORT=1\nTZ=UTC')
  expect(settingsOf({ environment: required, envDirectories: [directory] }).serverPort).toBe(8080)
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
    '"--sever-port" is not a flag: did you mean --server-port?',
    '"stray" is not expected: settings are given as flags, such as --source-topic orders',
    `SOURCE_TOPC in ${path} is not a setting: did you mean SOURCE_TOPIC?`,
    'KAFKA_BROKERS="http://kafka,::1" (environment): "http://kafka" has a scheme; leave it out, "::1" has more than one colon; an IPv6 address stands in brackets, as in [::1]:9092',
    `AUTO_FLUSH_COUNT="0" (${path}): it must be a whole number from 1 to 10000000`,
    'LOG_LEVEL="loud" (flag): it must be trace, debug, info, warning or error',
  ])
})

test('an unreadable env file is one fault when it is read twice at the same path', () => {
  const directory = mkdtempSync(join(root, 'dir-'))
  mkdirSync(join(directory, '.env'))
  const link = `${directory}-link`
  symlinkSync(directory, link)
  const fault = `${join(directory, '.env')} cannot be read as env file: it is a directory (EISDIR)`
  for (const other of [directory, `${directory}/`, link]) {
    expect(faultsOf({ envDirectories: [directory, other] })).toEqual([fault])
  }
})
