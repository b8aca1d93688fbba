/** Keys, values and headers of records through Kafka, the store and HTTP, as formats have them. */
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { createHandler } from '../../lib/http/handler.ts'
import { Fixture } from '../support/store/fixture.ts'

const proto = {
  format: 'protobuf',
  file: join(import.meta.dir, '../support/format/protobuf/protos/legacy.proto'),
  message: 'legacy.Reading',
} as const
const int64 = { format: 'int64' } as const
const json = { format: 'json' } as const

test('JSON in the topic is stored as a message, and served as Accept asks, after a restart too', async () => {
  await using fixture = await Fixture.create()
  const key = Buffer.alloc(8)
  key.writeBigInt64BE(-7n)
  const headers = { trace: 'a\r\nb', 'Trace-Id': ['1', '2'], other: 'left out' }
  await fixture.produce([
    { key, value: '{"sensor":"a","at":"9007199254740993"}', headers },
    { key: 'no int64', value: '{"sensor":"b","at":1}' },
    { key: Buffer.alloc(7), value: '{"sensor":"b","at":1}' },
    { key: Buffer.alloc(8), value: '{"sensor":"b"' },
  ])
  const settings = { formats: { key: int64, value: json, store: proto }, keepHeaders: ['trace', 'Trace-*'] }
  for (const start of ['first', 'second']) {
    const store = fixture.open(settings)
    await fixture.quiet(store)
    const handler = createHandler(store)
    const ask = async (path: string, accept = '*/*') =>
      handler(new Request(`http://localhost/stores/${store.id}${path}`, { headers: { accept } }))

    const shown = await ask('/-7')
    expect([start, shown.status]).toEqual([start, 200])
    expect(await shown.json()).toMatchObject({ sensor: 'a', at: '9007199254740993' })
    expect(shown.headers.get('x-kafka-header-trace')).toBe('a%0D%0Ab')
    expect(shown.headers.get('x-kafka-header-trace-id')).toBe('1, 2')
    expect(shown.headers.has('x-kafka-header-other')).toBeFalse()
    expect((await (await ask('/-7', 'application/octet-stream')).bytes()).toHex()).toStartWith('0a0161')
    expect((await ask('/-7', 'image/*')).status).toBe(406)
    expect((await ask('/0')).status).toBe(404)
    expect((await ask('/seven')).status).toBe(400)
    expect(store.status().formats).toEqual({ key: 'int64', value: 'protobuf legacy.Reading' })
    await store.close()
  }
})

test('values of another format than configured are reported, with their place', async () => {
  await using fixture = await Fixture.create()
  await fixture.startAndStop()
  await fixture.produce([{ key: 'a', value: 'text' }])
  await fixture.startAndStop()
  const utf8 = { format: 'utf8' } as const
  const store = fixture.open({ formats: { key: utf8, value: int64, store: int64 } })
  await fixture.quiet(store)
  const handler = createHandler(store)
  const response = await handler(new Request(`http://localhost/stores/${store.id}?key=a`))
  expect(response.status).toBe(500)
  expect(await response.json()).toMatchObject({ code: 'value_undecodable', partition: 0, offset: 0 })
})
