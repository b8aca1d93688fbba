/**
 * Checks what the authenticated user may do, without changing anything. Brokers report the operations on topics and
 * groups that exist (KIP-430). For other permissions, a request is sent that the broker always refuses before it has an
 * effect: because a permission is missing, or because the request is invalid.
 */
import type { KafkaClient } from './client.ts'
import { Encoder, type RawRequest } from './connection/raw-request.ts'
import { describeGroup } from './described-group.ts'
import { apiKeys } from './protocol/api-keys.ts'
import {
  clusterAuthorizationFailed,
  groupAuthorizationFailed,
  hasBrokerCode,
  topicAuthorizationFailed,
  transactionalIdAuthorizationFailed,
  unknownTopic,
} from './protocol/error-codes.ts'
import { fetchRequest, parseFetchResponse } from './protocol/fetch.ts'
import { ResponseCursor } from './protocol/response-cursor.ts'
import type { AddPartitionsResponse } from './transactional-id.ts'

/** Names of kafka-acls. */
export type Operation = 'Read' | 'Write' | 'Create' | 'Describe' | 'DescribeConfigs'

/** Bits of AclOperation. */
const operationBits: Readonly<Record<Operation, number>> = {
  Read: 3,
  Write: 4,
  Create: 5,
  Describe: 8,
  DescribeConfigs: 10,
}
/** A producer id that no coordinator assigns, so requests with it are refused. */
const unassignedProducerId = '9007199254740991'

export interface KnownOperations {
  /** Whether the broker does not even report that it exists. */
  isHidden: boolean
  exists: boolean
  /** Returns undefined if the broker does not report it. */
  may: (operation: Operation) => boolean | undefined
}

/** Returns the operations on a topic, from its metadata. */
export async function topicOperations(client: KafkaClient, topic: string): Promise<KnownOperations> {
  const response = new ResponseCursor(await client.sendAny(metadataRequest(topic)), 'Metadata')
  response.skip(4) // throttle time
  response.array(() => (response.skip(4), response.string(), response.skip(4), response.string())) // brokers
  response.string() // cluster id
  response.skip(4) // controller id
  const [found] = response.array(() => {
    const errorCode = response.int16()
    response.string()
    response.skip(1) // internal
    response.array(() => {
      response.skip(14)
      for (let list = 0; list < 3; list++) response.array(() => response.int32()) // replicas, in sync, offline
    })
    return { errorCode, bits: response.int32() }
  })
  const { errorCode = unknownTopic, bits = 0 } = found ?? {}
  return known(bits, errorCode === topicAuthorizationFailed, errorCode !== unknownTopic)
}

/** Returns the operations on a group, whether or not it has committed before. */
export async function groupOperations(client: KafkaClient, group: string): Promise<KnownOperations> {
  try {
    const { operations } = await describeGroup(client, group)
    return known(operations, false, true)
  } catch (error) {
    if (!hasBrokerCode(error, groupAuthorizationFailed)) throw error
    return known(0, true, true)
  }
}

/**
 * Checks Write on a transactional id and on a topic in its transactions. The transaction of an unknown producer id is
 * refused, but only after both permissions were checked.
 */
export async function transactionPermissions(
  client: KafkaClient,
  transactionalId: string,
  topic: string,
): Promise<{ id: boolean; topic: boolean | undefined }> {
  try {
    const coordinator = await client.coordinator('transaction', transactionalId)
    const args = {
      transactionalId,
      producerId: unassignedProducerId,
      producerEpoch: 0,
      topics: [{ topic, partitions: [0] }],
    }
    const { errors } = (await client.call(coordinator, 'AddPartitionsToTxn', 1, args)) as AddPartitionsResponse
    const errorCode = errors[0]?.partitionErrors[0]?.errorCode ?? 0
    if (errorCode === transactionalIdAuthorizationFailed) return { id: false, topic: undefined }
    return { id: true, topic: errorCode !== topicAuthorizationFailed }
  } catch (error) {
    if (!hasBrokerCode(error, transactionalIdAuthorizationFailed)) throw error
    return { id: false, topic: undefined }
  }
}

/** Whether the user could read a topic that does not exist. */
export async function mayReadMissing(client: KafkaClient, topic: string): Promise<boolean> {
  const options = {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1,
    partitionMaxBytes: 1,
    isolation: 'read_committed',
    rack: '',
  } as const
  const response = await client.sendAny(fetchRequest(topic, [{ partition: 0, offset: 0 }], options))
  return parseFetchResponse(response).partitions[0]?.errorCode !== topicAuthorizationFailed
}

/** Whether the user could create a topic that does not exist. Creates nothing. */
export async function mayCreate(client: KafkaClient, topic: string): Promise<boolean> {
  const request = { topic, numPartitions: 1, replicationFactor: 1, configEntries: [] }
  const args = { topics: [request], timeout: client.requestTimeoutMs, validateOnly: true }
  const { topicErrors } = (await client.callAny('CreateTopics', 3, args)) as { topicErrors: { errorCode: number }[] }
  const errorCode = topicErrors[0]?.errorCode ?? 0
  return errorCode !== topicAuthorizationFailed && errorCode !== clusterAuthorizationFailed
}

function known(bits: number, isHidden: boolean, exists: boolean): KnownOperations {
  const has = (operation: Operation) => (bits & (1 << operationBits[operation])) !== 0
  // Describe is needed to see the bits. Bits without it come from a broker that does not compute them.
  const isReported = bits > 0 && has('Describe')
  return { isHidden, exists, may: (operation) => (isHidden ? false : isReported ? has(operation) : undefined) }
}

/** Version 8 is the first that reports operations. */
function metadataRequest(topic: string): RawRequest {
  return {
    apiKey: apiKeys.Metadata,
    apiVersion: 8,
    apiName: 'Metadata',
    encode: () =>
      new Encoder(64 + topic.length * 3).writeInt32(1).writeString(topic).writeInt8(0).writeInt8(0).writeInt8(1),
  }
}
