/** What --check says of the group with ELASTIC: whether this instance fits among its members, and where they would reach it. */
import { deadline } from '../deadline.ts'
import { LatchkeyError } from '../errors.ts'
import type { KafkaClient } from '../kafka/client.ts'
import { describeGroup } from '../kafka/described-group.ts'
import type { AdvertisedPlace } from '../store-protocol/group-messages.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import { isLoopbackHost } from '../text/loopback.ts'
import { createGroupClient, groupOf } from '../topics/clients.ts'
import { advertisedUrl } from './advertised-url.ts'
import { describeMembers } from './check-group.ts'
import { comparedSettings, type GroupWide } from './compared-settings.ts'
import { requireNoMembers } from './group-rebuild.ts'
import { groupProtocols } from './protocols.ts'
import { hashSettings } from './settings.ts'

/** As for the topics: a start waits for an unreachable cluster, but a check has to end. */
const checkMs = 30_000

/**
 * Returns lines to print.
 * @throws LatchkeyError broker_refused if the group would refuse this instance; broker_unreachable; invalid_settings if
 *   it would be rebuilt while it has members
 */
export async function checkGroup(
  store: StoreConfig,
  place: AdvertisedPlace,
  token: string | undefined,
  groupWide: GroupWide,
): Promise<string[]> {
  const client = createGroupClient(store)
  try {
    return await deadline(check(client, store, place, token, groupWide), checkMs, () => {
      const found = client.health.lastFound ?? 'no answer. Correct KAFKA_BROKERS'
      throw new LatchkeyError('broker_unreachable', `Checking the group for ${checkMs / 1000} s: ${found}`)
    })
  } finally {
    client.close()
  }
}

async function check(
  client: KafkaClient,
  store: StoreConfig,
  place: AdvertisedPlace,
  token: string | undefined,
  groupWide: GroupWide,
): Promise<string[]> {
  const group = groupOf(store)
  const found = await client.retryForever(() => describeGroup(client, group))
  if (store.rebuild === true) requireNoMembers(store, found)
  const url = await client.retryForever(() => advertisedUrl(place, client, group))
  const settings = hashSettings(comparedSettings(store, groupWide))
  return [
    ...describeMembers(found, { group, token, protocols: groupProtocols, settings }),
    ...describeUrl(url, place.port),
  ]
}

/** @param port 0 if it is selected at the start */
export function describeUrl(url: string, port: number): string[] {
  const shown = port === 0 ? url.replace(/:0(?=\/|$)/, ':<port>') : url
  const line = `other instances would reach this one at ${shown}`
  if (!isLoopbackHost(new URL(url).hostname)) return [line]
  const why = 'only instances of this machine reach it; name an address that the others reach'
  return [line, `warning: ADVERTISED_URL ${shown}: ${why}`]
}
