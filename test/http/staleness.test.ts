import { expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { maxLagOf } from '../../lib/http/staleness.ts'
import { serveFake } from '../support/http/fake-store.ts'

async function lookup(query: string, replicaLag: number | null | undefined) {
  const served = serveFake()
  served.store.put('a', '{}', replicaLag === undefined ? {} : { replicaLag })
  const response = await fetch(`${served.url}/stores/orders/a${query}`)
  const body = (await response.json()) as Record<string, unknown>
  await served[Symbol.asyncDispose]()
  return { status: response.status, headers: response.headers, body }
}

test('a lookup names role and lag when a replica answers', async () => {
  const { status, headers } = await lookup('', 7)
  expect(status).toBe(200)
  expect(headers.get('x-latchkey-role')).toBe('replica')
  expect(headers.get('x-latchkey-lag')).toBe('7')
})

test('a lookup names an unknown lag when the replica has not received the end', async () => {
  const { headers } = await lookup('', null)
  expect(headers.get('x-latchkey-lag')).toBe('unknown')
})

test('a lookup names no role when a primary answers', async () => {
  const { status, headers } = await lookup('?max-lag=0', undefined)
  expect(status).toBe(200)
  expect(headers.get('x-latchkey-role')).toBeNull()
})

test.each([
  ['?max-lag=7', 7, 200],
  ['?max-lag=6', 7, 503],
  ['?max-lag=1000', null, 503],
] as const)('a lookup with %s of a replica that is %p behind answers %i', async (query, lag, expected) => {
  const { status, body } = await lookup(query, lag)
  expect(status).toBe(expected)
  if (expected === 503) expect(body).toMatchObject({ code: 'too_stale', lag })
})

test('a miss is refused as stale when a replica is behind by more than allowed', async () => {
  await using served = serveFake()
  served.store.state.details[0]!.role = 'replica'
  served.store.state.details[0]!.lag = 5
  const of = async (query: string) => (await fetch(`${served.url}/stores/orders/none${query}`)).status
  expect([await of(''), await of('?max-lag=5'), await of('?max-lag=4')]).toEqual([404, 404, 503])
})

test.each(['?max-lag=', '?max-lag=-1', '?max-lag=x', '?key=a&max-lag=1.5'])(
  'max-lag is refused when the query is %s',
  (query) => {
    expect(() => maxLagOf(`/stores/orders/a${query}`)).toThrow(LatchkeyError)
  },
)

test.each([
  ['misses the partition', 'partition_not_held', 421],
  ['holds nothing', 'processing_only', 409],
  ['still fills its replica', 'replica_recovering', 503],
] as const)('a lookup is answered with its error when the instance %s', async (_, code, status) => {
  await using served = serveFake()
  served.store.onGet = () => {
    throw new LatchkeyError(code, 'Reading store orders: because', { details: { partition: 3 } })
  }
  const response = await fetch(`${served.url}/stores/orders/a`)
  expect(response.status).toBe(status)
  expect(await response.json()).toMatchObject({ code, partition: 3, detail: 'Reading store orders: because' })
})
