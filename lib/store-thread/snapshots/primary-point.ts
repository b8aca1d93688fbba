/** What a snapshot of a primary partition needs to know. */
import { partitionStateOf } from '../../store-protocol/partition-state.ts'
import type { SnapshotFacts } from '../../store-protocol/snapshot-facts.ts'
import type { Ingest } from '../ingest/ingest.ts'
import type { PartitionOwnership } from '../ingest/partition-ownership.ts'
import type { Recovered } from '../recovery/recovery.ts'
import { Succession } from '../recovery/succession.ts'
import type { Contests } from '../repair/contests.ts'
import type { Repairs } from '../repair/repairs.ts'
import type { Rereads } from '../reread/rereads.ts'
import type { StoreContext } from '../store-context.ts'
import type { PartitionPoint } from './partition-point.ts'

export interface PrimaryParts {
  readonly ingest: Ingest
  readonly ownership: PartitionOwnership
  readonly repairs: Repairs
  readonly contests: Contests
  readonly rereads: Rereads
  readonly recovered: ReadonlyMap<number, Recovered>
}

/** Follows primary partitions for snapshots. To be called before anything is put into the map after recovery. */
export function followPrimaries(context: StoreContext, parts: PrimaryParts, partitions: readonly number[]): void {
  for (const partition of partitions) {
    const recovered = parts.recovered.get(partition)!
    const { records, restored } = recovered
    const source = { point: () => pointOf(context, parts, partition) }
    context.snapshots?.follow(partition, source, records, trailOf(recovered), restored)
  }
}

/** Whether the map and the changelog may differ. @param below up to this offset of the changelog; by default at all */
export function mayDiffer({ repairs, rereads, contests }: PrimaryParts, partition: number, below?: number): boolean {
  if (repairs.isRepairing(partition) || rereads.isChanging(partition)) return true
  return below === undefined ? contests.isOpen(partition) : contests.mayBeBelow(partition, below)
}

function pointOf({ config, stats }: StoreContext, parts: PrimaryParts, partition: number): PartitionPoint | undefined {
  const { ingest, ownership, contests, recovered } = parts
  const position = ingest.changelogEnd(partition)
  const state = partitionStateOf(stats, partition)
  if (position < 0 || (state !== 'running' && state !== 'halted') || mayDiffer(parts, partition)) return undefined
  const { changelogStart, owners, clock } = recovered.get(partition)!
  const succession = new Succession(owners)
  const identity = ownership.identity(partition)!
  if (config.fencing) succession.marked(identity)
  else succession.took(identity)
  const known = Math.max(position, contests.lookedTo(partition))
  return { position, known, changelogStart, owners: succession.state, clock }
}

function trailOf({ last, after, discardedAt }: Recovered): SnapshotFacts['trail'] {
  return { last: last && { ...last, key: last.key.toString('base64') }, after, discardedAt }
}
