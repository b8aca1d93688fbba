/**
 * Finds the cause of a failed connection. An absent broker may return. A wrong password, certificate or protocol
 * stays wrong until someone corrects it, so the message names the setting to correct.
 */
import { LatchkeyError, messageOf } from '../../errors.ts'
import type { BrokerAddress, SaslConfig } from '../../store-protocol/client-config.ts'
import { type ListenerProtocol, probeListener } from './listener-probe.ts'
import { speaksTls } from './response-frames.ts'
import { SaslRefused } from './sasl.ts'
import type { SocketOptions } from './socket.ts'

type SecurityOptions = SocketOptions & { sasl?: SaslConfig | null }

export class DeadlinePassed extends Error {}

const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_UNTRUSTED',
  'INVALID_CA',
  'CERT_SIGNATURE_FAILURE',
])
/** Errors that mean that no broker is there, or no route to it: a probe is useless. */
export const absentCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
])

/** @param answered whether the broker has answered before on this connection */
export async function connectionFault(
  error: unknown,
  apiName: string,
  address: BrokerAddress,
  options: SecurityOptions,
  answered: boolean,
): Promise<LatchkeyError> {
  if (error instanceof LatchkeyError) return error
  const where = `${address.host}:${address.port}`
  const attempted = `${apiName} to ${where}`
  const code = String((error as { code?: unknown }).code ?? '')
  const known = saslFault(error, where, options, answered) ?? tlsFault(code, messageOf(error), where)
  if (known !== undefined) return new LatchkeyError('authentication_failed', known, { cause: error })
  const isTimeout = error instanceof DeadlinePassed
  // A listener closes the connection if the client uses the wrong protocol. A silent listener would not answer a probe.
  if (!answered && !isTimeout && !absentCodes.has(code)) {
    const found = listenerFault(await probeListener(address, options), where)
    if (found !== undefined) return found
  }
  return new LatchkeyError(
    isTimeout ? 'request_timed_out' : 'broker_unreachable',
    `${attempted}: ${messageOf(error)}`,
    { cause: error },
  )
}

function saslFault(error: unknown, where: string, { sasl }: SecurityOptions, answered: boolean): string | undefined {
  const attempted = `Authenticating with ${where} by SASL ${sasl?.mechanism.toUpperCase()} as user ${sasl?.username}`
  if (error instanceof SaslRefused) {
    return `${attempted}: the broker refused: ${error.message}; correct sasl.username and sasl.password in KAFKA_PROPERTIES, or create that user`
  }
  switch ((error as { type?: unknown }).type) {
    case 'UNSUPPORTED_SASL_MECHANISM':
      return `${attempted}: the listener does not offer that mechanism; set sasl.mechanism to one that it offers`
    case 'ILLEGAL_SASL_STATE':
      if (answered) return undefined // session too short to be renewed: the next connection begins a new one
      return `${attempted}: the listener has no SASL; set security.protocol to plaintext or ssl, or name another port in KAFKA_BROKERS`
    default:
      return undefined
  }
}

function tlsFault(code: string, message: string, where: string): string | undefined {
  const attempted = `Connecting to ${where} by TLS`
  if (untrusted.has(code)) {
    return `${attempted}: its certificate is not trusted (${code}); set ssl.ca.location to the certificate of the CA that signed it`
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const advice =
      'name brokers as their certificate does (KAFKA_BROKERS, advertised.listeners), or set ssl.endpoint.identification.algorithm=none'
    return `${attempted}: its certificate is for another host name: ${withoutPrefix(message)}; ${advice}`
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return `${attempted}: its certificate ${code === 'CERT_HAS_EXPIRED' ? 'has expired' : 'is not valid yet'}; renew it on the broker, or correct the clock of this host`
  }
  if (code.startsWith('CERT_')) return `${attempted}: its certificate is refused (${code})`
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return `${attempted}: ${noTls}`
  if (/ALERT|CERTIFICATE_REQUIRED/i.test(code) || /\balert\b/i.test(message)) {
    const advice = 'it may want a client certificate that it trusts: ssl.certificate.location and ssl.key.location'
    return `${attempted}: the broker refused the handshake (${code || withoutPrefix(message)}); ${advice}`
  }
  return undefined
}

const noTls =
  'the listener speaks no TLS; set security.protocol to plaintext or sasl_plaintext, or name another port in KAFKA_BROKERS'

function listenerFault(listener: ListenerProtocol | undefined, where: string): LatchkeyError | undefined {
  if (listener === undefined) return undefined
  if (listener === 'tls') return speaksTls(where)
  if (listener === 'plaintext') {
    return new LatchkeyError('authentication_failed', `Connecting to ${where} by TLS: ${noTls}`)
  }
  const offered = listener.mechanisms.join(', ')
  const advice =
    'set security.protocol=sasl_plaintext (or sasl_ssl), sasl.mechanism, sasl.username and sasl.password in KAFKA_PROPERTIES'
  return new LatchkeyError(
    'authentication_failed',
    `Connecting to ${where}: the listener wants SASL (${offered}); ${advice}`,
  )
}

/** Removes the prefix that kafkajs puts before OpenSSL's message. */
function withoutPrefix(message: string): string {
  return message.replace(/^Connection error: /, '')
}
