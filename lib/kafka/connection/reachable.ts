/**
 * Checks whether anything accepts connections at the brokers' addresses, and whether it is an HTTP server. A client
 * retries indefinitely, because a cluster may return. Commands that must end check this first.
 */
import { deadline } from '../../deadline.ts'
import { LatchkeyError } from '../../errors.ts'
import type { BrokerAddress } from '../../store-protocol/client-config.ts'
import { absentCodes } from './connection-fault.ts'
import { apiVersionsRequest } from './listener-probe.ts'
import { connectSocket, type SocketOptions } from './socket.ts'

const probeMs = 3_000
/** Time for a broker to answer. */
const answerMs = 1_000
/** What the answer of a broker begins with. */
const lengthBytes = 4
const correlationId = '\0\0\0\u0001'
const httpRequest = Buffer.from('GET / HTTP/1.0\r\n\r\n')

type ProbeOptions = Pick<SocketOptions, 'family' | 'tls'>

/**
 * Resolves as soon as one address accepts a connection and does not speak HTTP, or does not clearly refuse it.
 * @param setting name of the setting with the addresses
 * @throws LatchkeyError broker_unreachable if every address refuses connections, speaks HTTP, or its name does not
 *   resolve
 */
export async function requireReachable(
  addresses: readonly BrokerAddress[],
  setting: string,
  options: ProbeOptions = {},
): Promise<void> {
  const probes = addresses.map((address) => probe(address, options))
  const isReachable = probes.map(async (probed) => {
    const fault = await probed
    if (fault !== undefined) throw new Error(fault)
  })
  await Promise.any(isReachable).catch(async () => {
    const faults = await Promise.all(probes)
    const found = addresses.map(({ host, port }, index) => `${host}:${port}: ${faults[index]}`).join(', ')
    const advice = faults.includes(refused) ? `Start the broker, or correct ${setting}` : `Correct ${setting}`
    throw new LatchkeyError('broker_unreachable', `Connecting to ${found}. ${advice}`)
  })
}

/** Returns why no connection is possible; undefined if that is not certain. */
async function probe(address: BrokerAddress, { family, tls }: ProbeOptions): Promise<string | undefined> {
  const { host, port } = address
  const options = family === undefined ? {} : { family }
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const socket = connectSocket(host, port, options, () => resolve(undefined))
  socket.on('error', ({ code = '' }: NodeJS.ErrnoException) =>
    resolve(absentCodes.has(code) ? (faultTexts[code] ?? code) : undefined),
  )
  const fault = await deadline(promise, probeMs, () => 'late')
  socket.destroy()
  if (fault === 'late') return undefined
  // A client with TLS learns at once that the listener speaks none.
  if (fault !== undefined || tls) return fault
  return (await speaksHttp(address, options)) ? 'it speaks HTTP and is not a Kafka broker' : undefined
}

/** An HTTP server may wait for more than what a Kafka client sends, or answer it without a head. */
async function speaksHttp(address: BrokerAddress, options: SocketOptions): Promise<boolean> {
  const answer = await firstAnswer(address, options, apiVersionsRequest)
  if (isHttp(answer)) return true
  // A broker is not sent anything else.
  return !answer.startsWith(correlationId, lengthBytes) && isHttp(await firstAnswer(address, options, httpRequest))
}

function isHttp(answer: string): boolean {
  return answer.startsWith('HTTP/')
}

/** Returns the first bytes that are received, one character per byte. */
async function firstAnswer({ host, port }: BrokerAddress, options: SocketOptions, request: Buffer): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connectSocket(host, port, options, () => socket.write(request))
  socket.on('data', (chunk: Buffer) => resolve(chunk.toString('latin1')))
  socket.on('error', () => resolve(''))
  socket.on('close', () => resolve(''))
  const answer = await deadline(promise, answerMs, () => '')
  socket.destroy()
  return answer
}

/** Nothing listens there: no broker runs, or the address is wrong. */
const refused = 'refused'

const faultTexts: Readonly<Record<string, string>> = {
  ECONNREFUSED: refused,
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'the name does not resolve',
  EHOSTUNREACH: 'it cannot be reached (EHOSTUNREACH)',
  ENETUNREACH: 'it cannot be reached (ENETUNREACH)',
}
