import { afterAll, describe, expect, test } from 'bun:test'
import { fatalText } from '../../lib/log/fatal.ts'
import {
  configureLogging,
  escapeControls,
  loggerOf,
  type LoggingOptions,
  RepeatedLog,
  writePending,
} from '../../lib/log/index.ts'
import { until } from '../support/until.ts'

/** Lines that are written from now on. */
function capture(options: Partial<LoggingOptions> = {}): string[] {
  const lines: string[] = []
  configureLogging({ level: 'trace', structured: false, write: (line) => lines.push(line), ...options })
  return lines
}

afterAll(() => configureLogging({ level: 'error', structured: false }))

const time = String.raw`\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z`

describe('configureLogging', () => {
  test('a text line has time, level, area and message when not structured', () => {
    const lines = capture()
    loggerOf('store').info('Recovered {records} records of {topic}', { records: 5, topic: 'orders' })
    expect(lines).toEqual([
      expect.stringMatching(new RegExp(`^${time} info    store  Recovered 5 records of orders\n$`)),
    ])
  })

  test('a line is one JSON object when structured', () => {
    const lines = capture({ structured: true })
    loggerOf('kafka').warning('Lost {broker}', { broker: 'a\n"b"', attempt: 3, cause: new Error('reset') })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toEndWith('}\n')
    expect(JSON.parse(lines[0]!)).toEqual({
      time: expect.stringMatching(new RegExp(`^${time}$`)),
      level: 'warning',
      category: 'latchkey.kafka',
      message: 'Lost a\n"b"',
      properties: { broker: 'a\n"b"', attempt: 3, cause: 'reset' },
    })
  })

  test.each([
    ['trace', ['trace', 'debug', 'info', 'warning', 'error']],
    ['warning', ['warning', 'error']],
    ['error', ['error']],
  ] as const)('only levels from %s on are written when that is the level', (level, expected) => {
    const lines = capture({ level })
    const logger = loggerOf('store')
    for (const name of ['trace', 'debug', 'info', 'warning', 'error'] as const) logger[name](name)
    expect(lines.map((line) => line.split(' ')[1]!)).toEqual([...expected])
  })

  test('a value with control characters cannot begin a log line', () => {
    const lines = capture()
    const key = 'a\r\n2026 error fake\u001b[2J\u0007\u202e'
    loggerOf('http').info('Looked up {key}', { key })
    expect(lines[0]).toEndWith(`Looked up a\\r\\n2026 error fake\\u001b[2J\\u0007\\u202e\n`)
  })

  test('braces in a value are text when they look like a placeholder', () => {
    const lines = capture()
    loggerOf('http').info('Looked up {key}', { key: '{secret}', secret: 'x' })
    expect(lines[0]).toEndWith('Looked up {secret}\n')
  })

  test('an error shows its message and no stack when it is a value', () => {
    const lines = capture()
    loggerOf('http').error('Failed: {error}', { error: new TypeError('no such member') })
    expect(lines[0]).toEndWith('Failed: no such member\n')
  })

  test('a value is cut when it is long', () => {
    const lines = capture()
    loggerOf('http').info('{key}', { key: 'x'.repeat(1_000_000) })
    expect(lines[0]!.length).toBeLessThan(1_200)
    expect(lines[0]).toContain('(1000000 characters)')
  })

  test('bytes and objects are shown as text when they are values', () => {
    const lines = capture()
    loggerOf('http').info('{key} {object}', { key: new TextEncoder().encode('käse'), object: { a: 1n } })
    expect(lines[0]).toEndWith('käse {"a":"1"}\n')
  })
})

describe('escapeControls', () => {
  test('text stays as it is when nothing in it is a control character', () => {
    expect(escapeControls('Grüße, 世界 👋')).toBe('Grüße, 世界 👋')
  })
})

