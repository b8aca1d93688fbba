import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readTlsPair } from '../../lib/config/tls-pair.ts'
import { faultsOf as faultsOfInput, required, settingsOf } from '../support/config/read.ts'
import { makeCertificate, writeCertificate } from '../support/http/certificate.ts'

const dayMs = 86_400_000
const made = makeCertificate()
let root: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'latchkey-tls-'))
})
afterAll(() => rmSync(root, { recursive: true }))

function pathsOf(pair: { cert: string; key: string }) {
  return writeCertificate(mkdtempSync(join(root, 'pair-')), pair)
}

function faultsOf(pair: { cert: string; key: string }) {
  const faults: string[] = []
  const paths = pathsOf(pair)
  expect(readTlsPair(paths, faults)).toBeUndefined()
  return faults.map((fault) => fault.replaceAll(paths.certPath, 'CERT').replaceAll(paths.keyPath, 'KEY'))
}

describe('readTlsPair', () => {
  test('a valid pair is read with subject and expiry', () => {
    const faults: string[] = []
    const paths = pathsOf(makeCertificate({ name: 'orders.example', validUntil: Date.UTC(2099, 0, 2) }))
    const pair = readTlsPair(paths, faults)
    expect(faults).toEqual([])
    expect(pair).toMatchObject({ ...paths, subject: 'CN=orders.example', validUntil: new Date(Date.UTC(2099, 0, 2)) })
  })

  test('all certificates are kept in their order when the file has a chain', () => {
    const issuer = makeCertificate({ name: 'issuer' })
    const faults: string[] = []
    const pair = readTlsPair(pathsOf({ cert: `leaf first\n${made.cert}${issuer.cert}`, key: made.key }), faults)
    expect(faults).toEqual([])
    expect(pair!.cert).toBe(made.cert + issuer.cert)
  })

  test.each([
    [
      'the certificate is no PEM',
      { ...made, cert: 'x' },
      'SERVER_TLS_CERT="CERT": it holds no certificate in PEM form',
    ],
    ['the files are swapped', { cert: made.key, key: made.cert }, 'SERVER_TLS_CERT="CERT": it holds no certificate'],
    [
      'the certificate is damaged',
      { ...made, cert: made.cert.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA') },
      'SERVER_TLS_CERT="CERT": it holds a certificate that is damaged',
    ],
    [
      'the key is no PEM',
      { ...made, key: 'x' },
      'SERVER_TLS_KEY="KEY": it holds no private key in PEM form, or one that is not RSA, ECDSA or Ed25519',
    ],
    [
      'the key is another',
      { ...made, key: makeCertificate().key },
      'SERVER_TLS_KEY="KEY": it is not the key of the first certificate in CERT',
    ],
    [
      'the certificate has expired',
      makeCertificate({ validUntil: Date.now() - dayMs }),
      'SERVER_TLS_CERT="CERT": the certificate of CN=localhost has expired, on ',
    ],
    [
      'the certificate is of the future',
      makeCertificate({ validFrom: Date.now() + dayMs, validUntil: Date.now() + 2 * dayMs }),
      'SERVER_TLS_CERT="CERT": the certificate of CN=localhost is not valid before ',
    ],
    [
      'TLS has no handshake with the key',
      makeCertificate({ namedCurve: 'P-224' }),
      'SERVER_TLS_CERT="CERT": TLS refuses it: ',
    ],
    [
      'a file is huge',
      { ...made, cert: 'x'.repeat(2_000_000) },
      'SERVER_TLS_CERT="CERT": the file cannot be read: it is longer than 1048576 bytes',
    ],
  ])('a fault says what is wrong when %s', (_, pair, fault) => {
    expect(faultsOf(pair)[0]).toStartWith(fault)
  })

  test('a fault asks for a key without a passphrase when it has one', () => {
    const { privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
    })
    const faults = faultsOf({ ...made, key: privateKey })
    expect(faults).toEqual(['SERVER_TLS_KEY="KEY": the key is encrypted; give one without a passphrase'])
  })

  test('both faults are reported, and nothing of the key, when neither file can be read', () => {
    const faults: string[] = []
    readTlsPair({ certPath: join(root, 'absent'), keyPath: root }, faults)
    expect(faults).toEqual([
      `SERVER_TLS_CERT="${join(root, 'absent')}": the file cannot be read: there is no such file (ENOENT)`,
      `SERVER_TLS_KEY="${root}": the file cannot be read: it is a directory (EISDIR)`,
    ])
    const secretLine = made.key.split('\n')[1]!
    for (const fault of faultsOf({ cert: 'x', key: made.key.replace('BEGIN', 'BEGUN') })) {
      expect(fault).not.toContain(secretLine)
    }
  })
})

describe('readCommand', () => {
  const inputOf = (environment: Record<string, string>) => ({ environment: { ...required, ...environment } })
  const faultsOfRead = (environment: Record<string, string>) => faultsOfInput(inputOf(environment))

  test('the pair is in the settings when both files are named', () => {
    const { certPath, keyPath } = pathsOf(made)
    const settings = settingsOf(inputOf({ SERVER_TLS_CERT: certPath, SERVER_TLS_KEY: keyPath }))
    expect(settings.serverTls).toMatchObject({ cert: made.cert, certPath, keyPath })
  })

  test('a fault names the other when only one file is named', () => {
    const { certPath, keyPath } = pathsOf(made)
    expect(faultsOfRead({ SERVER_TLS_CERT: certPath })).toEqual([
      'SERVER_TLS_KEY is missing: SERVER_TLS_CERT needs the key of its certificate, for example SERVER_TLS_KEY=server.key',
    ])
    expect(faultsOfRead({ SERVER_TLS_KEY: keyPath })).toEqual([
      'SERVER_TLS_CERT is missing: SERVER_TLS_KEY needs the certificate that it belongs to, for example SERVER_TLS_CERT=server.crt',
    ])
  })

  test('faults of the files are reported with all others', () => {
    const path = join(root, 'absent')
    writeFileSync(join(root, 'empty'), '')
    const faults = faultsOfRead({ SERVER_TLS_CERT: path, SERVER_TLS_KEY: join(root, 'empty'), SERVER_PORT: 'x' })
    expect(faults).toEqual([
      'SERVER_PORT="x" (environment): it must be a whole number from 0 to 65535',
      `SERVER_TLS_CERT="${path}": the file cannot be read: there is no such file (ENOENT)`,
      `SERVER_TLS_KEY="${join(root, 'empty')}": it holds no private key in PEM form, or one that is not RSA, ECDSA or Ed25519`,
    ])
  })
})
