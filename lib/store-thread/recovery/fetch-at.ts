/** One look at a partition, outside of any fetch loop. */
import { LatchkeyError } from '../../errors.ts'
import { sleep } from '../../kafka/backoff.ts'
import { type KafkaClient } from '../../kafka/client.ts'
import { cameDamaged, soundPart, timesMax } from '../../kafka/damaged-batches.ts'
import { brokerError } from '../../kafka/protocol/error-codes.ts'
import { type FetchedPartition, fetchRequest, parseFetchResponse } from '../../kafka/protocol/fetch.ts'
import { type Patience } from '../../kafka/patience.ts'
import { placeInLog } from '../../kafka/out-of-range.ts'
import { plainFetch } from '../../topics/clients.ts'

/**
 * What lies at an offset and behind; undefined where the log does not hold that offset. Ends before what came damaged, which is fetched again, after pauses, where it
 * is the first: only what is damaged in the log is given as it is. Rejects with what the caller may repeat.
 */
export async function fetchAt(
  client: KafkaClient,
  topic: string,
  partition: number,
  offset: number,
  isolation: KafkaClient['isolation'] = client.isolation,
): Promise<FetchedPartition | undefined> {
  const own = Symbol('reading')
  let patience: Patience | undefined
  try {
    for (let times = 1; ; times++) {
      const fetched = await fetchOnce(client, topic, partition, offset, isolation)
      const sound = fetched && soundPart(fetched, offset)
      if (fetched === undefined || sound !== undefined || times === timesMax) return sound ?? fetched
      patience ??= client.patience()
      client.health.waits(cameDamaged(topic, partition, `the batch at offset ${offset} came damaged`), {
        operation: own,
      })
      await sleep(patience.pauseMs(), client.signal)
    }
  } finally {
    if (patience !== undefined) client.health.over(own)
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
  if (node === undefined) throw brokerError(attempted, leaderNotAvailable, undefined, [partition])
  const request = fetchRequest(topic, [{ partition, offset }], { ...plainFetch, maxWaitMs: 0, isolation })
  const purpose = { topic, partitions: [partition] }
  const { errorCode, partitions } = parseFetchResponse(
    await client.send(node, request, client.requestTimeoutMs, purpose),
  )
  if (errorCode !== 0) throw brokerError(attempted, errorCode, undefined, [partition])
  const [fetched] = partitions
  // A broker whose quota is used up answers at once, with nothing.
  if (fetched === undefined) throw unanswered(attempted, partition, 'the answer has nothing of it')
  // A broker that is behind, or wrong, must not make a log seem shorter than it is.
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
const leaderNotAvailable = 5
