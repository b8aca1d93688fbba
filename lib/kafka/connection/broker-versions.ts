/**
 * Checks which request versions a broker supports. On an unknown version a broker closes the connection without an
 * error, like a broker that stops. So the versions in its ApiVersions response are checked before anything is sent.
 */
import { LatchkeyError } from '../../errors.ts'
import { isDebug } from '../../log/index.ts'
import { apiKeys } from '../protocol/api-keys.ts'
import { logVersions } from './connection-log.ts'
import type { BrokerVersions, RequestVersion } from './request-version.ts'

/** Requests of every store. InitProducerId 3 came with Kafka 2.5, the others earlier. */
const needed: readonly RequestVersion[] = [
  { apiKey: apiKeys.Produce, apiVersion: 7, apiName: 'Produce' },
  { apiKey: apiKeys.Fetch, apiVersion: 11, apiName: 'Fetch' },
  { apiKey: apiKeys.Metadata, apiVersion: 9, apiName: 'Metadata' },
]

/** Required only if the broker supports the request at all: FENCING=false works without it. */
const neededIfKnown: readonly RequestVersion[] = [
  { apiKey: apiKeys.InitProducerId, apiVersion: 3, apiName: 'InitProducerId' },
]

/** @param where host:port @throws LatchkeyError broker_refused */
export function requireVersions(versions: BrokerVersions, where: string): void {
  for (const request of needed) requireVersion(versions, request, where)
  for (const request of neededIfKnown) {
    if (versions[request.apiKey] !== undefined) requireVersion(versions, request, where)
  }
  if (isDebug()) logVersions(where, versions, [...needed, ...neededIfKnown])
}

/** @throws LatchkeyError broker_refused */
export function requireVersion(versions: BrokerVersions, request: RequestVersion, where: string): void {
  const { apiKey, apiVersion, apiName } = request
  const known = versions[apiKey]
  if (known !== undefined && apiVersion >= known.minVersion && apiVersion <= known.maxVersion) return
  if (known === undefined && apiKey === apiKeys.Produce && versions[apiKeys.Vote] !== undefined) {
    const found = 'it does not know the request Produce; it is perhaps the port of a KRaft controller'
    throw new LatchkeyError(
      'broker_refused',
      `Connecting to ${where}: ${found}. Name the port of a broker in KAFKA_BROKERS`,
    )
  }
  const found =
    known === undefined
      ? `the broker does not know the request ${apiName}`
      : `the broker knows ${apiName} in versions ${known.minVersion} to ${known.maxVersion}, and ${apiVersion} is needed`
  const isTooNew = known !== undefined && apiVersion < known.minVersion
  const advice = isTooNew ? 'this Kafka needs a later Latchkey' : 'Latchkey needs Kafka 2.5 or later'
  throw new LatchkeyError('broker_refused', `Connecting to ${where}: ${found}; ${advice}`)
}
