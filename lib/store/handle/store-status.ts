/** What a store tells about itself, put together from what its threads have told. */
import { type StoreStatus } from '../contract/status.ts'
import { type StoreConfig } from '../contract/store-config.ts'
import { conditionsOf } from './conditions.ts'
import { partitionStatus } from './partition-status.ts'
import { type Shards } from './shards.ts'

export function statusOf(
  { storeId, readyWhen, onBadRecord }: StoreConfig,
  formats: StoreStatus['formats'],
  together: Shards,
): StoreStatus {
  const { all: shards, state, stats, recovery } = together
  const { primaries, replicas } = together.held
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
    recovery,
    details: stats.partitions.map((partition) => partitionStatus(stats, partition)),
    conditions: conditionsOf({ state, readyWhen, caughtUp: together.isCaughtUp, fenced, halted, failure }),
  }
}
