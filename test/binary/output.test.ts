/** What the executable writes: to a person, to a collector of logs, and as its last words. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { runLatchkey } from '../support/binary/run-latchkey.ts'
import { run } from '../support/process/run.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'

const curlTimeoutMs = 10_000
let folder: string
/** Takes connections and never says a word. */
let silentBroker: Server
let settings: Record<string, string>

beforeAll(async () => {
  folder = temporaryFolder('output')
  silentBroker = createServer()
  await new Promise<void>((resolve) => silentBroker.listen(0, '127.0.0.1', resolve))
  const { port } = silentBroker.address() as { port: number }
  settings = { ...localPort, SOURCE_TOPIC: 'orders', KAFKA_BROKERS: `127.0.0.1:${port}` }
})

afterAll(() => {
  silentBroker.close()
  rmSync(folder, { recursive: true })
})

/** Of lines that are to be JSON objects, all of them. */
function messagesOf(output: string): string[] {
  expect(output).toEndWith('\n')
  return output
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { message: string }).message)
}

describe('with STRUCTURED_LOGGING every line is JSON', () => {
  test('from the banner to the end on a signal', async () => {
    const latchkey = await LatchkeyProcess.start({ settings: { ...settings, STRUCTURED_LOGGING: 'true' } })
    try {
      await latchkey.until('the banner is written', () => latchkey.stderr.includes('/status-store/orders'))
      expect(await latchkey.stop()).toBe(0)
      expect(latchkey.stdout).toBe('')
      const messages = messagesOf(latchkey.stderr)
      expect(messages).toContainEqual(expect.stringMatching(/^curl 'http:.*\/status-store\/orders\?pretty'$/))
      expect(messages).toContain('SIGTERM: finishing what is under way')
      expect(messages.at(-1)).toBe('Stopped: all connections and store orders are closed')
    } finally {
      await latchkey.close()
    }
  })

  test.each([
    ['a flag', { args: ['--structured-logging', '--server-port=x'] }],
    ['the environment', { settings: { STRUCTURED_LOGGING: 'yes', SERVER_PORT: 'x' } }],
  ])('where settings have faults, and %s asks for it', async (_where, options) => {
    const { stdout, stderr, exitCode } = await runLatchkey(options)
    expect([stdout, exitCode]).toEqual(['', 2])
    const [message, ...others] = messagesOf(stderr)
    expect(others).toEqual([])
    expect(message!.split('\n')).toEqual([
      'Reading the settings: 3 faults found',
      'SOURCE_TOPIC is missing: set it, for example SOURCE_TOPIC=orders',
      'KAFKA_BROKERS is missing: set it, for example KAFKA_BROKERS=localhost:9092',
      expect.stringContaining('SERVER_PORT="x"'),
      'See latchkey --help.',
    ])
  })

  test('where it cannot listen', async () => {
    using other = Bun.serve({ port: 0, hostname: '127.0.0.1', reusePort: false, fetch: () => new Response() })
    const taken = { ...settings, STRUCTURED_LOGGING: 'true', SERVER_PORT: `${other.port}` }
    const { stdout, stderr, exitCode } = await runLatchkey({ settings: taken })
    expect([stdout, exitCode]).toEqual(['', 1])
    expect(messagesOf(stderr)).toEqual([
      expect.stringMatching(/^Listening at 127\.0\.0\.1 port \d+: the port is in use/),
    ])
  })
})

test.each(['192.0.2.1', 'no-such-host.invalid'])(
  'a missing address has another message than a port in use: %s',
  async (bind) => {
    const { stderr, exitCode } = await runLatchkey({ settings: { ...settings, SERVER_BIND: bind } })
    expect([stderr, exitCode]).toEqual([
      `latchkey: Listening at ${bind} port 0: this machine has no such address; choose another SERVER_BIND, such as 0.0.0.0 for all that it has\n`,
      1,
    ])
  },
)

test('SIGHUP ends nothing', async () => {
  const latchkey = await LatchkeyProcess.start({ settings })
  try {
    await latchkey.listening()
    latchkey.signal('SIGHUP')
    await latchkey.until('it is logged', () => latchkey.stderr.includes('SIGHUP: read the settings again'))
    expect((await latchkey.get('/livez')).status).toBe(200)
    expect(await latchkey.stop()).toBe(0)
  } finally {
    await latchkey.close()
  }
})

test('the command of the banner works where the token is in a file', async () => {
  const file = join(folder, "the store's token")
  writeFileSync(file, 'a-token-of-the-suite\n')
  const latchkey = await LatchkeyProcess.start({ settings: { ...settings, SERVER_TOKEN_FILE: file } })
  try {
    await latchkey.listening()
    await latchkey.until('the banner is written', () => latchkey.stdout.includes('/status-store/'))
    const command = latchkey.stdout.split('\n').find((line) => line.includes('/status-store/'))!
    expect(command).not.toContain('a-token-of-the-suite')
    const { stdout } = await run(['/bin/sh', '-c', command.trim()], curlTimeoutMs)
    expect(JSON.parse(stdout)).toMatchObject({ id: 'orders' })
  } finally {
    await latchkey.close()
  }
})
