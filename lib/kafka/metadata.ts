/** What the cluster tells of topics. */

export interface PartitionMetadata {
  partition: number
  /** Node id, -1 while there is none. */
  leader: number
  /** How many copies the cluster keeps of it. */
  replicas: number
  errorCode: number
}

export interface TopicMetadata {
  topic: string
  errorCode: number
  /** In their order. */
  partitions: PartitionMetadata[]
}

/** As kafkajs decodes version 6. */
export interface MetadataResponse {
  brokers: { nodeId: number; host: string; port: number }[]
  topicMetadata: {
    topicErrorCode: number
    topic: string
    partitionMetadata: { partitionErrorCode: number; partitionId: number; leader: number; replicas: number[] }[]
  }[]
}

export function topicsOf(response: MetadataResponse): TopicMetadata[] {
  return response.topicMetadata.map(({ topic, topicErrorCode, partitionMetadata }) => {
    const partitions = partitionMetadata.map(({ partitionId, leader, replicas, partitionErrorCode }) => ({
      partition: partitionId,
      leader,
      replicas: replicas.length,
      errorCode: partitionErrorCode,
    }))
    return { topic, errorCode: topicErrorCode, partitions: partitions.toSorted((a, b) => a.partition - b.partition) }
  })
}
