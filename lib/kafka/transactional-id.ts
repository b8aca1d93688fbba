/**
 * Requests that take a transactional id, and with it a partition (see fence.ts). Each request notes in the claim what
 * it may have caused.
 */
import { LatchkeyError } from '../errors.ts'
import type { KafkaClient } from './client.ts'
import { Encoder, type RawRequest } from './connection/raw-request.ts'
import { apiKeys } from './protocol/api-keys.ts'
import {
  brokerError,
  clusterAuthorizationFailed,
  coordinatorLoading,
  errorAction,
  invalidTransactionState,
  notCoordinator,
  topicAuthorizationFailed,
  transactionalIdAuthorizationFailed,
} from './protocol/error-codes.ts'
import { noTags, writeCompactString } from './protocol/flexible.ts'
import { checkedOffset, reading, ResponseCursor } from './protocol/response-cursor.ts'

export interface ProducerIdentity {
  producerId: number
  producerEpoch: number
}

/** Identity of batches that are neither deduplicated nor fenced. */
export const noIdentity: ProducerIdentity = { producerId: -1, producerEpoch: -1 }

/** Also the time after which the coordinator aborts the transaction of an owner that died before its EndTxn. */
const transactionTimeoutMsDefault = 30_000

/** The partition to take. */
export interface FenceTarget {
  client: KafkaClient
  transactionalId: string
  topic: string
  partition: number
  transactionTimeoutMs?: number
  /** Connection to the coordinator that takes the requests, see Connections.to(); 0 if absent. */
  lane?: number
  /** Returns the identities of the markers after the owner's last known record, in the order of the log. */
  markers(): Promise<ProducerIdentity[]>
}

/** Range of epochs of one producer id, both ends included. */
export interface Epochs {
  producerId: number
  first: number
  last: number
}

/** One owner's claim on a partition. */
export interface Claim {
  /**
   * Identities that the coordinator has granted, the newest last. Old producer ids are dropped. Empty before the first.
   */
  readonly taken: Epochs[]
  /** Whether a transaction of the newest identity may be open. Later the coordinator aborts it, with the next epoch. */
  isOpen: boolean
  /**
   * Whether a request that states no identity had no response. It may still arrive and supersede the claim, although no
   * other owner takes the partition.
   */
  mayBeSuperseded: boolean
}

export interface TransactionalRequest {
  stated: ProducerIdentity | undefined
  /** Whether the request was sent before and perhaps granted. */
  isRepeated: boolean
}

/** Gets a producer id without fencing: batches are deduplicated, but those of an earlier owner are not refused. */
export async function plainProducerId(client: KafkaClient): Promise<ProducerIdentity> {
  const attempted = 'Getting a producer id'
  const response = (await client.callAny('InitProducerId', 1, {
    transactionalId: null,
    transactionTimeout: transactionTimeoutMsDefault,
  })) as {
    errorCode: number
    producerId: string
    producerEpoch: number
  }
  if (response.errorCode !== 0) throw brokerError(attempted, response.errorCode)
  return { producerId: checkedOffset(response.producerId, 'InitProducerId'), producerEpoch: response.producerEpoch }
}

export async function initProducerId(
  { client, transactionalId, transactionTimeoutMs = transactionTimeoutMsDefault, lane = 0 }: FenceTarget,
  claim: Claim,
  attempt: TransactionalRequest,
): Promise<ProducerIdentity> {
  const coordinator = await client.coordinator('transaction', transactionalId)
  const request = initProducerIdRequest(transactionalId, transactionTimeoutMs, attempt.stated)
  const response = await client
    .send(coordinator, request, client.requestTimeoutMs, { lane })
    .catch((error: unknown) => {
      attempt.isRepeated = true
      if (attempt.stated === undefined) claim.mayBeSuperseded = true
      throw error
    })
  try {
    const answer = new ResponseCursor(response, 'InitProducerId')
    answer.tags()
    answer.skip(4) // throttle time
    const errorCode = answer.int16()
    if (isUncertain(errorCode)) attempt.isRepeated = true
    failOnError(client, transactionalId, `Taking transactional id ${transactionalId}`, errorCode)
    return { producerId: answer.offset(), producerEpoch: answer.int16() }
  } catch (error) {
    // The coordinator may have granted the id, although the response is malformed.
    if (error instanceof LatchkeyError && error.code === 'response_malformed') {
      attempt.isRepeated = true
      if (attempt.stated === undefined) claim.mayBeSuperseded = true
    }
    throw error
  }
}

