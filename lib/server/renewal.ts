/** What SIGHUP does: certificate and key are read again, and taken if they are sound. */
import { readTlsPair, type TlsPaths } from '../config/tls-pair.ts'
import { messageOf } from '../errors.ts'
import { loggerOf } from '../log/index.ts'
import type { HttpServer } from './listen.ts'

/** For SIGHUP, which without a handler ends a process. */
export function renewOnHangup(server: Pick<HttpServer, 'renewTls'>, paths: TlsPaths | undefined): void {
  process.on('SIGHUP', () => {
    if (paths) renewCertificate(server, paths)
    else loggerOf('http').info('SIGHUP: there is no certificate to be read again; SERVER_TLS_CERT names none')
  })
}

/** Never throws: a pair with faults is logged, and the one before stays. */
function renewCertificate(server: Pick<HttpServer, 'renewTls'>, paths: TlsPaths): void {
  const faults: string[] = []
  try {
    const pair = readTlsPair(paths, faults)
    if (pair) {
      server.renewTls(pair)
      const { subject, validUntil } = pair
      const until = validUntil.toISOString()
      loggerOf('http').info('Renewed the certificate: {subject}, valid until {until}', { subject, until })
    }
  } catch (thrown) {
    faults.push(messageOf(thrown))
  }
  if (faults.length === 0) return
  const message = 'Renewing the certificate: {error}; the one before stays in use'
  loggerOf('http').error(message, { error: faults.join('; ') })
}
