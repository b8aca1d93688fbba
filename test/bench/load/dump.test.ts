import { expect, test } from 'bun:test'
import { dumpOn, dumpOnce, endOfDump } from './dump.ts'

const entries = '{"key":"a","value":1}\n{"key":"b","value":2}\n'
const end = '{"end":true,"entries":2}\n'

/** Every request gets the same lines, in pieces that end anywhere. */
function serving(lines: string) {
  const pieces = lines.match(/[^]{1,10}/g) ?? []
  const body = () =>
    new ReadableStream({
      start(stream) {
        for (const piece of pieces) stream.enqueue(new TextEncoder().encode(piece))
        stream.close()
      },
    })
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response(body()) })
  return { url: server.url.href, [Symbol.asyncDispose]: () => server.stop(true) }
}

test('the last line of a whole dump names its entries; an entry that looks like it does not end one', () => {
  expect(endOfDump(entries + end)).toBe(2)
  expect(endOfDump('{"end":true,"entries":0}\n')).toBe(0)
  expect(endOfDump(entries)).toBeUndefined()
  expect(endOfDump(entries + end.slice(0, -1))).toBeUndefined()
  expect(endOfDump(`{"key":${end}`)).toBeUndefined()
})

test('a whole dump counts its entries without its end line', async () => {
  await using server = serving(entries + end)
  expect(await dumpOnce(server.url)).toEqual({ dumps: 1, entries: 2 })
})

test('a dump that is cut off or lacks entries is a failure', async () => {
  await using cut = serving(entries)
  await expect(dumpOnce(cut.url)).rejects.toThrow('its end names undefined')
  await using short = serving('{"key":"a","value":1}\n{"end":true,"entries":2}\n')
  await expect(dumpOnce(short.url)).rejects.toThrow('2 lines, its end names 2')
})

test('dumps follow one another in a separate process until they are ended', async () => {
  const asked = Promise.withResolvers<void>()
  let requests = 0
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch() {
      if (++requests === 3) asked.resolve()
      return new Response(entries + end)
    },
  })
  const dumping = dumpOn(server.url.origin, '/stores/orders')
  await asked.promise
  const found = await dumping.end()
  expect(found.dumps).toBeGreaterThanOrEqual(2)
  expect(found.entries).toBeGreaterThanOrEqual(found.dumps * 2)
  await server.stop(true)
})
