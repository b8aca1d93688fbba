/**
 * Finds the protocol that a listener expects after it closed our connection. A broker sends no error to a client that
 * uses plain text instead of TLS, or that does not authenticate. It closes the connection, like a broker that restarts.
 * A probe with another protocol distinguishes these cases.
 */
import { deadline } from '../../deadline.ts'
import type { BrokerAddress } from '../../store-protocol/client-config.ts'
import { connectSocket, type SocketOptions } from './socket.ts'

export type ListenerProtocol = 'tls' | 'plaintext' | { mechanisms: string[] }

const probeMs = 3_000
const unverified = { verifiesCertificate: false, verifiesHostName: false }

/** Returns what the listener expects instead of what we used; undefined if that was not the cause. */
export async function probeListener(
  address: BrokerAddress,
  options: SocketOptions & { sasl?: unknown },
): Promise<ListenerProtocol | undefined> {
  if (options.tls) {
    if ((await ask(address, { ...options, tls: null }, apiVersionsRequest)) !== undefined) return 'plaintext'
  } else if (await speaksTls(address, options)) return 'tls'
  if (options.sasl) return undefined
  const answer = await ask(address, options, saslHandshakeRequest)
  const mechanisms = answer === undefined ? [] : mechanismsIn(answer)
  return mechanisms.length > 0 ? { mechanisms } : undefined
}

async function speaksTls({ host, port }: BrokerAddress, options: SocketOptions): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connectSocket(host, port, { ...options, tls: unverified }, () => resolve(true))
  socket.on('error', () => resolve(false))
  socket.on('close', () => resolve(false))
  const speaks = await deadline(promise, probeMs, () => false)
  socket.destroy()
  return speaks
}

/** Returns the body of the response to one request, after its correlation id; undefined if none arrives. */
export async function ask(
  { host, port }: BrokerAddress,
  options: SocketOptions,
  request: Buffer,
): Promise<Buffer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>()
  let received = Buffer.alloc(0)
  const socket = connectSocket(host, port, options, () => socket.write(request))
  socket.on('error', () => resolve(undefined))
  socket.on('close', () => resolve(undefined))
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    if (received.length < 8) return
    // A wrong correlation id or an impossible length: not a Kafka broker.
    const length = received.readInt32BE(0)
    if (received.readInt32BE(4) !== correlationId || length < 6 || length > answerBytesMax) resolve(undefined)
    else if (received.length >= length + 4) resolve(received.subarray(8, length + 4))
  })
  const answer = await deadline(promise, probeMs, () => undefined)
  socket.destroy()
  return answer
}

const correlationId = 1
const answerBytesMax = 65_536
export const apiVersionsRequest = requestOf(18, 0, Buffer.alloc(0))
const noMechanism = 'NONE'
const saslHandshakeRequest = requestOf(
  17,
  1,
  Buffer.from(`\0${String.fromCodePoint(noMechanism.length)}${noMechanism}`),
)

function requestOf(apiKey: number, apiVersion: number, body: Buffer): Buffer {
  const header = Buffer.alloc(14)
  header.writeInt32BE(10 + body.length, 0)
  header.writeInt16BE(apiKey, 4)
  header.writeInt16BE(apiVersion, 6)
  header.writeInt32BE(correlationId, 8)
  header.writeInt16BE(-1, 12) // no client id
  return Buffer.concat([header, body])
}

/** Parses a SaslHandshake response: error code, then the listener's mechanisms. A listener without SASL has none. */
function mechanismsIn(answer: Buffer): string[] {
  const mechanisms: string[] = []
  let at = 6
  for (let left = answer.readInt32BE(2); left > 0 && at + 2 <= answer.length; left--) {
    const length = answer.readInt16BE(at)
    mechanisms.push(answer.toString('utf8', at + 2, at + 2 + length))
    at += 2 + length
  }
  return mechanisms
}
