/** Many keys, pages, a stream and counts through Kafka, two store threads and HTTP. */
import { expect, test } from 'bun:test'
import { createRequestHandler } from '../../lib/http/handler.ts'
import { listen } from '../../lib/server/listen.ts'
import { Fixture } from '../support/store/fixture.ts'

interface Entry {
  key: string
  value: { n: number }
  partition: number
  offset: number
  headers?: { name: string; value: string }[]
}

test('what is in the topic is answered in each form, with its origin', async () => {
  await using fixture = await Fixture.create({ partitions: 4 })
  const keys = Array.from({ length: 2_000 }, (_, index) => `order ${index}`)
  await fixture.produce(
    keys.map((key, n) => ({ key, value: JSON.stringify({ n }, null, 1), partition: n % 4, headers: { trace: key } })),
  )
  await fixture.produce([{ key: 'order 7', value: null, partition: 3 }])
  const store = fixture.open({ storeThreads: 2, keepHeaders: ['trace'] })
  await fixture.quiet(store)
  const server = listen(createRequestHandler(store), { bind: '127.0.0.1', port: 0 })
  try {
    const url = `${server.url}/stores/${store.id}`
    const body = JSON.stringify({ keys: ['order 1', 'order 7', 'order 1999'] })
    const type = { 'content-type': 'application/json' }
    const many = (await (await fetch(url, { method: 'POST', body, headers: type })).json()) as {
      epoch: number
      entries: Entry[]
      missing: unknown[]
    }
    expect(many.epoch).toBeGreaterThan(0)
    expect(many.entries.map(({ key, value, headers }) => ({ key, value, headers }))).toEqual(
      [1, 1_999].map((n) => ({ key: `order ${n}`, value: { n }, headers: [{ name: 'trace', value: `order ${n}` }] })),
    )
    expect(many.missing).toEqual([{ key: 'order 7', code: 'key_not_found', caughtUp: true }])

    const present = keys.filter((key) => key !== 'order 7').toSorted()
    const walked: Entry[] = []
    for (let next: string | undefined = `/stores/${store.id}?limit=300`; next !== undefined;) {
      const page = (await (await fetch(server.url + next)).json()) as { entries: Entry[]; next?: string }
      walked.push(...page.entries)
      ;({ next } = page)
    }
    expect(walked.map(({ key }) => key).toSorted()).toEqual(present)
    expect(new Set(walked.map(({ partition }) => partition)).size).toBe(4)

    const dump = await (await fetch(url, { headers: { accept: 'application/x-ndjson' } })).text()
    const lines = dump.trimEnd().split('\n')
    expect(JSON.parse(lines.pop()!)).toEqual({ end: true, entries: 1_999 })
    expect(lines.map((line) => (JSON.parse(line) as Entry).key).toSorted()).toEqual(present)

    expect(await (await fetch(`${url}?count`)).json()).toMatchObject({ count: 1_999 })
    expect(await (await fetch(`${url}?count&prefix=order+19`)).json()).toMatchObject({ count: 111 })
  } finally {
    await server.stop(0)
  }
})
