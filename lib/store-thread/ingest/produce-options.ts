/** Options of the producer that writes the changelog. */
import type { ProducerOptions } from '../../kafka/producer.ts'
import { hardMaxBytes } from '../../kafka/record-batch/index.ts'
import type { StoreConfig } from '../../store-protocol/store-config.ts'
import type { ChangelogLimits } from '../../topics/changelog-topic.ts'
import { clientsConfigOf } from '../../topics/clients.ts'
import { BatchPool } from './changelog-batch.ts'

const requestBytesMax = 16 << 20
const idleBatchesMax = 32
/**
 * Maximum size of a record that compression may bring below the topic's limit. Brokers accept requests up to 100 MiB by
 * default.
 */
const compressedRecordBytesMax = 64 << 20

export function producerOptions(config: StoreConfig): ProducerOptions {
  const { acks, timeoutMs } = clientsConfigOf(config).producer.produce
  return { acks, timeoutMs, maxRequestBytes: requestBytesMax }
}

export function batchPool(config: StoreConfig, limits: ChangelogLimits): BatchPool {
  const { batchBytes, batchRecordsMax, compression, compressionLevel } = clientsConfigOf(config).producer.produce
  const maxBytes = Math.min(batchBytes, limits.maxMessageBytes, messageBytesMax(config))
  return new BatchPool(maxBytes, idleBatchesMax, { recordsMax: batchRecordsMax, compression, level: compressionLevel })
}

/**
 * Returns the limits of the topic and the user. With compression a record may be larger than the topic accepts; the
 * broker then decides.
 */
export function recordLimits(config: StoreConfig, limits: ChangelogLimits): ChangelogLimits {
  const { compression } = clientsConfigOf(config).producer.produce
  const accepted =
    compression === 0 ? limits.maxMessageBytes : Math.max(limits.maxMessageBytes, compressedRecordBytesMax)
  return { ...limits, maxMessageBytes: Math.min(accepted, messageBytesMax(config)) }
}

/** Returns the maximum size of a record that is compressed by itself to fit the topic. */
export function compressibleBytesMax(config: StoreConfig): number {
  return Math.min(hardMaxBytes, messageBytesMax(config))
}

function messageBytesMax(config: StoreConfig): number {
  return clientsConfigOf(config).producer.produce.messageBytesMax ?? Number.POSITIVE_INFINITY
}
