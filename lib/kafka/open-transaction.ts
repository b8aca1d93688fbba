/** Detects an open transaction, which hides the end of a log from a reader of committed records. */
import { LatchkeyError } from '../errors.ts'
import type { KafkaClient } from './client.ts'
import { listOffsets } from './offsets.ts'

/** Returns the error to report if a transaction is open in a partition, else undefined. */
export async function openTransaction(
  client: KafkaClient,
  topic: string,
  partition: number,
): Promise<LatchkeyError | undefined> {
  if (client.isolation === 'read_uncommitted') return undefined
  const endOf = async (isolation: KafkaClient['isolation']) => {
    const ends = await client.retryForever(() => listOffsets(client, topic, [partition], 'latest', isolation))
    return ends.get(partition)!
  }
  // The order matters: a batch acknowledged between the two requests must not look like an open transaction.
  const end = await endOf('read_uncommitted')
  const stable = await endOf('read_committed')
  return stable < end ? hiddenByTransaction(topic, partition, stable) : undefined
}

/** Returns the error of a reader that waits for an open transaction. */
export function hiddenByTransaction(topic: string, partition: number, offset: number): LatchkeyError {
  const found = 'a transaction that another producer has begun there is not ended'
  const advice = `The broker ends it after its timeout; end one that hangs with kafka-transactions.sh`
  const message = `Reading ${topic} partition ${partition} at offset ${offset}: ${found}. ${advice}`
  return new LatchkeyError('broker_error', message, { details: { partitions: [partition] } })
}
