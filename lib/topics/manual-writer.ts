/**
 * An instance whose partitions are set by hand does not write beside a group: each would fence the other, and the
 * group's commits would be refused for the one or the other.
 */
import { LatchkeyError } from '../errors.ts'
import { sleep } from '../kafka/backoff.ts'
import { type DescribedGroup, describeGroup } from '../kafka/described-group.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import { counted } from '../text/counted.ts'
import { type Clients, groupOf } from './clients.ts'

/** Of the protocol's versions. Other consumers have other protocols. */
const protocolPrefix = 'latchkey-'
/** A group that rebalances does not say its protocol. It is asked again for this time, which covers a rebalance. */
const waitMs = 10_000
const pauseMs = 500

/** @throws LatchkeyError invalid_settings if the store's group has members, which were started with ELASTIC=true */
export async function refuseBesideGroup({ consumer }: Clients, config: StoreConfig): Promise<void> {
  if (config.elastic !== undefined || config.useReplicaOnly) return
  const group = groupOf(config)
  const untilMs = performance.now() + waitMs
  for (;;) {
    const found = await consumer.retryForever(() => describeGroup(consumer, group))
    if (isWithoutMembers(found)) return
    if (found.protocol !== '' || performance.now() > untilMs) throw besideMembers(config.storeId, group, found)
    await sleep(pauseMs, consumer.signal)
  }
}

function isWithoutMembers({ members, protocol }: DescribedGroup): boolean {
  return members.length === 0 || (protocol !== '' && !protocol.startsWith(protocolPrefix))
}

/** Returns the addresses of some members. */
export function hostsOf({ members }: Pick<DescribedGroup, 'members'>): string {
  return [...new Set(members.map(({ clientHost }) => clientHost.replace(/^\//, '')))].slice(0, 5).join(', ')
}

function besideMembers(storeId: string, group: string, found: DescribedGroup): LatchkeyError {
  const message =
    `Starting store ${storeId} without ELASTIC=true: ` +
    `instances with it have the partitions, as ${counted(found.members.length, 'member')} of group ${group} at ${hostsOf(found)}. ` +
    'Set ELASTIC=true here as well, without PARTITIONS, or end those instances. ' +
    'One that was killed counts until its session ends, after some seconds'
  return new LatchkeyError('invalid_settings', message)
}
