/**
 * Recovers the partitions that this instance owns. Reads snapshots into the map, if there are any, and the changelog after them, or, without a map
 * (USE_PROCESSING_ONLY), only the part that the resume decision needs.
 */
import type { CommittedOffset } from '../kafka/offsets.ts'
import { headerSelectorOf } from '../store-protocol/kept-headers.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import { changelogFetch } from '../topics/clients.ts'
import { heldIn, rebuildingMetadata } from '../topics/completeness.ts'
import type { PartitionOwnership } from './ingest/partition-ownership.ts'
import { recover, type Recovered } from './recovery/recovery.ts'
import type { RefusedSnapshot } from './recovery/snapshot-check.ts'
import type { StoreContext } from './store-context.ts'

/** Number of offsets before the end that are read first if only the last source offset is needed. */
const tailOffsets = 1_000

export async function readChangelog(
  { clients, config, stats, map, memory, snapshots, strangers }: StoreContext,
  ownership: PartitionOwnership,
  committed: ReadonlyMap<number, CommittedOffset>,
  partitions: readonly number[],
): Promise<Map<number, Recovered>> {
  const { changelogTopic, fencing, useProcessingOnly } = config
  const identityOf = (partition: number) => (fencing ? ownership.identity(partition) : undefined)
  const restored = await snapshots?.restorer.restore(partitions, {
    client: clients.changelog,
    identityOf,
    rebuildOf: (partition) => rebuildOf(config, committed.get(partition)),
  })
  for (const [partition, { facts }] of restored ?? []) strangers?.restored(partition, facts)
  const context = {
    client: clients.changelog,
    changelogTopic,
    fetch: changelogFetch(config),
    map: useProcessingOnly ? undefined : map,
    stats,
    memory,
    strangers,
    headerSelector: headerSelectorOf(config),
    entriesExpected: (partition: number) => heldIn(committed.get(partition)?.metadata ?? '').entries,
    committed: (partition: number) => committed.get(partition)?.offset ?? -1,
    identityOf,
    ...(restored && { restored }),
    snapshotVoid: (partition: number, refused: RefusedSnapshot) => snapshots?.restorer.voided(partition, refused),
    fenceAgain: async (partition: number, position: number) => {
      await ownership.renew(partition, position)
    },
  }
  if (!useProcessingOnly) return recover(context, partitions)
  // Only the highest source offset is needed, and the last record with a source offset has it.
  for (let window = tailOffsets; ; window *= 10) {
    const recovered = await recover(context, partitions, window)
    const isFound = [...recovered.values()].every(({ last, changelogStart, changelogEnd }) => {
      return last !== undefined || changelogEnd - changelogStart <= window
    })
    if (isFound) return recovered
  }
}

function rebuildOf(
  { rebuild }: StoreConfig,
  committed: CommittedOffset | undefined,
): 'asked' | 'unfinished' | undefined {
  if (rebuild === true) return 'asked'
  return committed?.metadata === rebuildingMetadata ? 'unfinished' : undefined
}
