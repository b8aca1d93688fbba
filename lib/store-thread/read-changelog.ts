/** Recovery of the partitions that this instance owns: all of the changelog into memory, or, where nothing is held there, what is needed to go on. */
import { type CommittedOffset } from '../kafka/offsets.ts'
import { changelogFetch } from '../topics/clients.ts'
import { type Owners } from './ingest/owners.ts'
import { keptHeadersOf } from '../store-protocol/kept-headers.ts'
import { entriesIn } from '../topics/completeness.ts'
import { recover, type Recovered } from './recovery/recovery.ts'
import { type StoreContext } from './store-context.ts'

/** How far back the last source offset is looked for first, where nothing else of the changelog is needed. */
const tailOffsets = 1_000

export async function readChangelog(
  { clients, config, stats, map, roles }: StoreContext,
  owners: Owners,
  committed: ReadonlyMap<number, CommittedOffset>,
): Promise<Map<number, Recovered>> {
  const { changelogTopic, fencing, useProcessingOnly } = config
  const context = {
    client: clients.changelog,
    changelogTopic,
    fetch: changelogFetch(config),
    map: useProcessingOnly ? undefined : map,
    stats,
    kept: keptHeadersOf(config),
    entriesExpected: (partition: number) => entriesIn(committed.get(partition)?.metadata ?? ''),
    identityOf: (partition: number) => (fencing ? owners.identity(partition) : undefined),
    fenceAgain: async (partition: number, position: number) => {
      await owners.renew(partition, position)
    },
  }
  if (!useProcessingOnly) return recover(context, roles.primaries)
  // Only the last source offset is wanted, and the last record that names one names the highest.
  for (let window = tailOffsets; ; window *= 10) {
    const recovered = await recover(context, roles.primaries, window)
    const isFound = [...recovered.values()].every(({ last, changelogStart, changelogEnd }) => {
      return last !== undefined || changelogEnd - changelogStart <= window
    })
    if (isFound) return recovered
  }
}
