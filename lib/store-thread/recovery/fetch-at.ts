/** A single fetch from a partition, outside of any fetch loop. */
import { LatchkeyError } from '../../errors.ts'
import { sleep } from '../../kafka/backoff.ts'
import type { KafkaClient } from '../../kafka/client.ts'
import { damagedFetchError, damagedFetchesMax, soundPart } from '../../kafka/damaged-batches.ts'
import { leaderless } from '../../kafka/leaderless.ts'
import { placeInLog } from '../../kafka/out-of-range.ts'
import { brokerError } from '../../kafka/protocol/error-codes.ts'
import { type FetchedPartition, fetchRequest, parseFetchResponse } from '../../kafka/protocol/fetch.ts'
import type { RetryPolicy } from '../../kafka/retry-policy.ts'
import { plainFetch } from '../../topics/clients.ts'

/**
 * Fetches the batches at and after an offset. Returns undefined if the log does not contain the offset. The result ends
 * before the first damaged batch. If the first batch is damaged, it is fetched again, with pauses; only a batch that
 * stays damaged is returned as it is. Rejects with errors that the caller may retry.
 */
export async function fetchAt(
  client: KafkaClient,
  topic: string,
  partition: number,
  offset: number,
  isolation: KafkaClient['isolation'] = client.isolation,
): Promise<FetchedPartition | undefined> {
  const own = Symbol('reading')
  let retryPolicy: RetryPolicy | undefined
  try {
    for (let times = 1; ; times++) {
      const fetched = await fetchOnce(client, topic, partition, offset, isolation)
      const sound = fetched && soundPart(fetched, offset)
      if (fetched === undefined || sound !== undefined || times === damagedFetchesMax) return sound ?? fetched
      retryPolicy ??= client.retryPolicy()
      client.health.waits(damagedFetchError(topic, partition, `the batch at offset ${offset} came damaged`), {
        operation: own,
      })
      await sleep(retryPolicy.pauseMs(), client.signal)
    }
  } finally {
    if (retryPolicy !== undefined) client.health.over(own)
  }
}

async function fetchOnce(
  client: KafkaClient,
  topic: string,
  partition: number,
  offset: number,
  isolation: KafkaClient['isolation'],
): Promise<FetchedPartition | undefined> {
  await client.leaders(topic, [partition])
  const node = client.leader(topic, partition)
  const attempted = `Reading ${topic} partition ${partition}`
  if (node === undefined) throw leaderless(client, attempted, topic, [partition])
  const request = fetchRequest(topic, [{ partition, offset }], { ...plainFetch, maxWaitMs: 0, isolation })
  const purpose = { topic, partitions: [partition] }
  const { errorCode, partitions } = parseFetchResponse(
    await client.send(node, request, client.requestTimeoutMs, purpose),
  )
  if (errorCode !== 0) throw brokerError(attempted, errorCode, undefined, [partition])
  const [fetched] = partitions
  // A broker whose quota is exhausted answers at once with an empty response.
  if (fetched === undefined) throw unanswered(attempted, partition, 'the answer has nothing of it')
  // A broker that lags behind, or is wrong, must not make the log look shorter than it is.
  const isOutside =
    fetched.errorCode === offsetOutOfRange && (await placeInLog(client, topic, partition, offset)) !== 'inside'
  if (isOutside) return undefined
  if (fetched.errorCode === 0) return fetched
  client.forgetLeader(topic, partition)
  if (fetched.errorCode !== offsetOutOfRange) throw brokerError(attempted, fetched.errorCode, undefined, [partition])
  const found = `the broker says that offset ${offset} is out of range, and both ends of the log say that it is not`
  throw unanswered(attempted, partition, found)
}

function unanswered(attempted: string, partition: number, found: string): LatchkeyError {
  return new LatchkeyError('broker_error', `${attempted}: ${found}`, { details: { partitions: [partition] } })
}

const offsetOutOfRange = 1
