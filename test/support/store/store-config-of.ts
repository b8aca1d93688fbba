import type { StoreConfig } from '../../../lib/store-protocol/store-config.ts'
import { toAddresses } from '../kafka/real-client.ts'

/** Of a store that is named after its source topic, and has all of its partitions. */
export function storeConfigOf(source: string, bootstrap: string): StoreConfig {
  return {
    storeId: source,
    sourceTopic: source,
    changelogTopic: `${source}-changelog`,
    kafkaBrokers: toAddresses(bootstrap),
    partitions: [],
    partitionsReplica: [],
    useReplicaOnly: false,
    waitForReplicas: false,
    useProcessingOnly: false,
    partitioner: 'murmur2',
    initialCapacity: 0,
    autoFlushCount: 1000,
    autoFlushSeconds: 1,
    readerPoolSize: 10,
    readyWhen: 'caught-up',
    fencing: true,
  }
}
