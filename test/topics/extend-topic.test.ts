import { expect, test } from 'bun:test'
import type { KafkaClient } from '../../lib/kafka/client.ts'
import { extendTopic } from '../../lib/kafka/topics.ts'

function answering(errorCode: number): KafkaClient {
  const response = { topicErrors: [{ errorCode, errorMessage: 'no' }] }
  return { requestTimeoutMs: 1, callAny: async () => response } as unknown as KafkaClient
}

test('a topic that another instance has extended a moment before is extended', async () => {
  const invalidPartitions = 37
  expect(await extendTopic(answering(invalidPartitions), 'log', 8)).toBeUndefined()
})

test('an extension that the broker refuses fails with what to do', async () => {
  const policyViolation = 44
  await expect(extendTopic(answering(policyViolation), 'log', 8)).rejects.toThrow('--alter --topic log --partitions 8')
})
