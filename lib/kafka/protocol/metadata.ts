/**
 * Metadata: the cluster's brokers and topics. Version 10 (Kafka 2.8) is the first with topic ids (KIP-516). Version 9
 * has reliable leader epochs (KIP-320). https://kafka.apache.org/protocol#The_Messages_Metadata
 */
import type { BrokerConnection } from '../connection/broker-connection.ts'
import { Encoder, type RawRequest } from '../connection/raw-request.ts'
import { apiKeys } from './api-keys.ts'
import { noTags, writeCompactLength, writeCompactString, writeUuid } from './flexible.ts'
import { malformed, reading, ResponseCursor } from './response-cursor.ts'

export interface PartitionMetadata {
  partition: number
  /** Node id; -1 if there is none. */
  leader: number
  /** Rises with each election; -1 if the broker does not know it. */
  leaderEpoch: number
  /** Replication factor. */
  replicas: number
  errorCode: number
}

export interface TopicMetadata {
  topic: string
  /** Fixed while the topic exists; a new topic of the same name has a new id. Undefined with brokers before 2.8. */
  id: string | undefined
  errorCode: number
  /** Sorted by partition. */
  partitions: PartitionMetadata[]
}

export interface ClusterMetadata {
  /** Undefined if the brokers name none. */
  clusterId: string | undefined
  brokers: { nodeId: number; host: string; port: number }[]
  topics: TopicMetadata[]
}

/** Returns the topics in the requested order. An unknown topic has its error code. */
export async function askForMetadata(
  connection: BrokerConnection,
  topics: readonly string[],
  timeoutMs: number,
): Promise<ClusterMetadata> {
  const request = metadataRequest(topics, await connection.versionMax(apiKeys.Metadata))
  const {
    brokers,
    clusterId,
    topics: found,
  } = parseMetadataResponse(await connection.send(request, timeoutMs), request)
  const ofTopic = (topic: string) => {
    const one = found.find((about) => about.topic === topic)
    if (one === undefined) throw malformed('Metadata', `nothing about topic ${topic}`)
    return one
  }
  return { brokers, clusterId, topics: topics.map(ofTopic) }
}

const versionWithIds = 10
const versionMin = 9

/** @param versionMax highest version that the broker supports */
export function metadataRequest(topics: readonly string[], versionMax: number): RawRequest {
  const apiVersion = Math.max(Math.min(versionMax, versionWithIds), versionMin)
  return {
    apiKey: apiKeys.Metadata,
    apiVersion,
    apiName: 'Metadata',
    encode() {
      const encoder = new Encoder(64).writeInt8(noTags)
      writeCompactLength(encoder, topics.length)
      for (const topic of topics) {
        if (apiVersion >= versionWithIds) writeUuid(encoder, undefined)
        writeCompactString(encoder, topic).writeInt8(noTags)
      }
      // Creates no topic, and does not request permissions.
      return encoder.writeInt8(0).writeInt8(0).writeInt8(0).writeInt8(noTags)
    },
  }
}

export function parseMetadataResponse(buffer: Buffer, { apiVersion }: Pick<RawRequest, 'apiVersion'>): ClusterMetadata {
  return reading('Metadata', () => parse(new ResponseCursor(buffer, 'Metadata'), apiVersion))
}

function parse(response: ResponseCursor, apiVersion: number): ClusterMetadata {
  response.tags()
  response.skip(4) // throttle time
  const brokers = response.compactArray(() => {
    const broker = { nodeId: response.int32(), host: response.compactString(), port: response.int32() }
    response.compactString() // rack
    response.tags()
    return broker
  })
  const clusterId = response.compactString() || undefined
  response.skip(4) // controller
  const topics = response.compactArray(() => parseTopic(response, apiVersion))
  return { brokers, clusterId, topics }
}

function parseTopic(response: ResponseCursor, apiVersion: number): TopicMetadata {
  const errorCode = response.int16()
  const topic = response.compactString()
  const id = apiVersion >= versionWithIds ? response.uuid() : undefined
  response.skip(1) // whether it is internal
  const partitions = response.compactArray(() => parsePartition(response))
  response.skip(4) // permissions
  response.tags()
  return { topic, id, errorCode, partitions: partitions.toSorted((a, b) => a.partition - b.partition) }
}

function parsePartition(response: ResponseCursor): PartitionMetadata {
  const errorCode = response.int16()
  const partition = response.int32()
  const leader = response.int32()
  const leaderEpoch = response.int32()
  const replicas = response.compactArray(() => response.int32()).length
  response.compactArray(() => response.int32()) // in sync
  response.compactArray(() => response.int32()) // offline
  response.tags()
  return { partition, leader, leaderEpoch, replicas, errorCode }
}
