/**
 * Where the other instances reach this one, if no setting says so: the interface that reaches Kafka nearly always is the one
 * that they reach, such as the address of a pod or of a host in its network.
 */
import { connect, isIPv6 } from 'node:net'
import { deadline } from '../deadline.ts'
import { LatchkeyError, messageOf } from '../errors.ts'
import type { KafkaClient } from '../kafka/client.ts'
import type { AdvertisedPlace } from '../store-protocol/group-messages.ts'

const waitMs = 5_000
const advice = 'correct the network, or set ADVERTISED_URL'

/** @throws LatchkeyError broker_unreachable */
export async function advertisedUrl(place: AdvertisedPlace, client: KafkaClient, group: string): Promise<string> {
  const { url, scheme, port } = place
  if (url !== undefined) return url
  const coordinator = await client.coordinator('group', group)
  const broker = client.addressOf(coordinator)!
  const address = await localAddress(broker)
  return `${scheme}://${isIPv6(address) ? `[${address}]` : address}:${port}`
}

async function localAddress(broker: string): Promise<string> {
  const at = broker.lastIndexOf(':')
  const socket = connect({ host: broker.slice(0, at), port: Number(broker.slice(at + 1)) })
  const attempted = `Finding the address at which others reach this instance: connecting to ${broker}`
  try {
    const opened = new Promise<string>((resolve, reject) => {
      socket.once('connect', () => resolve(socket.localAddress ?? ''))
      socket.once('error', reject)
    })
    const address = await deadline(opened, waitMs, () => '')
    if (address !== '') return address.replace(/^::ffff:(?=\d+\.)/i, '')
    throw new LatchkeyError('broker_unreachable', `${attempted}: no answer within ${waitMs / 1_000} s; ${advice}`)
  } catch (error) {
    if (error instanceof LatchkeyError) throw error
    throw new LatchkeyError('broker_unreachable', `${attempted}: ${messageOf(error)}; ${advice}`, { cause: error })
  } finally {
    socket.destroy()
  }
}
