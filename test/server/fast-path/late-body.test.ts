/** Requests that are answered before all of them has come: Bun's server does not wait for a body that no route reads. */
import { describe, expect, test } from 'bun:test'
import type { OpenSocket } from '../../support/http/connect.ts'
import { type Transport, transports } from '../../support/http/transports.ts'
import { flush, get, statusesIn } from '../../support/server/clients.ts'

const host = 'Host: a\r\n'
const post = `POST /flush-store/orders HTTP/1.1\r\n${host}`
const livez = `GET /livez HTTP/1.1\r\n${host}`
const five = 'Content-Length: 5\r\n\r\n'
const interim = 'HTTP/1.1 100 Continue\r\n\r\n'
const odd = get('a', 'X: 1\r\nX: 2\r\n')

interface Steps {
  /** Each is sent when the answers to those before it have come. */
  pieces: readonly string[]
  /** How many each piece is answered with. */
  answers: readonly number[]
  /** After the last piece the client sends no more, though it still reads. */
  ends?: boolean
}

/** Sends one piece after the other, and returns all that is received until the server closes or all is answered. */
function sendInPieces(openSocket: OpenSocket, port: number, { pieces, answers, ends = false }: Steps): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = ''
    let at = 0
    let due = 0
    const socket = openSocket(port, () => next(), { allowHalfOpen: true, noDelay: true })
    const next = () => {
      while (at < pieces.length && completeIn(received) >= due) {
        due += answers[at]!
        socket.write(pieces[at++]!)
        if (at === pieces.length && ends) socket.end()
      }
      if (!ends && at === pieces.length && completeIn(received) >= due) socket.destroy()
    }
    socket.on('data', (chunk) => {
      received = (received + chunk.toString('latin1')).replace(interim, '')
      next()
    })
    socket.on('end', () => socket.destroy())
    socket.on('close', () => resolve(received))
    socket.on('error', reject)
  })
}

/** Answers that are here with their bodies. */
function completeIn(received: string): number {
  let count = 0
  for (let rest = received; ; count++) {
    const headEnd = rest.indexOf('\r\n\r\n')
    if (headEnd < 0) return count
    const length = Number(/^content-length: (\d+)/im.exec(rest.slice(0, headEnd))?.[1] ?? 0)
    if (rest.length < headEnd + 4 + length) return count
    rest = rest.slice(headEnd + 4 + length)
  }
}

async function exchange({ serveFake, openSocket }: Transport, steps: Steps): Promise<string> {
  await using served = serveFake()
  served.store.put('a', '<A>')
  return await sendInPieces(openSocket, served.server.port, steps)
}

describe.each(transports)('$name', (transport) => {
  const statusesOf = async (steps: Steps) => statusesIn(await exchange(transport, steps))

  describe('a request is answered', () => {
    test.each([
      ['a flush', post + five, 200],
      ['an unknown store to flush', (post + five).replace('orders', 'none'), 404],
      ['livez', livez + five, 200],
      ['a lookup', get('a').slice(0, -2) + five, 200],
      ['a lookup that expects to be asked for it', get('a', 'Expect: 100-continue\r\n').slice(0, -2) + five, 200],
      ['a lookup of nothing', get('none').slice(0, -2) + five, 404],
    ])('when it follows the body of %s, which came after its answer', async (_, head, status) => {
      for (const upstream of [get('a'), odd, flush]) {
        expect(await statusesOf({ pieces: [head, 'hello', upstream], answers: [1, 0, 1] })).toEqual([status, 200])
        expect(await statusesOf({ pieces: [head, `hello${upstream}`], answers: [1, 1] })).toEqual([status, 200])
        expect(await statusesOf({ pieces: [`${head}he`, `llo${upstream}`], answers: [1, 1] })).toEqual([status, 200])
      }
    })

    test('when a body looks like a request, and more of them come late', async () => {
      const body = get('b')
      const late = `${post}Content-Length: ${body.length}\r\n\r\n`
      const pieces = [late, body + late, body + get('a') + late, body + odd]
      expect(await statusesOf({ pieces, answers: [1, 1, 2, 1] })).toEqual([200, 200, 200, 200, 200])
    })

    test('when lengths begin with zeros', async () => {
      const zeros = `${post}Content-Length: 0000000000000005\r\n\r\nhello`
      const pieces = [zeros, get('a'), zeros, odd, flush]
      expect(await statusesOf({ pieces, answers: [1, 1, 1, 1, 1] })).toEqual([200, 200, 200, 200, 200])
    })

    test('when hundreds are pipelined after a body that came late', async () => {
      const pieces = [post + five, `hello${(get('a') + odd).repeat(200)}`]
      expect(await statusesOf({ pieces, answers: [1, 400] })).toEqual(Array.from({ length: 401 }, () => 200))
    })
  })

  describe('a client that sends no more', () => {
    test.each([
      ['with the rest of a body', ['hello'], [200]],
      ['with a request after it', [`hello${get('a')}`], [200, 200]],
      ['with a request after it that is forwarded', [`hello${odd}`], [200, 200]],
      ['with a part of the body', ['hel'], [200]],
      ['before the body', [], [200]],
    ])('%s has its answers, and the connection ends', async (_, rest, statuses) => {
      const pieces = [post + five, ...rest]
      expect(await statusesOf({ pieces, answers: [1, statuses.length - 1], ends: true })).toEqual(statuses)
    })
  })

  test.each([
    ['chunks', 'Transfer-Encoding: chunked\r\n\r\n', '5\r\nhello\r\n0\r\n\r\n'],
    ['a body and the wish to close', `Connection: close\r\n${five}`, 'hello'],
  ])('the connection ends with an answer that announces it when %s come late', async (_, headers, body) => {
    const steps = { pieces: [post + headers, body, get('a'), get('a')], answers: [1, 1, 1, 1] }
    const answers = await exchange(transport, steps)
    expect(statusesIn(answers)).toEqual([200])
    expect(answers).toMatch(/^connection: close\r$/im)
  })
})
