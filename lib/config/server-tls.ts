/** The certificate of HTTP and of the Redis protocol, from its two settings, which need each other. */
import { missingFault } from './missing-setting.ts'
import { readText } from './text-file.ts'
import { readTlsPair, type TlsPair } from './tls-pair.ts'

/** Returns the pair that the settings name; undefined if they name none, or if there are errors. */
export function serverTlsOf(
  texts: Readonly<Record<string, string | undefined>>,
  faults: string[],
  read = readText,
): TlsPair | undefined {
  const { serverTlsCert: certPath, serverTlsKey: keyPath } = texts
  if (certPath && keyPath) return readTlsPair({ certPath, keyPath }, faults, { read })
  if (certPath) faults.push(missingFault('serverTlsKey', 'SERVER_TLS_CERT needs the key of its certificate'))
  if (keyPath) faults.push(missingFault('serverTlsCert', 'SERVER_TLS_KEY needs the certificate that it belongs to'))
  return undefined
}
