import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { flagOf, metadataOf, settingKeys } from '../../lib/config/settings.ts'
import { licensesText } from '../../lib/print/licenses.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { builtExecutable } from '../support/binary/built.ts'
import { LatchkeyProcess, localPort, type StartOptions } from '../support/binary/latchkey-process.ts'
import { runLatchkey, stackTrace } from '../support/binary/run-latchkey.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'

let folder: string
/** Takes connections and never says a word, so that a store stays in its first state. */
let silentBroker: Server
let brokers: string

beforeAll(async () => {
  folder = temporaryFolder('binary')
  silentBroker = createServer()
  await new Promise<void>((resolve) => silentBroker.listen(0, '127.0.0.1', resolve))
  brokers = `127.0.0.1:${(silentBroker.address() as { port: number }).port}`
})

afterAll(() => {
  silentBroker.close()
  rmSync(folder, { recursive: true })
})

function folderWith(name: string, env?: Record<string, string>): string {
  const path = join(folder, name)
  mkdirSync(path)
  if (env) writeFileSync(join(path, '.env'), envText(env))
  return path
}

function envText(env: Record<string, string>): string {
  return Object.entries(env)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

/** The first line of a store that these options start. */
async function bannerOf(options: StartOptions): Promise<string> {
  const latchkey = await LatchkeyProcess.start(options)
  try {
    await latchkey.listening()
    return latchkey.stdout.split('\n')[0] ?? ''
  } finally {
    await latchkey.close()
  }
}

describe('the executable', () => {
  test('prints its version for --version', async () => {
    const wanted = { stdout: `latchkey ${packageJson.version}\n`, stderr: '', exitCode: 0 }
    expect(await runLatchkey({ args: ['--version'] })).toEqual(wanted)
    expect(await runLatchkey({ args: ['-v'] })).toEqual(wanted)
  })

  test('prints help on one screen, and every setting in full on request', async () => {
    const short = await runLatchkey({ args: ['--help'] })
    expect([short.stderr, short.exitCode]).toEqual(['', 0])
    for (const flag of ['--help [TOPIC]', '--version', '--check', '--rebuild', '--env-file']) {
      expect(short.stdout).toContain(flag)
    }
    const { stdout, stderr, exitCode } = await runLatchkey({ args: ['--help', 'all'] })
    expect([stderr, exitCode]).toEqual(['', 0])
    for (const key of settingKeys) {
      const { variable } = metadataOf(key)
      expect(stdout).toContain(variable)
      expect(stdout).toContain(flagOf(variable))
    }
  })

  test('contains the licences of the packages that it bundles', async () => {
    const { stdout, exitCode } = await runLatchkey({ args: ['--licenses'] })
    expect([stdout, exitCode]).toEqual([licensesText(), 0])
  })

  test('exits with 2 and reports all faults together when settings are wrong', async () => {
    const settings = { SERVER_PORT: '80a', AUTO_FLUSH_COUNT: '0', READY_WHEN: 'soon', SOURCE_TOPIC: 'a/b' }
    const { stdout, stderr, exitCode } = await runLatchkey({ settings, args: ['--chnagelog-topic', 'x'] })
    expect([stdout, exitCode]).toEqual(['', 2])
    expect(stderr).toContain('6 faults found')
    for (const [variable, value] of Object.entries(settings)) expect(stderr).toContain(`${variable}="${value}"`)
    expect(stderr).toContain('KAFKA_BROKERS is missing')
    expect(stderr).toContain('did you mean --changelog-topic?')
    expect(stderr).not.toMatch(stackTrace)
  })

  test('exits with 2 and names the required settings when none is given', async () => {
    const { stdout, stderr, exitCode } = await runLatchkey({})
    expect([stdout, exitCode]).toEqual(['', 2])
    expect(stderr).toContain('SOURCE_TOPIC is missing')
    expect(stderr).toContain('KAFKA_BROKERS is missing')
    expect(stderr).toContain('latchkey --help')
    expect(stderr).not.toMatch(stackTrace)
  })

  test('reads .env of the working directory; the environment overrides it, and flags override both', async () => {
    const env = { ...localPort, SOURCE_TOPIC: 'file-topic', KAFKA_BROKERS: brokers, STORE_ID: 'file-id' }
    const cwd = folderWith('working', env)
    expect(await bannerOf({ cwd })).toEndWith(': store file-id of topic file-topic')
    const settings = { STORE_ID: 'environment-id' }
    expect(await bannerOf({ cwd, settings })).toEndWith(': store environment-id of topic file-topic')
    const args = ['--store-id', 'flag-id']
    expect(await bannerOf({ cwd, settings, args })).toEndWith(': store flag-id of topic file-topic')
  })

  test('reads .env next to the executable when the working directory has none', async () => {
    const env = { ...localPort, SOURCE_TOPIC: 'beside-topic', KAFKA_BROKERS: brokers }
    const home = folderWith('beside', env)
    const path = join(home, 'latchkey')
    linkSync(await builtExecutable(), path)
    expect(await bannerOf({ path, cwd: folderWith('elsewhere') })).toEndWith(
      ': store beside-topic of topic beside-topic',
    )
    const cwd = folderWith('nearer', { ...env, SOURCE_TOPIC: 'nearer-topic' })
    expect(await bannerOf({ path, cwd })).toEndWith(': store nearer-topic of topic nearer-topic')
  })

  test('reads the file that --env-file names, not .env', async () => {
    const cwd = folderWith('unread', { SOURCE_TOPIC: 'a/b' })
    const file = join(folder, 'orders.env')
    writeFileSync(file, envText({ ...localPort, SOURCE_TOPIC: 'named-topic', KAFKA_BROKERS: brokers }))
    expect(await bannerOf({ cwd, args: ['--env-file', file] })).toEndWith(': store named-topic of topic named-topic')
    const { stderr, exitCode } = await runLatchkey({ cwd, args: ['--env-file', join(folder, 'none.env')] })
    expect(exitCode).toBe(2)
    expect(stderr).toContain('none.env cannot be read as env file: there is no such file (ENOENT)')
    expect(stderr).not.toMatch(stackTrace)
  })

  test('exits with 1 and names the port when it is in use', async () => {
    using other = Bun.serve({ port: 0, hostname: '127.0.0.1', reusePort: false, fetch: () => new Response() })
    const settings = {
      SOURCE_TOPIC: 'a',
      KAFKA_BROKERS: brokers,
      SERVER_BIND: '127.0.0.1',
      SERVER_PORT: `${other.port}`,
    }
    const { stderr, exitCode } = await runLatchkey({ settings })
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`Listening at 127.0.0.1 port ${other.port}: the port is in use`)
    expect(stderr).not.toMatch(stackTrace)
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('exits with 0 on %s while Kafka does not answer', async (signal) => {
    const settings = { ...localPort, SOURCE_TOPIC: 'a', KAFKA_BROKERS: brokers }
    const latchkey = await LatchkeyProcess.start({ settings })
    try {
      await latchkey.listening()
      latchkey.signal(signal)
      expect(await latchkey.exited).toBe(0)
      expect(latchkey.stderr).not.toMatch(stackTrace)
    } finally {
      await latchkey.close()
    }
  })
})
