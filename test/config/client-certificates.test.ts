import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { consumer, faultsOf, read } from '../support/config/properties.ts'
import { makeCertificates } from '../support/kafka/security/certificates.ts'

const folder = mkdtempSync(join(tmpdir(), 'latchkey-properties-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const made = makeCertificates(folder)
const ssl = 'security.protocol=ssl'

test('files are read, and an encrypted key is opened', async () => {
  const { ca, client, encryptedKey } = await made
  const pair = `ssl.certificate.location=${client.certificate},ssl.key.location=${encryptedKey}`
  const { tls } = consumer(`${ssl},ssl.ca.location=${ca},${pair},ssl.key.password=key\\, pass=word`).connection
  expect(tls?.ca).toEqual([expect.stringContaining('BEGIN CERTIFICATE')])
  expect(tls?.key).toStartWith('-----BEGIN PRIVATE KEY')
})

test('a directory of certificates is read, other files in it left out', () => {
  expect(consumer(`${ssl},ssl.ca.location=${folder}`).connection.tls?.ca?.length).toBeGreaterThan(3)
})

test('PEM may stand in the property itself', async () => {
  const { ca } = await made
  const pem = (await Bun.file(ca).text()).trim().replaceAll('\n', '\\n')
  expect(consumer(`${ssl},ssl.ca.pem=${pem}`).connection.tls?.ca).toHaveLength(1)
})

test.each<[string, (files: Awaited<typeof made>) => string, string]>([
  [
    'a CA that is not there',
    () => 'ssl.ca.location=/nowhere/ca.crt',
    '/nowhere/ca.crt cannot be read: there is no such file (ENOENT)',
  ],
  ['a CA that is a key', ({ client }) => `ssl.ca.location=${client.key}`, 'holds no certificate in PEM'],
  ['a CA that is damaged', () => `ssl.ca.location=${damaged()}`, 'holds a certificate that is damaged'],
  [
    'a certificate without its key',
    ({ client }) => `ssl.certificate.location=${client.certificate}`,
    'needs ssl.key.location',
  ],
  ['a key without its certificate', ({ client }) => `ssl.key.location=${client.key}`, 'needs ssl.certificate.location'],
  [
    'an encrypted key without password',
    ({ client, encryptedKey }) => `ssl.certificate.location=${client.certificate},ssl.key.location=${encryptedKey}`,
    'is encrypted; set ssl.key.password',
  ],
  [
    'a wrong key password',
    ({ client, encryptedKey }) =>
      `ssl.certificate.location=${client.certificate},ssl.key.location=${encryptedKey},ssl.key.password=sesame`,
    'ssl.key.password does not open the key',
  ],
  [
    'the key of another certificate',
    ({ client, stranger }) => `ssl.certificate.location=${client.certificate},ssl.key.location=${stranger.key}`,
    'is not the key of the certificate',
  ],
  [
    'a key that is a certificate',
    ({ client }) => `ssl.certificate.location=${client.certificate},ssl.key.location=${client.certificate}`,
    'holds no private key in PEM',
  ],
])('%s is reported as a fault', async (_what, text, said) => {
  const faults = faultsOf(`${ssl},${text(await made)}`)
  expect(faults).toHaveLength(1)
  expect(faults[0]).toContain(said)
  expect(faults[0]).not.toContain('sesame')
  expect(faults[0]).not.toContain('BEGIN')
})

test('an expired certificate is reported', async () => {
  const { expired } = await made
  expect(read(`${ssl},ssl.ca.location=${expired.certificate}`).notices.join()).toContain('expired on')
})

function damaged(): string {
  const path = join(folder, 'damaged.crt')
  writeFileSync(path, '-----BEGIN CERTIFICATE-----\nTm90IG9uZQ==\n-----END CERTIFICATE-----\n')
  return path
}
