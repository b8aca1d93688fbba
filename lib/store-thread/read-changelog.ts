/**
 * Recovers the partitions that this instance owns. Reads the whole changelog into the map, or, without a map
 * (USE_PROCESSING_ONLY), only the part that the resume decision needs.
 */
import type { CommittedOffset } from '../kafka/offsets.ts'
import { headerSelectorOf } from '../store-protocol/kept-headers.ts'
import { changelogFetch } from '../topics/clients.ts'
import { entriesIn } from '../topics/completeness.ts'
import type { PartitionOwnership } from './ingest/partition-ownership.ts'
import { recover, type Recovered } from './recovery/recovery.ts'
import type { StoreContext } from './store-context.ts'

/** Number of offsets before the end that are read first if only the last source offset is needed. */
const tailOffsets = 1_000

export async function readChangelog(
  { clients, config, stats, map, roles }: StoreContext,
  ownership: PartitionOwnership,
  committed: ReadonlyMap<number, CommittedOffset>,
): Promise<Map<number, Recovered>> {
  const { changelogTopic, fencing, useProcessingOnly } = config
  const context = {
    client: clients.changelog,
    changelogTopic,
    fetch: changelogFetch(config),
    map: useProcessingOnly ? undefined : map,
    stats,
    headerSelector: headerSelectorOf(config),
    entriesExpected: (partition: number) => entriesIn(committed.get(partition)?.metadata ?? ''),
    committed: (partition: number) => committed.get(partition)?.offset ?? -1,
    identityOf: (partition: number) => (fencing ? ownership.identity(partition) : undefined),
    fenceAgain: async (partition: number, position: number) => {
      await ownership.renew(partition, position)
    },
  }
  if (!useProcessingOnly) return recover(context, roles.primaries)
  // Only the highest source offset is needed, and the last record with a source offset has it.
  for (let window = tailOffsets; ; window *= 10) {
    const recovered = await recover(context, roles.primaries, window)
    const isFound = [...recovered.values()].every(({ last, changelogStart, changelogEnd }) => {
      return last !== undefined || changelogEnd - changelogStart <= window
    })
    if (isFound) return recovered
  }
}
