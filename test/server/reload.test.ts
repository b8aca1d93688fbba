/** Reloads by SIGHUP. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EffectiveSetting } from '../../lib/config/index.ts'
import { configureLogging } from '../../lib/log/index.ts'
import { Reload } from '../../lib/server/reload.ts'
import { accepted, required } from '../support/config/read.ts'
import { makeCertificate, writeCertificate } from '../support/http/certificate.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'
import { until } from '../support/until.ts'

const before = process.listeners('SIGHUP')
let folder: string
/** What was done, in order. */
let calls: string[]
let log: string
let shown: readonly EffectiveSetting[]

const server = {
  renewTls: ({ subject }: { subject: string }) => void calls.push(subject),
  replaceToken: (token: string) => void calls.push(token),
  setLogLevel: (level: string) => void calls.push(level),
  showSettings: (settings: readonly EffectiveSetting[]) => void (shown = settings),
}
const reports = {
  reloading: () => void calls.push('reloading'),
  reloaded: () => void calls.push('reloaded'),
}

beforeEach(() => {
  folder = temporaryFolder('reload')
  calls = []
  log = ''
  shown = []
  configureLogging({ level: 'info', structured: false, write: (line) => void (log += line) })
})

afterEach(() => {
  for (const listener of process.listeners('SIGHUP')) {
    if (!before.includes(listener)) process.removeListener('SIGHUP', listener)
  }
  configureLogging({ level: 'error', structured: false })
  rmSync(folder, { recursive: true })
})

function write(lines: Record<string, string>): void {
  const all = Object.entries({ ...required, ...lines })
  writeFileSync(join(folder, '.env'), all.map(([name, value]) => `${name}=${value}\n`).join(''))
}

function started(lines: Record<string, string>): Reload {
  write(lines)
  const input = { argv: [], environment: {}, envDirectories: [folder] }
  const { settings, texts } = accepted(input)
  return new Reload(input, settings, texts)
}

test('many signals at once cause two reloads, and the second one reads the latest files', async () => {
  const reload = started({ SERVER_TOKEN: 'token-0' })
  reload.begin(server, reports)
  write({ SERVER_TOKEN: 'token-1' })
  process.emit('SIGHUP')
  write({ SERVER_TOKEN: 'token-2' })
  for (let count = 0; count < 50; count++) process.emit('SIGHUP')
  write({ SERVER_TOKEN: 'token-3' })
  expect(calls).toEqual(['reloading', 'token-1', 'reloaded'])
  await until('the last one is done', () => calls.length === 6)
  expect(calls.slice(3)).toEqual(['reloading', 'token-3', 'reloaded'])
  process.emit('SIGHUP')
  await until('a later one is done', () => calls.length === 8)
  expect(calls.slice(6)).toEqual(['reloading', 'reloaded'])
  reload.stop()
})

test('signals before there is a server cause one reload, and those after the stop none', () => {
  const reload = started({})
  process.emit('SIGHUP')
  process.emit('SIGHUP')
  expect(calls).toEqual([])
  reload.begin(server, reports)
  expect(calls).toEqual(['reloading', 'reloaded'])
  process.emit('SIGHUP')
  reload.stop()
  process.emit('SIGHUP')
  expect(calls).toEqual(['reloading', 'reloaded'])
})

test('the log says what has changed, without the token', () => {
  const pair = writeCertificate(folder, makeCertificate({ name: 'first' }))
  const tls = { SERVER_TLS_CERT: pair.certPath, SERVER_TLS_KEY: pair.keyPath }
  const reload = started({ ...tls, SERVER_TOKEN: 'secret-first-token' })
  reload.begin(server, reports)
  writeCertificate(folder, makeCertificate({ name: 'second', validUntil: Date.UTC(2099, 0, 2) }))
  write({ ...tls, SERVER_TOKEN: 'secret', LOG_LEVEL: 'debug', MEMORY_MAX: '1GiB' })
  process.emit('SIGHUP')
  expect(calls).toEqual(['reloading', 'CN=second', 'debug', 'secret', 'reloaded'])
  expect(log).toContain('Renewed the certificate: CN=second, valid until 2099-01-02T00:00:00.000Z\n')
  expect(log).toContain('Another token is required now; connections that the former one has opened end within 60 s\n')
  expect(log).toContain('SERVER_TOKEN has fewer than 16 characters')
  expect(log).toContain('Log level info changed to debug\n')
  expect(log).toContain('MEMORY_MAX differ from those of the start: they take effect at a restart\n')
  expect(log).not.toContain('secret')
  reload.stop()
})

test('with one fault nothing is changed, and all faults are in one line', async () => {
  const reload = started({ SERVER_TOKEN: 'secret-first-token' })
  reload.begin(server, reports)
  write({ SERVER_TOKEN: 'secret second', LOG_LEVEL: 'loud' })
  process.emit('SIGHUP')
  expect(calls).toEqual(['reloading', 'reloaded'])
  expect(log).toMatch(
    /error .*Reading the settings again: SERVER_TOKEN .*; LOG_LEVEL="loud" .*\. What was in force stays so\n/,
  )
  expect(log).not.toContain('secret')
  write({ SERVER_TOKEN: 'secret-first-token' })
  process.emit('SIGHUP')
  await until('it is read again', () => calls.length === 4)
  expect(log).toContain('token, certificate and log level are the same\n')
  reload.stop()
})

test('a certificate that the listener refuses leaves the token as it was', () => {
  const pair = writeCertificate(folder, makeCertificate({ name: 'first' }))
  const tls = { SERVER_TLS_CERT: pair.certPath, SERVER_TLS_KEY: pair.keyPath }
  const reload = started({ ...tls, SERVER_TOKEN: 'first-token' })
  const refused = () => {
    throw new Error('no descriptor is left')
  }
  reload.begin({ ...server, renewTls: refused }, reports)
  writeCertificate(folder, makeCertificate({ name: 'second' }))
  write({ ...tls, SERVER_TOKEN: 'second-token' })
  process.emit('SIGHUP')
  expect(calls).toEqual(['reloading', 'reloaded'])
  expect(log).toContain('Reading the settings again: no descriptor is left. What was in force stays so\n')
  reload.stop()
})

test('a reload shows what was read again, where a token has no text, and nothing after a fault', () => {
  const reload = started({ LOG_LEVEL: 'info' })
  reload.begin(server, reports)
  write({ LOG_LEVEL: 'loud', SERVER_TOKEN: 'token-1' })
  process.emit('SIGHUP')
  expect(shown).toEqual([])
  reload.stop()
  const again = started({ LOG_LEVEL: 'info' })
  again.begin(server, reports)
  write({ LOG_LEVEL: 'debug', SERVER_TOKEN: 'token-1', AUTO_FLUSH_COUNT: '7' })
  process.emit('SIGHUP')
  const place = { isGiven: true, origin: join(folder, '.env') }
  expect(shown).toEqual([
    { name: 'SERVER_TOKEN', value: null, isSecret: true, ...place },
    { name: 'LOG_LEVEL', value: 'debug', isSecret: false, ...place },
  ])
  again.stop()
})
