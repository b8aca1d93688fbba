/**
 * Parses and checks the list of brokers before anything uses it.
 * kafkajs splits an address at its first colon without checking it. `[::1]:9092` or `http://kafka` would fail much
 * later, with an unrelated message.
 */
import type { BrokerAddress } from '../store-protocol/client-config.ts'

const defaultPort = 9092
const hostLengthMax = 253
const nameOrIpv4 = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9_])?\.?$/
const ipv6 = /^[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?$/

/**
 * Parses one address; the port defaults to 9092.
 * @throws RangeError that says what is wrong with the address
 */
export function parseBroker(text: string): BrokerAddress {
  const quoted = JSON.stringify(text)
  if (text.includes('://')) throw new RangeError(`${quoted} has a scheme; leave it out`)
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text)
  if (!bracketed && text.split(':').length > 2) {
    throw new RangeError(`${quoted} has more than one colon; an IPv6 address stands in brackets, as in [::1]:9092`)
  }
  const [plainHost, plainPort] = text.split(':')
  const host = bracketed ? bracketed[1]! : plainHost!
  const portText = bracketed ? bracketed[2] : plainPort
  const hostIsLegal = bracketed ? ipv6.test(host) && host.includes(':') : nameOrIpv4.test(host)
  if (!hostIsLegal || host.length > hostLengthMax) throw new RangeError(`${quoted} has no legal host`)
  const port = portText === undefined ? defaultPort : /^\d{1,5}$/.test(portText) ? Number(portText) : 0
  if (port < 1 || port > 65535) throw new RangeError(`${quoted} has no port from 1 to 65535`)
  return { host, port }
}

/**
 * Parses addresses separated by commas and drops duplicates.
 * @throws RangeError that names every wrong address
 */
export function parseBrokerList(text: string): BrokerAddress[] {
  const brokers = new Map<string, BrokerAddress>()
  const faults: string[] = []
  for (const item of text.split(',')) {
    if (item.trim() === '') continue
    try {
      const broker = parseBroker(item.trim())
      brokers.set(`${broker.host} ${broker.port}`, broker)
    } catch (fault) {
      faults.push((fault as RangeError).message)
    }
  }
  if (brokers.size === 0 && faults.length === 0) faults.push('it names no broker')
  if (faults.length > 0) throw new RangeError(faults.join(', '))
  return [...brokers.values()]
}
