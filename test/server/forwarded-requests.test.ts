/** What Bun's server makes of responses at the same time for requests that were forwarded. */
import { describe, expect, test } from 'bun:test'
import type { Answer } from '../../lib/http/answer.ts'
import { ValueAnswer } from '../../lib/http/value-answer.ts'
import { ForwardedRequests } from '../../lib/server/forwarded-requests.ts'
import { guardedBehind } from '../../lib/server/request-guard.ts'
import { transports } from '../support/http/transports.ts'
import { get, statusesIn } from '../support/server/clients.ts'
import { valueOf } from '../support/server/fake-connection.ts'
import { until } from '../support/until.ts'

const request = () => new Request('http://a/stores/orders/a', { headers: { host: 'a' } })

/** Asks as tunnels with these ports do. */
function start(bytesMax: number, answer: (count: number) => Answer | Promise<Answer>) {
  const forwarded = new ForwardedRequests(bytesMax)
  let lookups = 0
  const handler = guardedBehind(() => answer(++lookups), undefined, forwarded)
  const statuses: Record<number, number> = {}
  return {
    forwarded,
    statuses,
    lookups: () => lookups,
    ask(port: number): void {
      forwarded.add(port, true)
      const server = { requestIP: () => ({ address: '127.0.0.1', port, family: 'IPv4' }) }
      const response = handler(request(), server as unknown as Bun.Server<undefined>)
      void Promise.resolve(response).then(({ status }) => (statuses[port] = status))
    },
  }
}

const large = () => valueOf(new Uint8Array(100))

describe('responses that Bun’s server holds', () => {
  test('further ones are built as soon as tunnels have received the earlier ones', async () => {
    const { ask, forwarded, lookups, statuses } = start(150, large)
    for (const port of [1, 2, 3, 4]) ask(port)
    expect(lookups()).toBe(2)
    forwarded.received(1)
    expect(lookups()).toBe(3)
    forwarded.received(1)
    expect(lookups()).toBe(3)
    forwarded.delete(2)
    expect(lookups()).toBe(4)
    await until('all are answered', () => Object.keys(statuses).length === 4)
    expect(Object.values(statuses)).toEqual([200, 200, 200, 200])
  })

  test('none is built for a tunnel that was closed meanwhile', async () => {
    const { ask, forwarded, lookups, statuses } = start(1, large)
    for (const port of [1, 2, 3]) ask(port)
    forwarded.delete(2)
    forwarded.received(1)
    await until('the third is answered', () => statuses[3] === 200)
    expect([lookups(), statuses[2]]).toEqual([2, 403])
  })

  test('one that was built too late for its tunnel takes no room', async () => {
    const coming = Promise.withResolvers<Answer>()
    const { ask, forwarded, statuses } = start(1, (count) => (count === 1 ? coming.promise : large()))
    ask(1)
    forwarded.delete(1)
    coming.resolve(large())
    await until('it is made', () => statuses[1] !== undefined)
    ask(2)
    await until('another is answered', () => statuses[2] === 200)
  })

  test('values that are not sent, and other answers, take no room', () => {
    const lookup = { value: new Uint8Array(100), partition: 0, offset: 1, timestamp: 1 }
    const headers = new Headers({ 'if-none-match': '*' })
    const unchanged = new ValueAnswer(lookup, lookup.value, { as: 'bytes', isRaw: true, headers })
    const { ask, lookups } = start(1, (count) => (count === 1 ? unchanged : new Response('x'.repeat(100))))
    for (const port of [1, 2, 3]) ask(port)
    expect(lookups()).toBe(3)
  })
})

test.each(transports)(
  '$name each delayed request is answered by its own headers',
  async ({ serveFake, rawRequest }) => {
    await using served = serveFake()
    // Three fill the room for responses. All together stay below what the server holds for slow clients.
    const huge = 'x'.repeat(6_000_000)
    served.store.put('huge', huge)
    const ask = async (headers: string) =>
      await rawRequest(served.server.port, get('huge', `X: 1\r\nX: 2\r\n${headers}`))
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => ask(index % 2 === 0 ? '' : 'If-None-Match: *\r\n')),
    )
    expect(answers.map((answer) => [...statusesIn(answer), answer.length > huge.length])).toEqual(
      answers.map((_, index) => (index % 2 === 0 ? [200, true] : [304, false])),
    )
  },
)
