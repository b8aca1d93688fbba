import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ClientFlags, readClientSettings } from '../../lib/config/index.ts'
import { LatchkeyError } from '../../lib/errors.ts'
import { makeCertificate } from '../support/http/certificate.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'

let folder: string

beforeAll(() => {
  folder = temporaryFolder('client-settings')
})

afterAll(() => rmSync(folder, { recursive: true }))

function read(environment: Record<string, string>, flags: Partial<ClientFlags> = {}) {
  return readClientSettings({ environment, envDirectories: [folder] }, { values: new Map(), ...flags })
}

function faultsOf(environment: Record<string, string>, flags: Partial<ClientFlags> = {}): unknown {
  try {
    return read(environment, flags)
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(LatchkeyError)
    return (thrown as LatchkeyError).details?.['faults']
  }
}

describe('readClientSettings', () => {
  test.each([
    [{}, 'http://127.0.0.1:8080'],
    [{ SERVER_BIND: '::' }, 'http://[::1]:8080'],
    [{ SERVER_BIND: '::1', SERVER_PORT: '81' }, 'http://[::1]:81'],
    [{ SERVER_BIND: '10.0.0.7' }, 'http://10.0.0.7:8080'],
  ])('with %p the store is at %s', (given, url) => {
    expect(read({ SOURCE_TOPIC: 'orders', ...given })).toEqual({
      url,
      storeId: 'orders',
      token: undefined,
      certificate: undefined,
    })
  })

  test('the store needs no name', () => {
    expect(read({})).toMatchObject({ url: 'http://127.0.0.1:8080', storeId: undefined })
  })

  test('the .env of the store is enough, regardless of what else is in it', () => {
    writeFileSync(
      join(folder, '.env'),
      'SOURCE_TOPIC=orders\nSTORE_ID=mine\nSERVER_TOKEN=s3cret\nKEY_FORMAT=nonsense\n',
    )
    try {
      expect(read({})).toMatchObject({ storeId: 'mine', token: 's3cret' })
      expect(read({ STORE_ID: 'other' })).toMatchObject({ storeId: 'other' })
      expect(read({}, { values: new Map([['STORE_ID', 'flag']]) })).toMatchObject({ storeId: 'flag' })
    } finally {
      rmSync(join(folder, '.env'))
    }
  })

  test('with a certificate the store speaks TLS, and the certificate is the one to expect', () => {
    const { cert } = makeCertificate()
    writeFileSync(join(folder, 'server.crt'), cert)
    const found = read({ STORE_ID: 'a', SERVER_TLS_CERT: join(folder, 'server.crt') })
    expect(found).toMatchObject({ url: 'https://127.0.0.1:8080', certificate: expect.stringContaining('BEGIN') })
    // Another store has another certificate.
    const elsewhere = read({ STORE_ID: 'a', SERVER_TLS_CERT: join(folder, 'server.crt') }, { url: 'https://b:1/x/' })
    expect(elsewhere).toMatchObject({ url: 'https://b:1/x', certificate: undefined })
  })

  test('faults are reported together', () => {
    expect(faultsOf({ SERVER_PORT: 'x' })).toEqual([
      'SERVER_PORT="x" (environment): it must be a whole number from 0 to 65535',
    ])
    expect(faultsOf({ SERVER_PORT: '0' })).toEqual(['SERVER_PORT=0: only the store knows its port; give --url'])
    expect(faultsOf({ STORE_ID: 'a' }, { url: 'ftp://a' })).toEqual([
      '--url "ftp://a": it must be the URL of a store, such as http://localhost:8080',
    ])
    expect(faultsOf({ STORE_ID: 'a' }, { url: 'http://me:hunter2@a' })).toEqual([
      '--url: it must have no user and password; a token is given by SERVER_TOKEN or SERVER_TOKEN_FILE',
    ])
    expect(faultsOf({ STORE_ID: 'a', SERVER_TLS_CERT: '/nowhere' })).toEqual([
      'SERVER_TLS_CERT="/nowhere": the file cannot be read: there is no such file (ENOENT)',
    ])
    expect(faultsOf({ STORE_ID: 'a' }, { envFile: '/nowhere' })).toEqual([
      '/nowhere cannot be read as env file: there is no such file (ENOENT)',
    ])
  })
})
