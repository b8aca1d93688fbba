/** All entries as a stream, on each path of a request: whole for clients that read, bounded for those that do not. */
import { describe, expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { type Served, serveFake } from '../support/http/fake-store.ts'
import { exchange, requestPaths } from '../support/http/request-paths.ts'
import { get } from '../support/server/clients.ts'
import { until } from '../support/until.ts'

const head = (headers: string) =>
  `GET /stores/orders HTTP/1.1\r\nHost: a\r\nAccept: application/x-ndjson\r\n${headers}\r\n`

/** Lines of a chunked body. */
function linesOf(answer: string): string[] {
  let rest = answer.slice(answer.indexOf('\r\n\r\n') + 4)
  let body = ''
  for (;;) {
    const lineEnd = rest.indexOf('\r\n')
    const size = Number.parseInt(rest.slice(0, lineEnd), 16)
    if (!(size > 0)) return body.trimEnd().split('\n')
    body += rest.slice(lineEnd + 2, lineEnd + 2 + size)
    rest = rest.slice(lineEnd + 2 + size + 2)
  }
}

const isWhole = (answer: string) => answer.endsWith('0\r\n\r\n')

function fill({ store }: Served, count: number, size: number): void {
  const value = JSON.stringify('x'.repeat(size))
  for (let index = 0; index < count; index++) store.put(`key ${index}`, value, { partition: index % 4 })
}

/** Counts chunks that are read. */
function countChunks({ store }: Served): { count: number } {
  const chunks = { count: 0 }
  store.onRead = () => void chunks.count++
  return chunks
}

describe.each(requestPaths)('$name', (path) => {
  const serve = () => serveFake({ tls: path.tls, hasFastPath: path.hasFastPath })

  test('all entries and their number are sent', async () => {
    await using served = serve()
    fill(served, 3_000, 100)
    const { answers } = await exchange(path, served.server.port, head(path.headers), { isEnd: isWhole })
    expect(answers).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(answers.toLowerCase()).toContain('content-type: application/x-ndjson\r\n')
    const lines = linesOf(answers).map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines.at(-1)).toEqual({ end: true, entries: 3_000 })
    expect(new Set(lines.map(({ key }) => key)).size).toBe(3_001)
    served.store.put('a', 'A')
    const second = await exchange(path, served.server.port, get('a', path.headers), {
      isEnd: (text) => text.endsWith('A'),
    })
    expect(second.answers).toContain('200 OK')
  })

  test('the stream ends without its end when the store stops serving', async () => {
    await using served = serve()
    fill(served, 3_000, 100)
    let chunks = 0
    served.store.onRead = () => {
      if (++chunks > 2) throw new LatchkeyError('replica_recovering', 'Reading store orders: it is filled again')
    }
    const { answers, isClosed } = await exchange(path, served.server.port, head(path.headers))
    expect(isClosed).toBeTrue()
    expect(answers).toContain('"key"')
    expect(answers).not.toContain('"end"')
    expect(isWhole(answers)).toBeFalse()
  })

  test('little is read for a client that reads nothing, and nothing more when it is closed', async () => {
    await using served = serve()
    fill(served, 2_000, 50_000)
    const chunks = countChunks(served)
    const socket = path.openSocket(served.server.port, () => socket.write(head(path.headers)))
    socket.on('error', () => {})
    socket.pause()
    await until('the stream has begun', () => chunks.count > 0)
    let before = -1
    await until('no more is read', async () => {
      const isSame = chunks.count === before
      before = chunks.count
      for (let index = 0; index < 5; index++) await fetch(`${served.url}/livez`, { tls: { rejectUnauthorized: false } })
      return isSame
    })
    const read = chunks.count
    socket.destroy()
    for (let index = 0; index < 10; index++) await fetch(`${served.url}/livez`, { tls: { rejectUnauthorized: false } })
    expect(chunks.count - read).toBeLessThan(3)
    expect(read).toBeLessThan(100)
  })
})
