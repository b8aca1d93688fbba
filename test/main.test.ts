import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import packageJson from '../package.json' with { type: 'json' }
import { makeCertificate, writeCertificate } from './support/http/certificate.ts'

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
  return { child, output, url: /https?:\/\/[^/]+/.exec(output)![0] }
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

  test('the first lines at start are working URLs', async () => {
    const { child, output, url } = await startServing()
    expect(output.split('\n').slice(0, 3)).toEqual([
      `Latchkey ${packageJson.version}: store orders of topic orders`,
      `  ${url}/`,
      `  curl '${url}/status-store/orders?pretty'`,
    ])
    expect(url).toStartWith('http://localhost:')
    child.kill('SIGTERM')
    await child.exited
  })

  test('it is alive and not ready, and lookups give the reason, when Kafka does not answer', async () => {
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
})

describe('main with a store module', () => {
  test.each([
    ['timer', "setTimeout(() => {\n  throw new Error('too late')\n}, 0)\n"],
    ['promise', "void 0\nvoid Promise.reject(new Error('too late'))\n"],
  ])('the place in the module is named when its unhandled %s fails', async (name, text) => {
    writeFileSync(join(directory, `${name}.ts`), `${text}await new Promise(() => {})\n`)
    const { stderr, exitCode } = await run([], {
      SOURCE_TOPIC: 'orders',
      KAFKA_BROKERS: brokers,
      STORE_MODULE: `${name}.ts`,
    })
    expect(stderr).toBe(
      `latchkey: Running the store module: too late, at ${name}.ts:2; a promise or timer that the store module left behind?\n`,
    )
    expect(exitCode).toBe(1)
  })
})

describe('main with a token', () => {
  const token = 'geheimnis-geheimnis'

  test('the token is required and shown nowhere', async () => {
    const { child, output, url } = await startServing({ SERVER_TOKEN: token, LOG_LEVEL: 'trace' })
    expect(output).toContain(`  curl -H "Authorization: Bearer $SERVER_TOKEN" '${url}/status-store/orders?pretty'`)
    expect((await fetch(`${url}/livez`)).status).toBe(200)
    expect((await fetch(`${url}/metrics`)).status).toBe(401)
    const headers = { authorization: `Bearer ${token}` }
    const metrics = await fetch(`${url}/metrics`, { headers })
    expect(metrics.status).toBe(200)
    const status = await fetch(`${url}/status-store/orders`, { headers })
    child.kill('SIGTERM')
    for (const text of [output, await metrics.text(), await status.text(), await child.stderr.text()]) {
      expect(text).not.toContain('geheim')
    }
  })

  test('--check reports that there is a token, and the other HTTP settings, without showing it', async () => {
    const path = join(directory, 'token')
    writeFileSync(path, `${token}\n`)
    const { certPath, keyPath } = writeCertificate(directory, makeCertificate({ validUntil: Date.UTC(2099, 0, 2) }))
    // A broker whose certificate is refused ends the check at once, a silent one after its whole time.
    using broker = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      tls: { cert: Bun.file(certPath), key: Bun.file(keyPath) },
      socket: { data() {} },
    })
    const { stdout, stderr, exitCode } = await run(
      ['--check', '--server-tls-cert', certPath, '--server-tls-key', keyPath],
      {
        SOURCE_TOPIC: 'orders',
        KAFKA_BROKERS: `127.0.0.1:${broker.port}`,
        KAFKA_PROPERTIES: 'security.protocol=SSL',
        SERVER_TOKEN_FILE: path,
      },
    )
    expect(stdout).toStartWith(
      'https: at 0.0.0.0 port 8080, a token is asked for, certificate of CN=localhost, valid until 2099-01-02T00:00:00.000Z, at most ',
    )
    expect(stderr).toContain('its certificate is not trusted')
    expect(stdout + stderr).not.toContain('geheim')
    expect(exitCode).toBe(1)
  })

  test.each([
    [{}, 1],
    [{ SERVER_BIND: '127.0.0.1' }, 0],
    [{ SERVER_TOKEN: token }, 0],
  ])(
    'the warning of an open port is logged the expected number of times when it is started with %p: %p',
    async (environment, times) => {
      const { child } = await startServing(environment)
      child.kill('SIGTERM')
      const notice = /HTTP listens at 0\.0\.0\.0 without a token: anyone who can reach its port can read every value/g
      expect((await child.stderr.text()).match(notice) ?? []).toHaveLength(times)
    },
  )
})

describe('main with TLS', () => {
  /** What the server's certificate is about. */
  function subjectAt(url: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate().subject.CN)
        socket.destroy()
      })
      socket.on('error', reject)
    })
  }

  async function untilLogged(stderr: AsyncIterable<Uint8Array>, text: string): Promise<string> {
    let log = ''
    const decoder = new TextDecoder()
    for await (const chunk of stderr) {
      log += decoder.decode(chunk, { stream: true })
      if (log.includes(text)) break
    }
    return log
  }

  test('the certificate is renewed by SIGHUP, and kept when the new one is invalid', async () => {
    const paths = writeCertificate(mkdtempSync(join(directory, 'tls-')), makeCertificate({ name: 'first' }))
    const { child, url } = await startServing({ SERVER_TLS_CERT: paths.certPath, SERVER_TLS_KEY: paths.keyPath })
    expect(url).toStartWith('https://localhost:')
    expect(await subjectAt(url)).toBe('first')

    writeFileSync(paths.certPath, makeCertificate({ name: 'second' }).cert)
    child.kill('SIGHUP')
    const refused = await untilLogged(child.stderr.values({ preventCancel: true }), 'stays so')
    expect(refused).toContain(
      `Reading the settings again: SERVER_TLS_KEY="${paths.keyPath}": it is not the key of the first certificate in ${paths.certPath}. What was in force stays so`,
    )
    expect(await subjectAt(url)).toBe('first')

    writeCertificate(join(paths.certPath, '..'), makeCertificate({ name: 'third', validUntil: Date.UTC(2099, 0, 2) }))
    child.kill('SIGHUP')
    const renewed = await untilLogged(child.stderr.values({ preventCancel: true }), 'Renewed')
    expect(renewed).toContain('Renewed the certificate: CN=third, valid until 2099-01-02T00:00:00.000Z')
    expect(await subjectAt(url)).toBe('third')
    child.kill('SIGTERM')
    expect(await child.exited).toBe(0)
  })

  test('the exit code is 2 when the pair is invalid', async () => {
    const { certPath, keyPath } = writeCertificate(
      mkdtempSync(join(directory, 'tls-')),
      makeCertificate({ validUntil: 1 }),
    )
    const environment = { SOURCE_TOPIC: 'orders', KAFKA_BROKERS: brokers, SERVER_TLS_CERT: certPath }
    const { stderr, exitCode } = await run([], { ...environment, SERVER_TLS_KEY: keyPath })
    expect(exitCode).toBe(2)
    expect(stderr).toContain(`SERVER_TLS_CERT="${certPath}": the certificate of CN=localhost has expired`)
  })
})
