/** The stream of events and the token, against a server. */
import { afterEach, expect, test } from 'bun:test'
import { Api } from '../../lib/page/api.ts'
import { PageStatus } from '../../lib/page/status.ts'
import { until } from '../support/until.ts'

let status: PageStatus | undefined
afterEach(() => status?.follow(false))

/** @param events number that a stream has before it ends; forever if undefined */
function serve(events?: number) {
  const asked: string[] = []
  const server = Bun.serve({
    port: 0,
    fetch({ url, headers }) {
      const { pathname } = new URL(url)
      asked.push(pathname)
      if (headers.get('authorization') !== 'Bearer right') {
        return Response.json({ code: 'unauthorized', title: 'Unauthorized', detail: 'no match' }, { status: 401 })
      }
      if (pathname === '/prefix/') return Response.json({ id: 'or ders', state: 'running' })
      const rates = { recordsIn: 1 }
      const text = `event: status\ndata: ${JSON.stringify({ id: 'or ders', history: [rates, rates], rates })}\n\n`
      const body = new ReadableStream({
        start(controller) {
          for (let sent = 0; sent < (events ?? 1); sent++) controller.enqueue(text)
          if (events !== undefined) controller.close()
        },
      })
      return new Response(body)
    },
  })
  const api = new Api(`http://localhost:${server.port}/prefix`)
  status = new PageStatus(api, () => {})
  return { api, status, asked, [Symbol.asyncDispose]: () => server.stop(true) }
}

test('a token is asked for, a wrong one is refused and forgotten, and the right one opens the stream', async () => {
  await using served = serve()
  served.status.follow(true)
  await until('the token is asked for', () => served.status.asks === false)
  served.status.sendToken('wrong')
  await until('it is refused', () => served.status.asks === true)
  expect(served.api.token).toBe('')
  served.status.sendToken('right')
  await until('there is an event', () => served.status.event !== undefined)
  expect([served.status.asks, served.status.lost, served.status.rates.length]).toEqual([undefined, undefined, 3])
  expect(served.asked.at(-1)).toBe('/prefix/status-store/or%20ders/events')
})

test('a stream that ends is opened again, and the loss is shown until then', async () => {
  await using served = serve(1)
  served.status.sendToken('right')
  await until('it is lost', () => served.status.lost !== undefined)
  expect([served.status.lost?.why, served.status.event?.id]).toEqual(['the server has ended the stream', 'or ders'])
  await until('it is opened again', () => served.asked.length >= 4)
})

test('without a server the page says so', async () => {
  const served = serve()
  await served[Symbol.asyncDispose]()
  served.status.follow(true)
  await until('it is lost', () => served.status.lost !== undefined)
  expect(served.status.event).toBeUndefined()
})
