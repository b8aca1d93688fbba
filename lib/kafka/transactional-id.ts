/** The requests by which a transactional id, and with it a partition, is taken: see fence.ts. Each says of itself what it may have led to. */
import { LatchkeyError } from '../errors.ts'
import { type KafkaClient } from './client.ts'
import { brokerError, errorAction } from './protocol/error-codes.ts'
import { Encoder, type RawRequest } from './connection/kafkajs.ts'
import { checkedOffset, reading, ResponseCursor } from './protocol/response-cursor.ts'

export interface ProducerIdentity {
  producerId: number
  producerEpoch: number
}

/** Batches of nobody: not deduplicated, not fenced. */
export const noIdentity: ProducerIdentity = { producerId: -1, producerEpoch: -1 }

/** Also the time within which the coordinator aborts the transaction of an owner that died between its begin and its end. */
const transactionTimeoutMsDefault = 30_000

/** What is to be taken. */
export interface FenceTarget {
  client: KafkaClient
  transactionalId: string
  topic: string
  partition: number
  transactionTimeoutMs?: number
  /** Whose markers stand in the partition behind what is known to be the owner's, in order. */
  markers(): Promise<ProducerIdentity[]>
}

/** Epochs of one producer id, both ends included. */
export interface Epochs {
  producerId: number
  first: number
  last: number
}

/** One owner's claim on a partition. */
export interface Claim {
  /** All that the coordinator has given for it, the newest last; producer ids long past are dropped. Empty before it was fulfilled. */
  readonly taken: Epochs[]
  /** A transaction of the newest was perhaps begun and not ended: the coordinator ends it after a time, with the next epoch. */
  isOpen: boolean
  /** A request that states no identity was never answered. It may still arrive, and then supersedes the claim for nobody. */
  isHaunted: boolean
}

export interface Asking {
  stated: ProducerIdentity | undefined
  /** It was asked before, and perhaps granted. */
  isRepeated: boolean
}

/** A producer id without fencing: its batches are deduplicated, but those of an earlier owner are not refused. */
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
  { client, transactionalId, transactionTimeoutMs = transactionTimeoutMsDefault }: FenceTarget,
  claim: Claim,
  asking: Asking,
): Promise<ProducerIdentity> {
  const coordinator = await client.coordinator('transaction', transactionalId)
  const request = initProducerIdRequest(transactionalId, transactionTimeoutMs, asking.stated)
  const response = await client.send(coordinator, request, client.requestTimeoutMs).catch((error: unknown) => {
    asking.isRepeated = true
    if (asking.stated === undefined) claim.isHaunted = true
    throw error
  })
  try {
    const answer = new ResponseCursor(response, 'InitProducerId')
    answer.tags()
    answer.skip(4) // throttle time
    const errorCode = answer.int16()
    if (isUncertain(errorCode)) asking.isRepeated = true
    failOnError(client, transactionalId, `Taking transactional id ${transactionalId}`, errorCode)
    return { producerId: answer.offset(), producerEpoch: answer.int16() }
  } catch (error) {
    // It may have been granted, whatever the rest said.
    if (error instanceof LatchkeyError && error.code === 'response_malformed') {
      asking.isRepeated = true
      if (asking.stated === undefined) claim.isHaunted = true
    }
    throw error
  }
}

/** InitProducerId version 3, the first that says which epoch one holds; a flexible version, so written byte by byte. */
function initProducerIdRequest(
  transactionalId: string,
  transactionTimeoutMs: number,
  held?: ProducerIdentity,
): RawRequest {
  return {
    apiKey: 22,
    apiVersion: 3,
    apiName: 'InitProducerId',
    encode() {
      const id = Buffer.from(transactionalId)
      const encoder = new Encoder(64 + id.length).writeInt8(0) // the request header's tagged fields
      writeUnsignedVarint(encoder, id.length + 1)
      encoder.writeBufferInternal(id)
      encoder.writeInt32(transactionTimeoutMs)
      encoder.writeInt64(held?.producerId ?? -1).writeInt16(held?.producerEpoch ?? -1)
      return encoder.writeInt8(0)
    },
  }
}

function writeUnsignedVarint(encoder: Encoder, value: number): void {
  let rest = value
  for (; rest > 127; rest >>>= 7) encoder.writeInt8((rest & 127) - 128)
  encoder.writeInt8(rest)
}

interface AddPartitionsResponse {
  errors: { partitionErrors: { errorCode: number }[] }[]
}

/** Begins a transaction on the partition. @returns whether each request was answered */
export async function addPartition(target: FenceTarget, claim: Claim, identity: ProducerIdentity): Promise<boolean> {
  const { client, transactionalId, topic, partition } = target
  const args = { ...producerOf(target, identity), topics: [{ topic, partitions: [partition] }] }
  let isAnswered = true
  await client.persist(async () => {
    const coordinator = await client.coordinator('transaction', transactionalId)
    const response = await client.call(coordinator, 'AddPartitionsToTxn', 1, args).catch((error: unknown) => {
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

/** @returns false where the coordinator knows of no transaction */
export async function endTransaction(target: FenceTarget, identity: ProducerIdentity): Promise<boolean> {
  const { client, transactionalId } = target
  const coordinator = await client.coordinator('transaction', transactionalId)
  const args = { ...producerOf(target, identity), transactionResult: false }
  const { errorCode } = (await client.call(coordinator, 'EndTxn', 1, args)) as { errorCode: number }
  if (errorCode === invalidTransactionState) return false
  failOnError(client, transactionalId, `Fencing with transactional id ${transactionalId}`, errorCode)
  return true
}

function producerOf({ transactionalId }: FenceTarget, identity: ProducerIdentity): Record<string, unknown> {
  return { transactionalId, ...identity, producerId: String(identity.producerId) }
}

const invalidTransactionState = 48
/** The coordinator had not looked at the request: it is loading, or another broker. */
const notCarriedOut = new Set([14, 16])

/** Whether the coordinator, answering this, may have done what it was asked. */
function isUncertain(errorCode: number): boolean {
  const action = errorAction(errorCode)
  return (action === 'retry' || action === 'refresh') && !notCarriedOut.has(errorCode)
}

const transactionalIdAuthorizationFailed = 53
const clusterAuthorizationFailed = 31
const topicAuthorizationFailed = 29

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
