/**
 * TLS and SASL configuration of one client. Reads and checks the files once, at start: a wrong path or key is then
 * reported as an error of the setting, not as a failed connection.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { SaslConfig, TlsConfig } from '../../store-protocol/client-config.ts'
import { whyUnreadable } from '../../text/fs-error.ts'
import type { SecurityDefaults } from './defaults.ts'

const certificateBlock = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]+?-----END (?:TRUSTED )?CERTIFICATE-----/g

/** Receives errors, each of which names its property, and notices. */
export interface Findings {
  fault: (text: string) => void
  notice: (text: string) => void
}

export function saslOf(draft: SecurityDefaults, findings: Findings): SaslConfig | null {
  const { saslMechanism, saslUsername, saslPassword, securityProtocol } = draft
  if (!securityProtocol.startsWith('sasl_')) {
    if (saslUsername !== undefined || saslPassword !== undefined) {
      findings.notice(`sasl.username and sasl.password have no effect with security.protocol=${securityProtocol}`)
    }
    return null
  }
  const missing = [
    ...(saslMechanism === undefined ? ['sasl.mechanism'] : []),
    ...(saslUsername === undefined ? ['sasl.username'] : []),
    ...(saslPassword === undefined ? ['sasl.password'] : []),
  ]
  if (missing.length > 0) {
    findings.fault(`security.protocol=${securityProtocol} needs ${missing.join(' and ')}`)
    return null
  }
  if (saslMechanism === 'plain' && securityProtocol === 'sasl_plaintext') {
    findings.notice('the password goes over the network unencrypted; use security.protocol=sasl_ssl or SCRAM')
  }
  return { mechanism: saslMechanism!, username: saslUsername!, password: saslPassword! }
}

export function tlsOf(draft: SecurityDefaults, findings: Findings): TlsConfig | null {
  if (!draft.securityProtocol.endsWith('ssl')) {
    if (draft.caLocation ?? draft.caPem ?? draft.certificateLocation ?? draft.certificatePem) {
      findings.notice(`properties that begin with ssl. have no effect with security.protocol=${draft.securityProtocol}`)
    }
    return null
  }
  const ca = trusted(draft, findings)
  const pair = clientCertificate(draft, findings)
  return { ...draft.tls, ...(ca === undefined ? {} : { ca }), ...pair }
}

function trusted(draft: SecurityDefaults, findings: Findings): string[] | undefined {
  const { caLocation, caPem } = draft
  if (caPem !== undefined) return certificates('ssl.ca.pem', 'its text', caPem, findings)
  if (caLocation === undefined || caLocation === 'probe') return undefined
  try {
    const files = statSync(caLocation).isDirectory()
      ? readdirSync(caLocation)
          .map((name) => join(caLocation, name))
          .filter((path) => statSync(path).isFile())
      : [caLocation]
    // A directory may hold other files (keys, indexes) next to the certificates.
    const found = files
      .map((path) => ({ path, pem: readFileSync(path, 'utf8') }))
      .filter(({ pem }) => files.length === 1 || pem.match(certificateBlock) !== null)
    if (found.length === 0) findings.fault(`ssl.ca.location: ${caLocation} holds no certificate in PEM`)
    return found.flatMap(({ path, pem }) => certificates('ssl.ca.location', path, pem, findings))
  } catch (error) {
    findings.fault(unreadable('ssl.ca.location', caLocation, error))
    return undefined
  }
}

function clientCertificate(draft: SecurityDefaults, findings: Findings): { cert?: string; key?: string } {
  const cert = pemOf('ssl.certificate', draft.certificatePem, draft.certificateLocation, findings)
  const key = pemOf('ssl.key', draft.keyPem, draft.keyLocation, findings)
  if (cert === 'unreadable' || key === 'unreadable') return {}
  if (cert === undefined && key === undefined) return {}
  if (cert === undefined || key === undefined) {
    const [has, lacks] = cert === undefined ? ['ssl.key', 'ssl.certificate'] : ['ssl.certificate', 'ssl.key']
    findings.fault(`${has}.location needs ${lacks}.location`)
    return {}
  }
  const chain = certificates(cert.property, cert.origin, cert.pem, findings)
  const privateKey = readKey(key, draft.keyPassword, findings)
  if (chain.length === 0 || privateKey === undefined) return {}
  if (!new X509Certificate(chain[0]!).checkPrivateKey(privateKey)) {
    findings.fault(`${key.property}: ${key.origin} is not the key of the certificate in ${cert.property}`)
    return {}
  }
  return { cert: chain.join('\n'), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

interface Pem {
  property: string
  /** Path of the file, or `its text` for PEM given as a property. */
  origin: string
  pem: string
}

function pemOf(
  start: string,
  pem: string | undefined,
  location: string | undefined,
  findings: Findings,
): Pem | 'unreadable' | undefined {
  if (pem !== undefined) return { property: `${start}.pem`, origin: 'its text', pem }
  if (location === undefined) return undefined
  const property = `${start}.location`
  try {
    return { property, origin: location, pem: readFileSync(location, 'utf8') }
  } catch (error) {
    findings.fault(unreadable(property, location, error))
    return 'unreadable'
  }
}

function certificates(property: string, origin: string, pem: string, findings: Findings): string[] {
  const blocks = pem.match(certificateBlock) ?? []
  if (blocks.length === 0) findings.fault(`${property}: ${origin} holds no certificate in PEM`)
  for (const block of blocks) {
    try {
      const { validTo, subject } = new X509Certificate(block)
      if (Date.parse(validTo) < Date.now()) {
        findings.notice(
          `${property}: the certificate of ${subject.replaceAll('\n', ', ')} in ${origin} expired on ${validTo}`,
        )
      }
    } catch {
      findings.fault(`${property}: ${origin} holds a certificate that is damaged`)
      return []
    }
  }
  return blocks
}

/** Does not pass on OpenSSL's messages, because they could quote the key. */
function readKey(
  { property, origin, pem }: Pem,
  passphrase: string | undefined,
  findings: Findings,
): KeyObject | undefined {
  try {
    return createPrivateKey(passphrase === undefined ? { key: pem } : { key: pem, passphrase })
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (code === 'ERR_MISSING_PASSPHRASE') {
      findings.fault(`${property}: the key in ${origin} is encrypted; set ssl.key.password`)
    } else if (pem.includes('ENCRYPTED')) findings.fault(`ssl.key.password does not open the key in ${origin}`)
    else findings.fault(`${property}: ${origin} holds no private key in PEM`)
    return undefined
  }
}

function unreadable(property: string, path: string, error: unknown): string {
  return `${property}: ${path} cannot be read: ${whyUnreadable(error)}`
}
