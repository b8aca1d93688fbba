/** Requests to follow changes that are refused: each by its own sentence. */
import { describe, expect, test } from 'bun:test'
import { LatchkeyError } from '../../../lib/errors.ts'
import { formatChangeId } from '../../../lib/store-protocol/change-id.ts'
import { problemOf, serveFake } from '../../support/http/fake-store.ts'
import { FeedClient } from '../../support/http/feed-client.ts'
import { modes } from '../../support/http/transports.ts'

const id = formatChangeId({ topicId: 'topic', time: 1_700_000_000_000, positions: new Map([[0, 7]]) })

describe.each(modes)('following changes %s', (_, hasFastPath) => {
  test.each([
    ['?key=a', 'invalid_parameter', 'there is no parameter "key"'],
    ['?keys=a&x', 'invalid_parameter', 'there is no parameter "x"'],
    ['?min-offset=0:1', 'invalid_parameter', 'there is no parameter "min-offset"'],
    ['?prefix=a&prefix=b', 'invalid_parameter', 'prefix more than once'],
    ['?keys=a&prefix=b', 'invalid_parameter', 'keys and prefix, which exclude each other'],
    ['?keys=%zz', 'invalid_key', 'two hexadecimal digits'],
    ['?partition=x', 'invalid_parameter', 'partition is "x"'],
    ['?from=end', 'invalid_parameter', 'from is "end"'],
    ['?values=no', 'invalid_parameter', 'values is "no"'],
    ['?after=', 'invalid_parameter', 'after is "", which is not an id of this feed'],
    ['?after=7', 'invalid_parameter', 'after is "7", which is not an id of this feed'],
    [`?after=${id}&from=now`, 'invalid_parameter', 'from and after, which exclude each other'],
  ])('400 is answered when the query is %p', async (query, code, detail) => {
    await using served = serveFake({ hasFastPath })
    const problem = await problemOf(await fetch(`${served.url}/changes/orders${query}`))
    expect(problem).toMatchObject({ status: 400, code, detail: expect.stringContaining(detail) })
    expect(served.store.changes.followers).toEqual([])
  })

  test('400 is answered when Last-Event-ID is no id', async () => {
    await using served = serveFake({ hasFastPath })
    for (const lastEventId of ['7', `${id}~`, `0${id.slice(1)}`, `${id}.-1`, 'x'.repeat(9_000)]) {
      const headers = { 'last-event-id': lastEventId }
      const problem = await problemOf(await fetch(`${served.url}/changes/orders?from=start`, { headers }))
      const found = `the header Last-Event-ID is "${lastEventId.slice(0, 100)}", which is not an id`
      const detail = expect.stringContaining(found)
      expect(problem).toMatchObject({ status: 400, code: 'invalid_parameter', detail })
    }
  })

  test('what the store throws is answered as for lookups', async () => {
    await using served = serveFake({ hasFastPath })
    const { changes } = served.store
    for (const code of ['recovering', 'waits_exhausted', 'partition_not_held', 'stopping'] as const) {
      changes.onFollow = () => {
        throw new LatchkeyError(code, 'Following changes: not now')
      }
      const answer = await fetch(`${served.url}/changes/orders`)
      expect(await problemOf(answer)).toMatchObject({ code, detail: 'Following changes: not now' })
    }
    expect(served.store.changes.followers).toEqual([])
  })

  test('at most 1,000 keys are followed by one request', async () => {
    await using served = serveFake({ hasFastPath })
    const query = (count: number) => `?${'keys=a&'.repeat(count).slice(0, -1)}`
    const problem = await problemOf(await fetch(`${served.url}/changes/orders${query(1_001)}`))
    expect(problem).toMatchObject({ status: 413, code: 'too_many_keys', keysMax: 1_000 })
    await using client = await FeedClient.open(`${served.url}/changes/orders${query(1_000)}`)
    expect(client.response.status).toBe(200)
    expect(served.store.changes.followers[0]!.options.keys).toHaveLength(1_000)
  })

  test('beyond 1,000 partitions one of them has to be named', async () => {
    await using served = serveFake({ hasFastPath })
    served.store.heldPartitions = Array.from({ length: 1_001 }, (__, partition) => partition)
    const problem = await problemOf(await fetch(`${served.url}/changes/orders`))
    const detail = expect.stringContaining('this instance holds 1001 partitions')
    expect(problem).toMatchObject({ status: 400, code: 'invalid_parameter', detail })
    await using client = await FeedClient.open(`${served.url}/changes/orders?partition=1000`)
    expect(client.response.status).toBe(200)
  })

  test('another path, store, method or media type is refused', async () => {
    await using served = serveFake({ hasFastPath })
    const ask = async (path: string, init?: RequestInit) => problemOf(await fetch(`${served.url}${path}`, init))
    expect(await ask('/changes/orders/a')).toMatchObject({ code: 'path_not_found' })
    expect(await ask('/changes/')).toMatchObject({ code: 'path_not_found' })
    expect(await ask('/changes/other')).toMatchObject({ code: 'store_not_found' })
    expect(await ask('/changes/orders', { method: 'POST' })).toMatchObject({ code: 'method_not_allowed' })
    const options = await fetch(`${served.url}/changes/orders`, { method: 'OPTIONS' })
    expect([options.status, options.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    const acceptable = ['text/event-stream', 'application/x-ndjson']
    const headers = { accept: 'application/json' }
    expect(await ask('/changes/orders', { headers })).toMatchObject({ status: 406, code: 'not_acceptable', acceptable })
  })
})
