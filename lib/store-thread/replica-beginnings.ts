/** Where replicas begin: at the start of the changelog, or after a snapshot. */
import { listOffsets } from '../kafka/offsets.ts'
import { mapBytesFor } from '../store-protocol/memory-budget.ts'
import type { RestoredSnapshot } from './recovery/restored-snapshot.ts'
import { noteBeginning, type Replica, replicaFrom } from './replica.ts'
import type { StoreContext } from './store-context.ts'

export interface ReplicaBeginning {
  readonly replica: Replica
  /** The snapshot that is in the map. */
  readonly restored: RestoredSnapshot | undefined
}

/** Restores snapshots of replicas that are in bulk loading, and shows where they begin. Retries until Kafka answers. */
export async function beginningsOf(
  { clients, config: { changelogTopic }, stats, snapshots, strangers }: StoreContext,
  partitions: readonly number[],
): Promise<Map<number, ReplicaBeginning>> {
  const client = clients.replicas
  const starts = await client.retryForever(() => listOffsets(client, changelogTopic, partitions, 'earliest'))
  const ends = await client.retryForever(() => listOffsets(client, changelogTopic, partitions, 'latest'))
  const without = { identityOf: () => undefined, rebuildOf: () => undefined }
  const all = await snapshots?.restorer.restore(partitions, { client, ...without })
  const beginnings = new Map<number, ReplicaBeginning>()
  for (const [partition, start] of starts) {
    const restored = all?.get(partition)
    const replica = replicaFrom(restored?.facts, start, ends.get(partition)!)
    noteBeginning(stats, partition, replica)
    if (restored === undefined) strangers?.begins(partition)
    else strangers?.restored(partition, restored.facts)
    beginnings.set(partition, { replica, restored })
  }
  return beginnings
}

/** Makes room for entries that a replica is about to read, so that its table does not grow step by step, if they fit. */
export function reserveFor(
  { map, memory }: Pick<StoreContext, 'map' | 'memory'>,
  partition: number,
  { position, target }: Replica,
  stated: number,
): void {
  // There cannot be more entries than offsets, so wrong commit metadata cannot reserve more.
  const entries = Math.min(stated, Math.max(target - position, 0))
  if (entries === 0) return
  const ended = memory.room.beginRestore(mapBytesFor({ entries, bytes: 0 }))
  if (ended === undefined) return
  map.reserve(partition, entries)
  ended()
}