describe('RepeatedLog', () => {
  function setUp() {
    // Of former tests.
    writePending()
    const lines = capture()
    const clock = { now: 0 }
    return { lines, clock, repeated: new RepeatedLog(loggerOf('kafka'), 5_000, () => clock.now) }
  }

  test('a message is written once when it repeats within the interval', () => {
    const { lines, clock, repeated } = setUp()
    for (clock.now = 0; clock.now < 5_000; clock.now += 1_000) {
      repeated.log('warning', 'a', 'Lost {broker}', { broker: 'x' })
    }
    expect(lines).toHaveLength(1)
    expect(lines[0]).toEndWith('Lost x\n')
  })

  test('a message has the number of suppressed ones when the interval has passed', () => {
    const { lines, clock, repeated } = setUp()
    for (clock.now = 0; clock.now <= 5_000; clock.now += 1_000) {
      repeated.log('warning', 'a', 'Lost {broker}', { broker: 'x' })
    }
    expect(lines).toHaveLength(2)
    expect(lines[1]).toEndWith('Lost x (4 more like it not logged)\n')
  })

  test('the last message within an interval is written at its end, though no other follows', async () => {
    const lines = capture()
    const repeated = new RepeatedLog(loggerOf('kafka'), 50)
    for (const broker of ['x', 'y', 'z']) repeated.log('warning', 'a', 'Lost {broker}', { broker })
    expect(lines).toHaveLength(1)
    await until('the interval is over', () => lines.length === 2)
    expect(lines[1]).toEndWith('Lost z (1 more like it not logged)\n')
    repeated.log('warning', 'a', 'Lost {broker}', { broker: 'w' })
    await until('the next interval is over', () => lines.length === 3)
    expect(lines[2]).toEndWith('Lost w\n')
  })

  test('what was suppressed is written once when all of it is to be written now', () => {
    const { lines, clock, repeated } = setUp()
    for (const broker of ['x', 'y', 'z']) repeated.log('warning', 'a', 'Lost {broker}', { broker })
    repeated.log('warning', 'b', 'Other')
    writePending()
    writePending()
    const messages = () => lines.map((line) => line.slice(40).trimEnd())
    expect(messages()).toEqual(['Lost x', 'Other', 'Lost z (1 more like it not logged)'])
    clock.now = 5_000
    repeated.log('warning', 'a', 'Lost {broker}', { broker: 'w' })
    writePending()
    expect(messages().slice(3)).toEqual(['Lost w'])
  })

  test('a message is written when its key is another', () => {
    const { lines, repeated } = setUp()
    repeated.log('info', 'a', 'A')
    repeated.log('info', 'b', 'B')
    expect(lines).toHaveLength(2)
  })

  test('the oldest key is forgotten when there are more than a thousand', () => {
    const { lines, repeated } = setUp()
    for (let index = 0; index <= 1_000; index++) repeated.log('info', String(index), 'x')
    repeated.log('info', '1000', 'x')
    repeated.log('info', '0', 'x')
    expect(lines).toHaveLength(1_002)
  })
})

describe('RepeatedLog without a configuration of LogTape', () => {
  const script = `
    import { loggerOf, RepeatedLog, warnWithoutConfiguration, configureLogging } from './lib/log/index.ts'
    const log = new RepeatedLog(loggerOf('http'))
    log.log('error', 'before', 'Lost before {reason}', { reason: 'x' })
    warnWithoutConfiguration()
    log.log('error', 'a', 'Answering a request: {error}', { error: new Error('broken\\n pipe') })
    log.log('info', 'b', 'Nothing for anybody')
    configureLogging({ level: 'error', structured: false, write: (line) => console.log(line.slice(25).trimEnd()) })
    log.log('error', 'c', 'Configured {now}', { now: 1 })
  `

  test('warnings and errors go to stderr on request, until LogTape is configured', async () => {
    const root = `${import.meta.dir}/../..`
    const child = Bun.spawn([process.execPath, '-e', script], { cwd: root, stdout: 'pipe', stderr: 'pipe' })
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()])
    expect(stderr.slice(25)).toBe('error   http   Answering a request: broken\\n pipe\n')
    expect(stdout).toBe('error   http   Configured 1\n')
  })
})

test('fatalText is one event when it is structured, with the hint in it', () => {
  const text = fatalText('Reading the settings: one fault found\n  SERVER_PORT="x"', true, 'See latchkey --help.')
  expect(text.match(/\n/g)).toHaveLength(1)
  expect(JSON.parse(text)).toMatchObject({
    level: 'fatal',
    message: 'Reading the settings: one fault found\nSERVER_PORT="x"\nSee latchkey --help.',
  })
})
