/** What the parts of ingest share. Each of these is made from those before it, and the parts are made from all of them. */
import { Producer } from '../../kafka/producer.ts'
import { clientsConfigOf } from '../../topics/clients.ts'
import type { StoreContext } from '../store-context.ts'
import { Accounting } from './accounting.ts'
import type { BatchPool, ChangelogBatch } from './changelog-batch.ts'
import { Linger } from './linger.ts'
import type { PartitionLifecycle } from './partition-lifecycle.ts'
import { PartitionTable } from './partition-table.ts'
import { batchPool, producerOptions } from './produce-options.ts'
import { SourceFetcher } from './source-fetcher.ts'

export interface IngestContext extends StoreContext {
  readonly events: PartitionLifecycle
  readonly pool: BatchPool
  readonly partitions: PartitionTable
  /** Writes the changelog. ChangelogWriter gives it the batches. */
  readonly producer: Producer<ChangelogBatch>
  readonly linger: Linger
  readonly fetcher: SourceFetcher
  readonly accounting: Accounting
}

export function ingestContextOf(context: StoreContext, events: PartitionLifecycle): IngestContext {
  const { clients, config, topology } = context
  const pool = batchPool(config, topology.limits)
  const partitions = new PartitionTable()
  const producer = new Producer<ChangelogBatch>(clients.producer, config.changelogTopic, producerOptions(config))
  const linger = new Linger(clientsConfigOf(config).producer.produce.lingerMs, () => producer.wake())
  const fetcher = new SourceFetcher(context, events, partitions)
  const accounting = new Accounting(context, events, partitions, fetcher)
  return { ...context, events, pool, partitions, producer, linger, fetcher, accounting }
}
