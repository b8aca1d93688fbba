/**
 * Taking a changelog partition, so that no batch of an earlier owner, however late, is appended behind ours.
 *
 * InitProducerId with a transactional id gives the same producer id with the next epoch; a transaction begun on the partition and aborted at once
 * writes a control batch with that epoch. From there on the broker refuses batches of lower epochs (INVALID_PRODUCER_EPOCH), and where
 * the owner reads its own marker is the end of what anyone else has written. Batches afterwards are idempotent and not transactional.
 * KIP-98 (transactions), KIP-360 (InitProducerId with the epoch one holds).
 */
import { type KafkaClient } from './client.ts'
import { brokerError, errorAction } from './error-codes.ts'
import { Encoder, type RawRequest } from './kafkajs.ts'

export interface ProducerIdentity {
  producerId: number
  producerEpoch: number
}

/** Also the time within which the coordinator aborts the transaction of an owner that died between its begin and its end. */
const transactionTimeoutMsDefault = 30_000

/** Batches of nobody: not deduplicated, not fenced. */
export const noIdentity: ProducerIdentity = { producerId: -1, producerEpoch: -1 }

/**
 * Takes a partition. Resolves once the abort is decided; the marker reaches the partition a little later.
 * Rejects with `fenced` if `held` is given and another instance has taken the partition since.
 */
export async function fencePartition(
  client: KafkaClient,
  transactionalId: string,
  topic: string,
  partition: number,
  held?: ProducerIdentity,
  transactionTimeoutMs = transactionTimeoutMsDefault,
): Promise<ProducerIdentity> {
  const identity = await initProducerId(client, transactionalId, transactionTimeoutMs, held)
  const producer = { transactionalId, ...identity, producerId: String(identity.producerId) }
  await addPartition(client, transactionalId, topic, partition, producer)
  await endTransaction(client, transactionalId, producer)
  return identity
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
  return { producerId: Number(response.producerId), producerEpoch: response.producerEpoch }
}

async function initProducerId(
  client: KafkaClient,
  transactionalId: string,
  transactionTimeoutMs: number,
  held?: ProducerIdentity,
): Promise<ProducerIdentity> {
  const coordinator = await client.coordinator('transaction', transactionalId)
  const response = await client.send(
    coordinator,
    initProducerIdRequest(transactionalId, transactionTimeoutMs, held),
    client.requestTimeoutMs,
  )
  const at = 1 // the response header's tagged fields
  const errorCode = response.readInt16BE(at + 4)
  failOnError(client, transactionalId, `Taking transactional id ${transactionalId}`, errorCode)
  return { producerId: Number(response.readBigInt64BE(at + 6)), producerEpoch: response.readInt16BE(at + 14) }
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

async function addPartition(
  client: KafkaClient,
  transactionalId: string,
  topic: string,
  partition: number,
  producer: Record<string, unknown>,
): Promise<void> {
  const coordinator = await client.coordinator('transaction', transactionalId)
  const args = { ...producer, topics: [{ topic, partitions: [partition] }] }
  const response = (await client.call(coordinator, 'AddPartitionsToTxn', 1, args)) as AddPartitionsResponse
  const errorCode =
    response.errors.flatMap((one) => one.partitionErrors).find((one) => one.errorCode !== 0)?.errorCode ?? 0
  failOnError(client, transactionalId, `Fencing ${topic} partition ${partition}`, errorCode)
}

async function endTransaction(
  client: KafkaClient,
  transactionalId: string,
  producer: Record<string, unknown>,
): Promise<void> {
  const coordinator = await client.coordinator('transaction', transactionalId)
  const args = { ...producer, transactionResult: false }
  const { errorCode } = (await client.call(coordinator, 'EndTxn', 1, args)) as { errorCode: number }
  failOnError(client, transactionalId, `Fencing with transactional id ${transactionalId}`, errorCode)
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
