/**
 * Properties of TLS and SASL, for all three clients. Files are read later (tls.ts), when it is known which of them
 * apply.
 */
import type { SecurityProtocol } from './defaults.ts'
import { choice, type PropertyType, secret, text, trueOrFalse } from './parsers.ts'
import { allClients, property } from './property.ts'

const mechanisms = { plain: 'plain', 'scram-sha-256': 'scram-sha-256', 'scram-sha-512': 'scram-sha-512' } as const
const mechanism = choice(mechanisms, 'PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512')
const protocols: Record<string, SecurityProtocol> = {
  plaintext: 'plaintext',
  ssl: 'ssl',
  sasl_plaintext: 'sasl_plaintext',
  sasl_ssl: 'sasl_ssl',
}

/** PEM as a property value: line ends may be written \n. */
function pem(): PropertyType<string> {
  const { allowed, read } = text('a text in PEM, its line ends written \\n')
  return { allowed, read: (given) => read(given).replaceAll('\\n', '\n') }
}

const path = text('the path of a file')

export const securityProperties = [
  property(
    'security.protocol',
    allClients,
    choice(protocols, 'plaintext, ssl, sasl_plaintext or sasl_ssl'),
    (draft, value) => (draft.security.securityProtocol = value),
  ),
  property('sasl.mechanism', allClients, mechanism, (draft, value) => (draft.security.saslMechanism = value), {
    aliases: ['sasl.mechanisms'],
  }),
  property('sasl.username', allClients, text(), (draft, value) => (draft.security.saslUsername = value)),
  property('sasl.password', allClients, secret(), (draft, value) => (draft.security.saslPassword = value), {
    isSecret: true,
  }),
  property('ssl.ca.location', allClients, path, (draft, value) => (draft.security.caLocation = value)),
  property('ssl.ca.pem', allClients, pem(), (draft, value) => (draft.security.caPem = value)),
  property(
    'ssl.certificate.location',
    allClients,
    path,
    (draft, value) => (draft.security.certificateLocation = value),
  ),
  property('ssl.certificate.pem', allClients, pem(), (draft, value) => (draft.security.certificatePem = value)),
  property('ssl.key.location', allClients, path, (draft, value) => (draft.security.keyLocation = value)),
  property('ssl.key.pem', allClients, pem(), (draft, value) => (draft.security.keyPem = value), { isSecret: true }),
  property('ssl.key.password', allClients, secret(), (draft, value) => (draft.security.keyPassword = value), {
    isSecret: true,
  }),
  property('ssl.cipher.suites', allClients, text(), (draft, value) => (draft.security.tls.ciphers = value)),
  property('ssl.curves.list', allClients, text(), (draft, value) => (draft.security.tls.ecdhCurve = value)),
  property('ssl.sigalgs.list', allClients, text(), (draft, value) => (draft.security.tls.sigalgs = value)),
  property(
    'enable.ssl.certificate.verification',
    allClients,
    trueOrFalse(),
    (draft, value) => (draft.security.tls.verifiesCertificate = value),
    { notice: (value) => (value ? undefined : 'the brokers’ certificates are not verified: anybody may pose as them') },
  ),
  property(
    'ssl.endpoint.identification.algorithm',
    allClients,
    choice({ none: false, https: true }),
    (draft, value) => (draft.security.tls.verifiesHostName = value),
    {
      notice: (value) =>
        value ? undefined : 'host names are not verified: anyone with a certificate of the CA can pose as a broker',
    },
  ),
]
