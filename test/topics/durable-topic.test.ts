import { expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import type { KafkaClient } from '../../lib/kafka/client.ts'
import { topicAlreadyExists } from '../../lib/kafka/protocol/error-codes.ts'
import { createDurable, durabilityOf } from '../../lib/topics/durable-topic.ts'
import { captureLog } from '../support/store-thread/stand-ins.ts'

const [invalidConfig, policyViolation] = [40, 44]

/** Every code at which a creation ends. */
const codes = Array.from({ length: 130 }, (_, index) => index - 1).filter((code) => {
  return code !== topicAlreadyExists && code !== 0
})

test.each(codes.map((code) => [code, code === invalidConfig || code === policyViolation ? 2 : 1] as const))(
  'a topic is created by the settings of the cluster where its policy refuses others: error %d',
  async (errorCode, times) => {
    const lines = captureLog()
    const asked: string[][] = []
    const client = {
      requestTimeoutMs: 1,
      retryForever: <T>(operation: () => Promise<T>) => operation(),
      async callAny(
        _api: string,
        _version: number,
        { topics: [one] }: { topics: [{ configEntries: { name: string }[] }] },
      ) {
        asked.push(one.configEntries.map(({ name }) => name))
        return { topicErrors: [{ errorCode: asked.length === 1 ? errorCode : 0, errorMessage: 'no' }] }
      },
    } as unknown as KafkaClient
    const config = { 'cleanup.policy': 'compact', ...durabilityOf(3) }
    const topic = { topic: 'log', partitions: 2, replicationFactor: 3, config }
    const failure = await createDurable(client, topic).catch((error: unknown) => error)
    expect(asked).toHaveLength(times)
    expect(asked[0]).toContain('min.insync.replicas')
    if (times === 1) return expect(failure).toBeInstanceOf(LatchkeyError)
    expect(failure).toBeUndefined()
    expect(asked[1]).toContain('cleanup.policy')
    expect(asked[1]).not.toContain('min.insync.replicas')
    expect(asked[1]).not.toContain('unclean.leader.election.enable')
    expect(lines.join()).toContain('created without min.insync.replicas and unclean.leader.election.enable')
  },
)
