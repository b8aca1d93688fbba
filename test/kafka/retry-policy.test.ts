import { expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { Backoff } from '../../lib/kafka/backoff.ts'
import { KafkaClient } from '../../lib/kafka/client.ts'
import { RetryPolicy } from '../../lib/kafka/retry-policy.ts'

const refused = new LatchkeyError('authentication_failed', 'the broker refused the password')
const away = new LatchkeyError('broker_unreachable', 'refused')

test('RetryPolicy waits ten seconds at least after a refused password, so that no account is locked', () => {
  const retryPolicy = new RetryPolicy(new Backoff({ firstMs: 1, maxMs: 5 }))
  for (let attempt = 0; attempt < 20; attempt++) expect(retryPolicy.nextMs(refused)).toBeGreaterThanOrEqual(10_000)
  expect(retryPolicy.nextMs(away)).toBeLessThanOrEqual(5)
})

test('RetryPolicy gives up after as many retries as are allowed, counted since something worked', () => {
  const retryPolicy = new RetryPolicy(new Backoff({ firstMs: 1, maxMs: 1 }), 2)
  retryPolicy.nextMs(away)
  retryPolicy.nextMs(away)
  expect(() => retryPolicy.nextMs(away)).toThrow('given up after 2 retries')
  retryPolicy.reset()
  expect(retryPolicy.nextMs(away)).toBeLessThanOrEqual(1)
})

test('retryForever makes no further attempt before its pause is over', async () => {
  const client = new KafkaClient({
    subject: 'test',
    brokers: [{ host: '127.0.0.1', port: 1 }],
    clientId: 'test',
    connectionTimeoutMs: 1_000,
    requestTimeoutMs: 1_000,
    retryBackoff: { firstMs: 3_600_000, maxMs: 3_600_000 },
  })
  let attempts = 0
  const operation = () => {
    attempts++
    return Promise.reject(attempts > 3 ? new TypeError('it goes round and round') : away)
  }
  const ended = client.retryForever(operation).catch((error: unknown) => error)
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
  expect(attempts).toBe(1)
  client.close()
  expect(await ended).toMatchObject({ code: 'stopping' })
})