/**
 * Version 3 is the first that states the present epoch. As a flexible version it is encoded here: kafkajs knows none.
 */
function initProducerIdRequest(
  transactionalId: string,
  transactionTimeoutMs: number,
  held?: ProducerIdentity,
): RawRequest {
  return {
    apiKey: apiKeys.InitProducerId,
    apiVersion: 3,
    apiName: 'InitProducerId',
    encode() {
      const encoder = new Encoder(64 + transactionalId.length).writeInt8(noTags)
      writeCompactString(encoder, transactionalId)
      encoder.writeInt32(transactionTimeoutMs)
      encoder.writeInt64(held?.producerId ?? -1).writeInt16(held?.producerEpoch ?? -1)
      return encoder.writeInt8(noTags)
    },
  }
}

export interface AddPartitionsResponse {
  errors: { partitionErrors: { errorCode: number }[] }[]
}

/** Begins a transaction on the partition. @returns whether each request had a response */
export async function addPartition(target: FenceTarget, claim: Claim, identity: ProducerIdentity): Promise<boolean> {
  const { client, transactionalId, topic, partition, lane } = target
  const args = { ...producerOf(target, identity), topics: [{ topic, partitions: [partition] }] }
  let isAnswered = true
  await client.retryForever(async () => {
    const coordinator = await client.coordinator('transaction', transactionalId)
    const response = await client.call(coordinator, 'AddPartitionsToTxn', 1, args, { lane }).catch((error: unknown) => {
      isAnswered = false
      claim.isOpen = true
      throw error
    })
    const errors = reading('AddPartitionsToTxn', () => {
      return (response as AddPartitionsResponse).errors.flatMap((one) => one.partitionErrors)
    })
    const errorCode = errors.find((one) => one.errorCode !== 0)?.errorCode ?? 0
    if (errorCode === 0 || isUncertain(errorCode)) claim.isOpen = true
    failOnError(client, transactionalId, `Fencing ${topic} partition ${partition}`, errorCode)
  })
  return isAnswered
}

/** @returns false if the coordinator has no such transaction */
export async function endTransaction(target: FenceTarget, identity: ProducerIdentity): Promise<boolean> {
  const { client, transactionalId, lane } = target
  const coordinator = await client.coordinator('transaction', transactionalId)
  const args = { ...producerOf(target, identity), transactionResult: false }
  const { errorCode } = (await client.call(coordinator, 'EndTxn', 1, args, { lane })) as { errorCode: number }
  if (errorCode === invalidTransactionState) return false
  failOnError(client, transactionalId, `Fencing with transactional id ${transactionalId}`, errorCode)
  return true
}

function producerOf({ transactionalId }: FenceTarget, identity: ProducerIdentity): Record<string, unknown> {
  return { transactionalId, ...identity, producerId: String(identity.producerId) }
}

/** Errors before the coordinator looks at the request: it is loading, or it is another broker. */
const notCarriedOut = new Set([coordinatorLoading, notCoordinator])

/** Whether a coordinator that answers with this error may have carried out the request. */
function isUncertain(errorCode: number): boolean {
  const action = errorAction(errorCode)
  return (action === 'retry' || action === 'refresh') && !notCarriedOut.has(errorCode)
}

function failOnError(client: KafkaClient, transactionalId: string, attempted: string, errorCode: number): void {
  if (errorCode === 0) return
  if (errorAction(errorCode) === 'refresh') client.forgetCoordinator('transaction', transactionalId)
  throw brokerError(attempted, errorCode, adviceFor(transactionalId, errorCode))
}

function adviceFor(transactionalId: string, errorCode: number): string | undefined {
  if (errorCode === transactionalIdAuthorizationFailed || errorCode === clusterAuthorizationFailed) {
    return `allow this user to DESCRIBE and WRITE transactional id ${transactionalId}, or set FENCING=false`
  }
  if (errorCode === topicAuthorizationFailed) return 'allow this user to WRITE the changelog topic'
  return undefined
}
