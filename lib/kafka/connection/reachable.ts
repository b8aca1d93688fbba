/**
 * Checks whether anything accepts connections at the brokers' addresses. A client retries indefinitely, because a
 * cluster may return. Commands that must end check this first.
 */
import { deadline } from '../../deadline.ts'
import { LatchkeyError } from '../../errors.ts'
import type { BrokerAddress } from '../../store-protocol/client-config.ts'
import { absentCodes } from './connection-fault.ts'
import { connectSocket, type SocketOptions } from './socket.ts'

const probeMs = 3_000

/**
 * Resolves as soon as one address accepts a connection or does not clearly refuse it.
 * @param setting name of the setting with the addresses
 * @throws LatchkeyError broker_unreachable if every address refuses connections or its name does not resolve
 */
export async function requireReachable(
  addresses: readonly BrokerAddress[],
  setting: string,
  options: Pick<SocketOptions, 'family'> = {},
): Promise<void> {
  const probes = addresses.map((address) => probe(address, options))
  const isReachable = probes.map(async (probed) => {
    const fault = await probed
    if (fault !== undefined) throw new Error(fault)
  })
  await Promise.any(isReachable).catch(async () => {
    const faults = await Promise.all(probes)
    const found = addresses.map(({ host, port }, index) => `${host}:${port}: ${faults[index]}`).join(', ')
    throw new LatchkeyError('broker_unreachable', `Connecting to ${found}. Correct ${setting}`)
  })
}

/** Returns why no connection is possible; undefined if that is not certain. */
async function probe({ host, port }: BrokerAddress, options: SocketOptions): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const socket = connectSocket(host, port, options, () => resolve(undefined))
  socket.on('error', ({ code = '' }: NodeJS.ErrnoException) =>
    resolve(absentCodes.has(code) ? (faultTexts[code] ?? code) : undefined),
  )
  const fault = await deadline(promise, probeMs, () => undefined)
  socket.destroy()
  return fault
}

const faultTexts: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'the name does not resolve',
  EHOSTUNREACH: 'it cannot be reached (EHOSTUNREACH)',
  ENETUNREACH: 'it cannot be reached (ENETUNREACH)',
}
