/** Every example of the document, sent to a store whose entries are in a real map. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { createHandler, createRequestHandler, observe } from '../../../lib/http/handler.ts'
import { type HttpServer, listen } from '../../../lib/server/listen.ts'
import { groupOf } from '../../support/group/group-status.ts'
import { EventStream } from '../../support/http/event-stream.ts'
import { type Example, examples, openapi, strictValidator } from '../../support/http/openapi.ts'
import { type MapStore, openMapStore } from '../../support/store/map-store.ts'

const entries = {
  10_002: '{"id":"10002","status":"delivered"}',
  10_003: '{"status":"paid"}',
  10_004: '7',
  other: 'no JSON',
}
const faultsOf = strictValidator()
let opened: MapStore
const servers: HttpServer[] = []
const sends: Record<string, (request: Request) => Promise<Response> | Response> = {}

beforeAll(async () => {
  opened = await openMapStore(4, [{ primaries: [0, 1, 2, 3] }])
  const { store } = opened
  const status = store.status.bind(store)
  store.status = () => ({ ...status(), group: groupOf() })
  for (const [key, value] of Object.entries(entries)) opened.put(store.partitionOf(Buffer.from(key)), key, value, 0)
  await opened.publish()
  opened.threads[0]!.post({ type: 'caught-up' })
  for (const hasFastPath of [true, false]) {
    const server = listen(createRequestHandler(store, {}, observe(store, '1.2.3')), {
      bind: '127.0.0.1',
      port: 0,
      storeId: store.id,
      hasFastPath,
    })
    servers.push(server)
    sends[hasFastPath ? 'the fast path' : "Bun's server"] = async (request) => {
      const { pathname, search } = new URL(request.url)
      return fetch(`${server.url}${pathname}${search}`, request)
    }
  }
  sends['serve()'] = createHandler(store)
})

/** A flush sets it back, since no source was read. */
beforeEach(() => opened.threads[0]!.stats.setGauge(0, 'visible', 1))

afterAll(async () => {
  for (const server of servers) await server.stop(0)
  await opened.store.close()
})

describe.each(['the fast path', "Bun's server", 'serve()'])('by %s', (name) => {
  test.each(examples.map((example) => [example.title, example] as const))('%s', async (_, example) => {
    const { method, target, headers, body, status, mediaType, media } = example
    const abort = new AbortController()
    const request = new Request(`http://localhost${target}`, {
      method,
      headers,
      ...(body && { body }),
      signal: abort.signal,
    })
    const response = await sends[name]!(request)
    expect([response.status, response.headers.get('content-type')?.split(';')[0]]).toEqual([status, mediaType])
    const isStream = target.startsWith('/changes/') || mediaType === 'text/event-stream'
    const text = isStream ? await beginning(response) : await response.text()
    abort.abort()
    checkBody(media, mediaType, text)
  })
})

test.each(examples.map((example) => [example.title, example] as const))(
  'the answer shown fits its schema: %s',
  (_, example) => {
    const { media, mediaType, value } = example
    checkBody(
      media,
      mediaType,
      mediaType.endsWith('json') && !mediaType.endsWith('ndjson') ? JSON.stringify(value) : String(value),
    )
  },
)

/** Checks a body against the schema of its media type; lines and events one by one. */
function checkBody({ schema, 'x-itemSchema': item }: Example['media'], mediaType: string, text: string): void {
  if (mediaType === 'application/x-ndjson') {
    const objects = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(objects.length).toBeGreaterThan(0)
    for (const object of objects) expect(faultsOf(item!, object)).toEqual([])
  } else if (mediaType === 'text/event-stream') {
    const stream = new EventStream()
    stream.add(text)
    expect(stream.events.length).toBeGreaterThan(0)
    for (const { type, data, id } of stream.events) {
      expect(faultsOf(item!, { event: type, data, id })).toEqual([])
      const content = JSON.parse(data) as object
      const { schemas } = openapi.components
      const isStatus = Object.values(item!).some((reference) => String(reference).endsWith('/StatusServerEvent'))
      const faults = isStatus
        ? faultsOf(schemas['StatusEvent']!, content)
        : faultsOf(schemas['ChangeLine']!, { type, ...content })
      expect(faults).toEqual([])
    }
  } else {
    const isJson = mediaType.endsWith('json')
    expect(faultsOf(schema, isJson ? JSON.parse(text) : text)).toEqual([])
  }
}

/** Reads a stream that does not end: until a place follows its first entries, or a status has come. */
async function beginning(response: Response): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body!) {
    text += decoder.decode(chunk, { stream: true })
    if (/"type":"place"|^id: 1~|^event: status\n.*\n\n/m.test(text)) return text.slice(0, text.lastIndexOf('\n') + 1)
  }
  throw new Error(`the stream ended: ${text}`)
}
