/** Settings that a running store reads again. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readAgain } from '../../lib/config/index.ts'
import type { LatchkeyError } from '../../lib/errors.ts'
import { accepted, required } from '../support/config/read.ts'
import { makeCertificate, writeCertificate } from '../support/http/certificate.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'

let folder: string

beforeEach(() => {
  folder = temporaryFolder('reload')
})

afterEach(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

function writeEnv(lines: Record<string, string>): void {
  const all = Object.entries({ ...required, ...lines })
  write('.env', all.map(([name, value]) => `${name}=${value}\n`).join(''))
}

/** Starts with these lines in `.env`, and returns what reads them again. */
function started(lines: Record<string, string>, argv: string[] = [], environment = {}) {
  writeEnv(lines)
  const input = { argv, environment, envDirectories: [folder] }
  const { settings, texts } = accepted(input)
  const { serverToken: token, serverTls: tls, corsOrigins } = settings
  return () => readAgain(input, texts, { token, tls, corsOrigins })
}

function faultsOf(read: () => unknown): unknown {
  try {
    read()
  } catch (thrown) {
    expect((thrown as LatchkeyError).message).toStartWith('Reading the settings again: ')
    return (thrown as LatchkeyError).details['faults']
  }
  throw new Error('They were accepted')
}

describe('readAgain', () => {
  test('token, its file and the log level come from the sources of the start, the strongest first', () => {
    const path = write('token', 'first-token\n')
    const read = started({ SERVER_TOKEN_FILE: path, LOG_LEVEL: 'warning' }, [], { LOG_LEVEL: 'debug' })
    write('token', 'second-token\n')
    expect(read()).toEqual({
      settings: { token: 'second-token', tls: undefined, logLevel: 'debug' },
      effective: [
        { name: 'SERVER_TOKEN', value: null, isSecret: true, isGiven: true, origin: path },
        { name: 'LOG_LEVEL', value: 'debug', isSecret: false, isGiven: true, origin: 'environment' },
      ],
      others: [],
    })
    const fromFlag = started({ LOG_LEVEL: 'warning', SERVER_TOKEN: 'first' }, ['--log-level', 'trace'])
    writeEnv({ SERVER_TOKEN: 'second' })
    expect(fromFlag().settings).toEqual({ token: 'second', tls: undefined, logLevel: 'trace' })
  })

  test('the certificate is read again, also from another path', () => {
    const first = writeCertificate(folder, makeCertificate({ name: 'first' }))
    const read = started({ SERVER_TLS_CERT: first.certPath, SERVER_TLS_KEY: first.keyPath })
    const { cert, key } = makeCertificate({ name: 'second' })
    writeEnv({ SERVER_TLS_CERT: write('other.crt', cert), SERVER_TLS_KEY: write('other.key', key) })
    const { settings, others } = read()
    expect(settings.tls?.subject).toBe('CN=second')
    expect(others).toEqual([])
  })

  test('all faults are in one error, and none shows a secret', () => {
    const { certPath, keyPath } = writeCertificate(folder, makeCertificate())
    const lines = { SERVER_TLS_CERT: certPath, SERVER_TLS_KEY: keyPath }
    const read = started({ ...lines, SERVER_TOKEN: 'first' })
    writeEnv({ ...lines, SERVER_TOKEN: 'a token', LOG_LEVEL: 'loud', SERVER_PROT: '1' })
    write('server.key', 'no key')
    expect(faultsOf(read)).toEqual([
      `SERVER_PROT in ${folder}/.env is not a setting: did you mean SERVER_PORT?`,
      expect.stringMatching(/^SERVER_TOKEN \(.*\.env\): it must be 1 to \d+ printable ASCII characters/),
      expect.stringMatching(/^LOG_LEVEL="loud" \(.*\.env\): it must be trace, /),
      expect.stringMatching(/^SERVER_TLS_KEY=".*": it holds no private key in PEM form/),
    ])
  })

  test('a token and HTTPS that are not given any more are faults: a half-written file must not open the store', () => {
    const { certPath, keyPath } = writeCertificate(folder, makeCertificate())
    const read = started({ SERVER_TLS_CERT: certPath, SERVER_TLS_KEY: keyPath, SERVER_TOKEN: 'first' })
    writeEnv({})
    expect(faultsOf(read)).toEqual([
      'SERVER_TOKEN is not given any more: only a restart ends the check of tokens',
      'SERVER_TLS_CERT is not given any more: only a restart ends HTTPS',
    ])
  })

  test.each([
    ['is absent', (path: string) => rmSync(path), 'there is no such file (ENOENT)'],
    [
      'is a directory',
      (path: string) => void Bun.spawnSync(['sh', '-c', `rm ${path}; mkdir ${path}`]),
      'it is a directory',
    ],
    ['is a pipe', (path: string) => void Bun.spawnSync(['sh', '-c', `rm ${path}; mkfifo ${path}`]), 'it is a pipe'],
    ['is huge', (path: string) => writeFileSync(path, 'x'.repeat(10_000_000)), 'it is longer than 65536 bytes'],
    ['is empty', (path: string) => writeFileSync(path, '\n'), 'the file is empty'],
  ])('one fault is reported when the file of the token %s', (_, change, found) => {
    const path = write('token', 'first\n')
    const read = started({ SERVER_TOKEN_FILE: path })
    change(path)
    expect(faultsOf(read)).toEqual([expect.stringContaining(found)])
  })

  test('an env file that cannot be read is one fault', () => {
    const read = started({ SERVER_TOKEN: 'first' }, ['--env-file', join(folder, '.env')])
    rmSync(join(folder, '.env'))
    expect(faultsOf(read)).toEqual([expect.stringContaining('cannot be read as env file: there is no such file')])
  })

  test('a first token is accepted, unless pages of all origins may read', () => {
    const read = started({})
    writeEnv({ SERVER_TOKEN: 'first' })
    expect(read().settings.token).toBe('first')
    const open = started({ CORS_ORIGINS: '"*"' })
    writeEnv({ SERVER_TOKEN: 'first', CORS_ORIGINS: 'https://a.example' })
    expect(faultsOf(open)).toEqual(['SERVER_TOKEN: it excludes CORS_ORIGINS="*", which stays until a restart'])
  })

  test('other settings that differ are named, whether or not they are valid, and are not applied', () => {
    const { certPath, keyPath } = writeCertificate(folder, makeCertificate())
    const read = started({ SERVER_PORT: '1', RESP_PORT: '2' })
    writeEnv({ SERVER_PORT: 'x', MEMORY_MAX: '1GiB', SERVER_TLS_CERT: certPath, SERVER_TLS_KEY: keyPath })
    const { settings, others } = read()
    expect(settings).toEqual({ token: undefined, tls: undefined, logLevel: 'info' })
    expect([...others].toSorted()).toEqual([
      'MEMORY_MAX',
      'RESP_PORT',
      'SERVER_PORT',
      'SERVER_TLS_CERT',
      'SERVER_TLS_KEY',
    ])
  })
})
