/** Handler of SIGHUP: reads certificate and key again, and uses them if they are valid. */
import { readTlsPair, type TlsPaths } from '../config/tls-pair.ts'
import { messageOf } from '../errors.ts'
import { loggerOf } from '../log/index.ts'
import type { HttpServer } from './listen.ts'

/** Installs the handler. Without one, SIGHUP ends the process. */
export function renewOnHangup(server: Pick<HttpServer, 'renewTls'>, paths: TlsPaths | undefined): void {
  process.on('SIGHUP', () => {
    if (paths) renewCertificate(server, paths)
    else loggerOf('http').info('SIGHUP: there is no certificate to be read again; SERVER_TLS_CERT names none')
  })
}

/** Never throws: faults of the new pair are logged, and the previous pair stays in use. */
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
