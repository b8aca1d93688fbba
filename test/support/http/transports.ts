/** Plain HTTP and HTTPS, for what holds over both: a server, and clients that send bytes as they are. */
import type { TlsPair } from '../../../lib/config/tls-pair.ts'
import type { Definition } from '../../../lib/definition/index.ts'
import { open, sendAndEnd } from '../server/clients.ts'
import { makeCertificate } from './certificate.ts'
import { openPlainSocket, type OpenSocket, openTlsSocket } from './connect.ts'
import { serveFake as serveEither } from './fake-store.ts'
import { rawRequest } from './raw-request.ts'

export const tls: TlsPair = {
  ...makeCertificate(),
  certPath: '',
  keyPath: '',
  subject: 'CN=localhost',
  validUntil: new Date(),
}

function transportOf(over: string, pair: TlsPair | undefined, openSocket: OpenSocket, hasFastPath = true) {
  return {
    name: hasFastPath ? over : `${over} without the fast path`,
    hasFastPath,
    /** Of the server. */
    tls: pair,
    openSocket,
    serveFake: (options: Parameters<typeof serveEither>[0] = {}, definition?: Definition) =>
      serveEither({ ...options, tls: pair, hasFastPath }, definition),
    open: (port: number) => open(port, openSocket),
    sendAndEnd: (port: number, bytes: string) => sendAndEnd(port, bytes, openSocket),
    rawRequest: (port: number, request: string | Uint8Array, isEnd?: (answer: string) => boolean) =>
      rawRequest(port, request, isEnd, openSocket),
    fetch: (url: string) => fetch(url, { tls: { rejectUnauthorized: false } }),
  }
}

export type Transport = ReturnType<typeof transportOf>

/** With the fast path: also for promises that only the fast path holds. */
export const transports = [
  transportOf('over HTTP', undefined, openPlainSocket),
  transportOf('over HTTPS', tls, openTlsSocket),
]

/** Names of whether there is a fast path. */
export const modes: readonly [name: string, hasFastPath: boolean][] = [
  ['with the fast path', true],
  ['without the fast path', false],
]

/** With the fast path and without. */
export const allTransports = [
  ...transports,
  transportOf('over HTTP', undefined, openPlainSocket, false),
  transportOf('over HTTPS', tls, openTlsSocket, false),
]
