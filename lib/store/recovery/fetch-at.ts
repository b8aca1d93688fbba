/** One look at a partition, outside of any fetch loop. */
import { LatchkeyError } from '../../errors.ts'
import { type KafkaClient } from '../../kafka/client.ts'
import { brokerError } from '../../kafka/error-codes.ts'
import { type FetchedPartition, fetchRequest, parseFetchResponse } from '../../kafka/fetch.ts'
import { placeInLog } from '../../kafka/out-of-range.ts'
import { plainFetch } from '../clients.ts'

/** What lies at an offset and behind; undefined where the log does not hold that offset. Rejects with what the caller may repeat. */
export async function fetchAt(
  client: KafkaClient,
  topic: string,
  partition: number,
  offset: number,
  isolation: KafkaClient['isolation'] = client.isolation,
): Promise<FetchedPartition | undefined> {
  await client.leaders(topic, [partition])
  const node = client.leader(topic, partition)
  if (node === undefined) throw brokerError(`Reading ${topic} partition ${partition}`, leaderNotAvailable)
  const request = fetchRequest(topic, [{ partition, offset }], { ...plainFetch, maxWaitMs: 0, isolation })
  const [fetched] = parseFetchResponse(await client.send(node, request, client.requestTimeoutMs)).partitions
  if (fetched === undefined) return undefined
  // A broker that is behind, or wrong, must not make a log seem shorter than it is.
  const isOutside =
    fetched.errorCode === offsetOutOfRange && (await placeInLog(client, topic, partition, offset)) !== 'inside'
  if (isOutside) return undefined
  if (fetched.errorCode === 0) return fetched
  client.forgetLeader(topic, partition)
  if (fetched.errorCode !== offsetOutOfRange)
    throw brokerError(`Reading ${topic} partition ${partition}`, fetched.errorCode)
  const found = `the broker says that offset ${offset} is out of range, and both ends of the log say that it is not`
  throw new LatchkeyError('broker_error', `Reading ${topic} partition ${partition}: ${found}`)
}

const offsetOutOfRange = 1
const leaderNotAvailable = 5
