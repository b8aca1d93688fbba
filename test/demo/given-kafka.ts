import { parseBroker } from '../../lib/config/index.ts'
import { requireReachable } from '../../lib/kafka/connection/reachable.ts'
import { waitUntilReady } from '../support/kafka/broker/ready.ts'

const answerTimeoutMs = 10_000

/** Rejects where no Kafka answers at the first address of KAFKA_BROKERS, which is the one that the demo uses. */
export async function requireKafka(brokers: string): Promise<void> {
  const [first = ''] = brokers.split(',')
  const address = parseBroker(first.trim())
  await requireReachable([address], 'KAFKA_BROKERS')
  const where = `${address.host}:${address.port}`
  const never = new Promise<string>(() => {})
  await waitUntilReady(where, answerTimeoutMs, never).catch((cause: unknown) => {
    const found = `no answer of a Kafka broker in ${answerTimeoutMs / 1_000} s`
    throw new Error(`Connecting to ${where}: ${found}. Correct KAFKA_BROKERS`, { cause })
  })
}
