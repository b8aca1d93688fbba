/** Certificates for tests, made here: neither OpenSSL nor a file that expires some day is needed. */
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const dayMs = 86_400_000
// DER: object identifiers with tag and length.
const ecdsaWithSha256 = Buffer.from('06082a8648ce3d040302', 'hex')
const commonName = Buffer.from('0603550403', 'hex')
const subjectAltName = Buffer.from('0603551d11', 'hex')

export interface Certificate {
  cert: string
  key: string
}

export interface CertificateOptions {
  name?: string
  validFrom?: number
  validUntil?: number
  namedCurve?: string
}

/** Self-signed, for localhost and 127.0.0.1, with an elliptic key. */
export function makeCertificate({
  name = 'localhost',
  validFrom = Date.now() - dayMs,
  validUntil = Date.now() + dayMs,
  namedCurve = 'P-256',
}: CertificateOptions = {}): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const algorithm = der(0x30, ecdsaWithSha256)
  const subject = der(0x30, der(0x31, der(0x30, commonName, der(0x0c, Buffer.from(name)))))
  const names = der(0x30, der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])))
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    algorithm,
    subject,
    der(0x30, time(validFrom), time(validUntil)),
    subject,
    publicKey,
    der(0xa3, der(0x30, der(0x30, subjectAltName, der(0x04, names)))),
  )
  const signature = sign('sha256', body, createPrivateKey(privateKey))
  const whole = der(0x30, body, algorithm, der(0x03, Buffer.from([0]), signature))
  return { cert: pem('CERTIFICATE', whole), key: privateKey }
}

/** Writes a pair into a directory. */
export function writeCertificate(directory: string, { cert, key }: Certificate): { certPath: string; keyPath: string } {
  const paths = { certPath: join(directory, 'server.crt'), keyPath: join(directory, 'server.key') }
  writeFileSync(paths.certPath, cert)
  writeFileSync(paths.keyPath, key)
  return paths
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...head]), content])
}

function time(milliseconds: number): Buffer {
  const digits = new Date(milliseconds).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return der(0x18, Buffer.from(digits))
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}
