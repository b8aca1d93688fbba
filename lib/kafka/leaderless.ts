import { LatchkeyError } from '../errors.ts'
import type { KafkaClient } from './client.ts'
import { brokerError, leaderNotAvailable, unknownTopic } from './protocol/error-codes.ts'

/**
 * Returns the retriable error for partitions whose leader is not in the metadata. A deleted topic is named as such: no
 * broker that is started would bring its leaders back.
 * @param attempted beginning of the message: `Reading orders partition 3`
 */
export function leaderless(
  client: Pick<KafkaClient, 'topics'>,
  attempted: string,
  topic: string,
  partitions: readonly number[],
): LatchkeyError {
  if (!client.topics.isMissing(topic)) return brokerError(attempted, leaderNotAvailable, undefined, partitions)
  const found = `the brokers know no topic ${topic}: it was deleted`
  return new LatchkeyError('broker_error', `${attempted}: ${found}; create it again`, {
    details: { brokerCode: unknownTopic, partitions },
  })
}
