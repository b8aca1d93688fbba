/** Plain HTTP and HTTPS, for what holds over both: a server, and clients that send bytes as they are. */
import type { TlsPair } from '../../../lib/config/tls-pair.ts'
import type { Definition } from '../../../lib/definition/index.ts'
import { open, sendAndEnd } from '../server/clients.ts'
import { makeCertificate } from './certificate.ts'
import { type Dial, dialPlain, dialTls } from './connect.ts'
import { serveFake as serveEither } from './fake-store.ts'
import { rawRequest } from './raw-request.ts'

export const tls: TlsPair = {
  ...makeCertificate(),
  certPath: '',
  keyPath: '',
  subject: 'CN=localhost',
  validUntil: new Date(),
}

function transportOf(name: string, pair: TlsPair | undefined, dial: Dial) {
  return {
    name,
    /** Of the server. */
    tls: pair,
    dial,
    serveFake: (options: Parameters<typeof serveEither>[0] = {}, definition?: Definition) =>
      serveEither({ ...options, tls: pair }, definition),
    open: (port: number) => open(port, dial),
    sendAndEnd: (port: number, bytes: string) => sendAndEnd(port, bytes, dial),
    rawRequest: (port: number, request: string | Uint8Array, isEnd?: (answer: string) => boolean) =>
      rawRequest(port, request, isEnd, dial),
    fetch: (url: string) => fetch(url, { tls: { rejectUnauthorized: false } }),
  }
}

export type Transport = ReturnType<typeof transportOf>

export const transports = [transportOf('over HTTP', undefined, dialPlain), transportOf('over HTTPS', tls, dialTls)]
