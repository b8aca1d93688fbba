import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import packageJson from '../package.json' with { type: 'json' }

const main = join(import.meta.dir, '..', 'main.ts')
let directory: string
/** Takes connections and never says a word. */
let silentBroker: Server
let brokers: string

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'latchkey-main-'))
  silentBroker = createServer()
  await new Promise<void>((resolve) => silentBroker.listen(0, '127.0.0.1', resolve))
  brokers = `127.0.0.1:${(silentBroker.address() as { port: number }).port}`
})

afterAll(() => {
  silentBroker.close()
  rmSync(directory, { recursive: true })
})

/** Nothing of this machine's environment but what a process needs. */
function start(argv: string[], environment: Record<string, string> = {}) {
  return Bun.spawn([process.execPath, main, ...argv], {
    cwd: directory,
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
}

async function run(argv: string[], environment: Record<string, string> = {}) {
  const child = start(argv, environment)
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()])
  return { stdout, stderr, exitCode: await child.exited }
}

/** A store whose Kafka does not answer; `url` once its first lines are out. */
async function startServing(environment: Record<string, string> = {}) {
  const child = start([], { SOURCE_TOPIC: 'orders', KAFKA_BROKERS: brokers, SERVER_PORT: '0', ...environment })
  let output = ''
  const decoder = new TextDecoder()
  for await (const chunk of child.stdout.values({ preventCancel: true })) {
    output += decoder.decode(chunk, { stream: true })
    if (output.includes('/status-store/')) break
  }
  return { child, output, url: /http:\/\/[^/]+/.exec(output)![0] }
}

describe('main', () => {
  test('the version is that of the package when asked for', async () => {
    expect(await run(['--version'])).toEqual({ stdout: `latchkey ${packageJson.version}\n`, stderr: '', exitCode: 0 })
  })

  test('help goes to stdout without escapes when asked for', async () => {
    const { stdout, stderr, exitCode } = await run(['--help'])
    expect([stderr, exitCode]).toEqual(['', 0])
    expect(stdout).toContain('--source-topic')
    expect(stdout).not.toContain('\u001b')
  })

  test('the exit code is 2 with every fault and no stack when settings are wrong', async () => {
    const { stdout, stderr, exitCode } = await run(['--sever-port=1'], { KAFKA_BROKERS: 'a:b' })
    expect([stdout, exitCode]).toEqual(['', 2])
    expect(stderr).toStartWith('latchkey: Reading the settings: 3 faults found\n')
    expect(stderr).toContain('SOURCE_TOPIC is missing')
    expect(stderr).toContain('KAFKA_BROKERS="a:b" (environment)')
    expect(stderr).toContain('did you mean --server-port?')
    expect(stderr).not.toMatch(/\.ts:\d/)
  })

  test('settings are read from .env when it is in the working directory', async () => {
    const path = join(directory, '.env')
    writeFileSync(path, 'SOURCE_TOPIC=a/b\nKAFKA_BROKERS=kafka\n')
    try {
      const { stderr, exitCode } = await run([])
      expect(exitCode).toBe(2)
      expect(stderr).toContain('SOURCE_TOPIC="a/b"')
    } finally {
      rmSync(path)
    }
  })

  test('the exit code is 1 and the message clear when the port is in use', async () => {
    using other = Bun.serve({ port: 0, hostname: '127.0.0.1', reusePort: false, fetch: () => new Response() })
    const environment = { SOURCE_TOPIC: 'orders', KAFKA_BROKERS: brokers, SERVER_BIND: '127.0.0.1' }
    const { stderr, exitCode } = await run([`--server-port=${other.port}`], environment)
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`latchkey: Listening at 127.0.0.1 port ${other.port}: the port is in use`)
  })

  test('the first lines are what can be opened at once when it starts', async () => {
    const { child, output, url } = await startServing()
    expect(output.split('\n').slice(0, 3)).toEqual([
      `Latchkey ${packageJson.version}: store orders of topic orders`,
      `  ${url}/`,
      `  curl ${url}/status-store/orders`,
    ])
    expect(url).toStartWith('http://localhost:')
    child.kill('SIGTERM')
    await child.exited
  })

  test('it is alive and not ready, and lookups say why, when Kafka does not answer', async () => {
    const { child, url } = await startServing()
    expect((await fetch(`${url}/livez`)).status).toBe(200)
    expect((await fetch(`${url}/readyz`)).status).toBe(503)
    expect((await fetch(`${url}/metrics`)).status).toBe(200)
    expect(await (await fetch(`${url}/stores/orders/a`)).json()).toMatchObject({ status: 503, code: 'recovering' })
    child.kill('SIGTERM')
    await child.exited
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('the exit code is 0 when %s ends it', async (signal) => {
    const { child } = await startServing()
    child.kill(signal)
    expect(await child.exited).toBe(0)
  })

  test('log lines are JSON when STRUCTURED_LOGGING is true', async () => {
    const { child } = await startServing({ STRUCTURED_LOGGING: 'true' })
    child.kill('SIGTERM')
    const lines = (await child.stderr.text()).trim().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toContain(
      'SIGTERM: finishing what is under way',
    )
  })
})
