import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { configureLogging, writePending } from '../../lib/log/index.ts'
import { type FakeStore, problemOf, serveFake } from '../support/http/fake-store.ts'

const logLines: string[] = []
beforeAll(() => configureLogging({ level: 'trace', structured: false, write: (line) => logLines.push(line) }))
afterAll(() => configureLogging({ level: 'error', structured: false }))

/** @param late rejects instead of throwing */
function letFail(store: FakeStore, error: unknown, late: boolean): void {
  store.onGet = () => {
    if (late) return Promise.reject(error)
    throw error
  }
}

describe('problemResponse', () => {
  test.each([false, true])(
    '503 recovering has progress and Retry-After when the store recovers (late: %p)',
    async (late) => {
      await using served = serveFake()
      const progress = { records: 5, bytes: 50, recordsPerSecond: 2, percent: 10, remainingSeconds: 7.2 }
      letFail(
        served.store,
        new LatchkeyError('recovering', 'Looking up: 10 % recovered', { details: { progress } }),
        late,
      )
      const response = await fetch(`${served.url}/stores/orders/a`)
      expect(await problemOf(response)).toMatchObject({ status: 503, code: 'recovering', progress })
      expect(response.headers.get('retry-after')).toBe('8')
    },
  )

  test.each([
    [null, '1'],
    [0, '1'],
    [100_000, '60'],
  ])('Retry-After is bounded when the estimate is %p', async (remainingSeconds, expected) => {
    await using served = serveFake()
    letFail(served.store, new LatchkeyError('recovering', 'x', { details: { progress: { remainingSeconds } } }), false)
    const response = await fetch(`${served.url}/stores/orders/a`)
    expect(response.headers.get('retry-after')).toBe(expected)
  })

  test('500 value_undecodable is answered and logged', async () => {
    await using served = serveFake()
    letFail(served.store, new LatchkeyError('value_undecodable', 'Rendering the value of partition 7: no'), false)
    const response = await fetch(`${served.url}/stores/orders/a`)
    expect(await problemOf(response)).toMatchObject({ status: 500, detail: 'Rendering the value of partition 7: no' })
    // Within five seconds of another such line, in a file that ran before, it would be written later.
    writePending()
    expect(logLines.join('')).toContain('Rendering the value of partition 7: no')
  })

  test.each(['readers_exhausted', 'schema_unavailable', 'stopping', 'store_failed'] as const)(
    '503 %s is answered for its error',
    async (code) => {
      await using served = serveFake()
      letFail(served.store, new LatchkeyError(code, 'Looking up: no'), true)
      const response = await fetch(`${served.url}/stores/orders/a`)
      expect(await problemOf(response)).toMatchObject({ status: 503, code, detail: 'Looking up: no' })
      expect(response.headers.get('retry-after')).toBe(code === 'store_failed' ? null : '1')
    },
  )

  test.each([
    ['an error of the inside', new TypeError('a secret'), 500, 'internal', 'Internal error'],
    [
      'an error of Kafka',
      new LatchkeyError('broker_unreachable', 'a secret'),
      503,
      'broker_unreachable',
      'Broker unreachable',
    ],
    ['no error at all', 'a secret', 500, 'internal', 'Internal error'],
  ])('no internal detail is answered when %s is thrown', async (_, error, status, code, title) => {
    await using served = serveFake()
    letFail(served.store, error, true)
    const response = await fetch(`${served.url}/stores/orders/a`)
    const type = `urn:latchkey:problem:${code}`
    expect(await problemOf(response)).toEqual({ type, title, status, detail: title, code })
  })

  test('a thrown error is logged when the answer does not contain it', async () => {
    await using served = serveFake()
    letFail(served.store, new LatchkeyError('memory_exhausted', 'Growing: secret\nsegment'), false)
    await fetch(`${served.url}/stores/orders/a`)
    expect(logLines.findLast((line) => line.includes(' error '))).toEndWith(
      'error   http   Answering a request: Growing: secret\\nsegment\n',
    )
  })
})
