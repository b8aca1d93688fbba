/** Reads the configuration of topics, and creates and extends topics. */
import { counted } from '../text/counted.ts'
import type { KafkaClient } from './client.ts'
import { brokerError, invalidPartitions, isAuthorizationFailure, topicAlreadyExists } from './protocol/error-codes.ts'
import { reading } from './protocol/response-cursor.ts'

const topicResource = 2

interface DescribeConfigsResponse {
  resources: { errorCode: number; configEntries: { configName: string; configValue: string | null }[] }[]
}

/** Returns a topic's configuration with defaults; undefined if the user may not read it. */
export async function describeTopic(client: KafkaClient, topic: string): Promise<Map<string, string> | undefined> {
  const args = { resources: [{ type: topicResource, name: topic, configNames: [] }], includeSynonyms: false }
  const response = (await client.callAny('DescribeConfigs', 2, args)) as DescribeConfigsResponse
  return reading('DescribeConfigs', () => {
    const resource = response.resources[0]
    if (resource === undefined) return undefined
    if (isAuthorizationFailure(resource.errorCode)) return undefined
    if (resource.errorCode !== 0) throw brokerError(`Reading the configuration of topic ${topic}`, resource.errorCode)
    return new Map(resource.configEntries.map(({ configName, configValue }) => [configName, configValue ?? '']))
  })
}

export interface NewTopic {
  topic: string
  partitions: number
  replicationFactor: number
  config: Record<string, string>
}

interface CreateTopicsResponse {
  topicErrors: { errorCode: number; errorMessage: string | null }[]
}

/** Creates a topic, or does nothing if it exists. Rejects with the broker's error. */
export async function createTopic(client: KafkaClient, topic: NewTopic): Promise<void> {
  const { partitions, replicationFactor, config } = topic
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
  const request = { topic: topic.topic, numPartitions: partitions, replicationFactor, configEntries }
  const args = { topics: [request], timeout: client.requestTimeoutMs, validateOnly: false }
  const response = (await client.callAny('CreateTopics', 3, args)) as CreateTopicsResponse
  const result = reading('CreateTopics', () => response.topicErrors[0])
  if (result === undefined || result.errorCode === 0 || result.errorCode === topicAlreadyExists) return
  const advice = result.errorMessage ?? undefined
  throw brokerError(`Creating topic ${topic.topic} with ${counted(partitions, 'partition')}`, result.errorCode, advice)
}

/**
 * Adds partitions to a topic that had fewer, or does nothing if it has got them since: instances of a group all try.
 * Rejects with the broker's error.
 */
export async function extendTopic(client: KafkaClient, topic: string, partitions: number): Promise<void> {
  const args = {
    topicPartitions: [{ topic, count: partitions }],
    timeout: client.requestTimeoutMs,
    validateOnly: false,
  }
  const response = (await client.callAny('CreatePartitions', 1, args)) as CreateTopicsResponse
  const result = reading('CreatePartitions', () => response.topicErrors[0])
  if (result === undefined || result.errorCode === 0 || result.errorCode === invalidPartitions) return
  const advice = `extend it yourself: kafka-topics --alter --topic ${topic} --partitions ${partitions}`
  throw brokerError(`Extending topic ${topic} to ${counted(partitions, 'partition')}`, result.errorCode, advice)
}
