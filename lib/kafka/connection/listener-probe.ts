/**
 * What a listener speaks that hung up on us. A broker says nothing to a client that talks to it in plain text where it wants TLS, or that does not
 * authenticate where it must: it closes the connection, as one that restarts does. Asking it differently tells them apart.
 */
import { type BrokerAddress } from '../../store-protocol/client-config.ts'
import { deadline } from '../../deadline.ts'
import { connectSocket, type SocketOptions } from './socket.ts'

export type Listener = 'tls' | 'plaintext' | { mechanisms: string[] }

const probeMs = 3_000
const unverified = { verifiesCertificate: false, verifiesHostName: false }

/** What the listener wants other than what we did; undefined where that was not it. */
export async function probeListener(
  address: BrokerAddress,
  options: SocketOptions & { sasl?: unknown },
): Promise<Listener | undefined> {
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

/** The body of the answer to one request, after its correlation id; undefined where none comes. */
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
    // Another correlation id, or a length that no such answer has: it is no Kafka broker that talks.
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
const apiVersionsRequest = requestOf(18, 0, Buffer.alloc(0))
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

/** SaslHandshake response: error code, then the mechanisms that the listener has; none on one without SASL. */
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
