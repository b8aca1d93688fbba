/** What a store tells about itself, put together from what its threads have told. */
import { type StatsView } from '../contract/stats-view.ts'
import { type StoreState, type StoreStatus } from '../contract/status.ts'
import { type StoreConfig } from '../contract/store-config.ts'
import { type Shard } from '../shard.ts'
import { conditionsOf } from './conditions.ts'
import { type Held } from './misses.ts'
import { partitionStatus } from './partition-status.ts'

/** @param shards the first one is the one that comes up first, on which the others wait */
export function statusOf(
  { storeId, readyWhen, onBadRecord }: StoreConfig,
  formats: StoreStatus['formats'],
  state: StoreState,
  stats: StatsView,
  { primaries, replicas }: Held,
  shards: readonly Shard[],
): StoreStatus {
  const first = shards[0]!
  const fenced = new Map(shards.flatMap((shard) => [...shard.fenced]))
  const halted = onBadRecord === 'stop' ? new Map(shards.flatMap((shard) => [...shard.halted])) : undefined
  const failure = shards.find((shard) => shard.failure !== undefined)?.failure?.message
  const troubles = shards.flatMap(({ foreign, trouble }) => [...foreign.values(), ...(trouble ? [trouble] : [])])
  const reason = failure ?? [...fenced.values(), ...(halted?.values() ?? []), ...troubles].join(' · ')
  return {
    id: storeId,
    formats,
    state,
    ...(reason === '' ? {} : { reason }),
    partitions: { primary: [...primaries], replicas: [...replicas] },
    caughtUp: shards.every((shard) => shard.caughtUp),
    recovery: first.recovery,
    details: stats.partitions.map((partition) => partitionStatus(stats, partition)),
    conditions: conditionsOf({ state, readyWhen, caughtUp: first.caughtUp, fenced, halted, failure }),
  }
}
