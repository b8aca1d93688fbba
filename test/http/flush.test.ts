import { describe, expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { problemOf, type Served, serveFake } from '../support/http/fake-store.ts'

function post(served: Served, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${served.url}/flush-store/orders`, { method: 'POST', headers })
}

describe('POST /flush-store/<id>', () => {
  test('the operations made visible are answered when the flush is done', async () => {
    await using served = serveFake()
    const flushed = Promise.withResolvers<number>()
    served.store.onFlush = () => flushed.promise
    const pending = post(served)
    flushed.resolve(17)
    const response = await pending
    expect([response.status, await response.json()]).toEqual([200, { operations: 17 }])
  })

  test('503 flush_timed_out is answered when the flush takes too long', async () => {
    await using served = serveFake({ flushWaitMs: 5 })
    const flushed = Promise.withResolvers<number>()
    served.store.onFlush = () => flushed.promise
    const response = await post(served)
    expect(await problemOf(response)).toMatchObject({ code: 'flush_timed_out', status: 503 })
    expect(response.headers.get('retry-after')).toBe('1')
    flushed.reject(new Error('later'))
  })

  test('the error of the store is answered when the flush fails', async () => {
    await using served = serveFake()
    served.store.onFlush = () => Promise.reject(new LatchkeyError('recovering', 'Flushing: recovering'))
    expect(await problemOf(await post(served))).toMatchObject({ code: 'recovering', status: 503 })
  })

  test.each([
    ['Sec-Fetch-Site is cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['Sec-Fetch-Site is same-site', { 'sec-fetch-site': 'same-site' }],
    ['Origin is another', { origin: 'http://evil.example' }],
    ['Origin is null', { origin: 'null' }],
    ['Origin is nonsense', { origin: 'x' }],
  ])('a request is refused and nothing flushed when %s', async (_, headers) => {
    await using served = serveFake()
    let flushes = 0
    served.store.onFlush = async () => ++flushes
    expect((await post(served, headers)).ok).toBeFalse()
    expect(flushes).toBe(0)
  })

  test('a request is accepted when it comes from our own page', async () => {
    await using served = serveFake()
    expect((await post(served, { origin: served.url })).status).toBe(200)
    expect((await post(served, { 'sec-fetch-site': 'same-origin', origin: 'https://proxy' })).status).toBe(200)
    expect((await post(served, { 'sec-fetch-site': 'none' })).status).toBe(200)
  })
})
