/**
 * Certificate and private key of HTTP and of the Redis protocol, read and checked together. An error is then reported
 * for the setting, not as a failed handshake.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { whyUnreadable } from '../text/fs-error.ts'
import { readText, type TextReader } from './text-file.ts'

const certificateBlock = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g
/** Of a file. */
export const tlsBytesMax = 1_048_576

export interface TlsPaths {
  certPath: string
  keyPath: string
}

export interface TlsPair extends TlsPaths {
  /** PEM: the server's certificate, then the intermediate certificates up to one that clients trust. */
  cert: string
  /** PEM. */
  key: string
  /** Subject of the server's certificate, such as `CN=localhost`. */
  subject: string
  validUntil: Date
}

/** @returns undefined if there are errors; each names setting and file, and none quotes the key */
export function readTlsPair(
  paths: TlsPaths,
  faults: string[],
  { read = readText, now = Date.now() } = {},
): TlsPair | undefined {
  const certFault = (found: string) => void faults.push(`SERVER_TLS_CERT=${JSON.stringify(paths.certPath)}: ${found}`)
  const keyFault = (found: string) => void faults.push(`SERVER_TLS_KEY=${JSON.stringify(paths.keyPath)}: ${found}`)
  const chain = readChain(paths.certPath, read, certFault)
  const key = readKey(paths.keyPath, read, keyFault)
  const leaf = chain?.[0]
  if (!chain || !leaf || !key) return undefined
  const subject = leaf.subject.replaceAll('\n', ', ')
  const validUntil = new Date(leaf.validTo)
  if (validUntil.getTime() <= now) certFault(`the certificate of ${subject} has expired, on ${leaf.validTo}; renew it`)
  else if (Date.parse(leaf.validFrom) > now) {
    certFault(`the certificate of ${subject} is not valid before ${leaf.validFrom}`)
  } else if (!leaf.checkPrivateKey(key)) keyFault(`it is not the key of the first certificate in ${paths.certPath}`)
  else {
    const cert = chain.map((certificate) => certificate.toString()).join('')
    const keyText = key.export({ type: 'pkcs8', format: 'pem' }).toString()
    if (isUsable(cert, keyText, certFault)) return { ...paths, cert, key: keyText, subject, validUntil }
  }
  return undefined
}

/** Returns the certificates of a file, in PEM form; undefined if there are none, which is reported. */
export function readCertificates(
  path: string,
  read: TextReader,
  fault: (found: string) => undefined,
): string | undefined {
  return readChain(path, read, fault)
    ?.map((certificate) => certificate.toString())
    .join('')
}

function readChain(path: string, read: TextReader, fault: (found: string) => undefined): X509Certificate[] | undefined {
  const pem = readPem(path, read, fault)
  if (pem === undefined) return undefined
  const blocks = pem.match(certificateBlock)
  if (!blocks) return fault('it holds no certificate in PEM form')
  try {
    return blocks.map((block) => new X509Certificate(block))
  } catch {
    return fault('it holds a certificate that is damaged')
  }
}

function readKey(path: string, read: TextReader, fault: (found: string) => undefined): KeyObject | undefined {
  const pem = readPem(path, read, fault)
  if (pem === undefined) return undefined
  try {
    return createPrivateKey(pem)
  } catch (thrown) {
    const isEncrypted = (thrown as { code?: unknown }).code === 'ERR_MISSING_PASSPHRASE' || pem.includes('ENCRYPTED')
    const found = isEncrypted
      ? 'the key is encrypted; give one without a passphrase'
      : 'it holds no private key in PEM form, or one that is not RSA, ECDSA or Ed25519'
    return fault(found)
  }
}

function readPem(path: string, read: TextReader, fault: (found: string) => undefined): string | undefined {
  try {
    return read(path, tlsBytesMax)
  } catch (thrown) {
    return fault(`the file cannot be read: ${whyUnreadable(thrown)}`)
  }
}

/** Whether the TLS library accepts the pair. It refuses some curves, such as P-224. */
function isUsable(cert: string, key: string, fault: (found: string) => undefined): boolean {
  try {
    createSecureContext({ cert, key })
    return true
  } catch (thrown) {
    fault(`TLS refuses it: ${(thrown as { code?: string }).code ?? 'for no stated reason'}`)
    return false
  }
}
