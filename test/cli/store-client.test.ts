/** A server that does not end its answer: each ends with an error, after a time or a number of bytes. */
import { afterEach, expect, test } from 'bun:test'
import { dump } from '../../lib/cli/dump.ts'
import { get } from '../../lib/cli/get.ts'
import { status } from '../../lib/cli/status.ts'
import { type Patience, StoreClient } from '../../lib/cli/store-client.ts'

const given = {
  words: ['a'],
  prefix: undefined,
  fromStart: false,
  client: { url: '', envFile: undefined, values: new Map() },
}
const commands = {
  get: (client: StoreClient) => get(client, { ...given, json: false }),
  'get --json': (client: StoreClient) => get(client, { ...given, json: true }),
  dump: (client: StoreClient) => dump(client, { ...given, words: [], json: false }),
  status: (client: StoreClient) => status(client, { ...given, words: [], json: false }),
}

const space = new TextEncoder().encode(' ')

let server: Bun.Server<undefined> | undefined

afterEach(() => server?.stop(true))

type Pull = (controller: ReadableStreamDefaultController<Uint8Array>) => void | Promise<void>

/** @param pull makes the body, after its first byte */
function urlOf(pull: Pull, options: ResponseInit = {}): string {
  const body = () => new ReadableStream({ start: (controller) => controller.enqueue(space), pull })
  server = Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout: 0, fetch: () => new Response(body(), options) })
  return `http://127.0.0.1:${server.port}`
}

function clientOf(url: string, patience?: Patience): StoreClient {
  return new StoreClient({ url, storeId: 'orders', token: undefined, certificate: undefined }, patience)
}

const problem = { status: 500, headers: { 'content-type': 'application/problem+json' } }

test.each(Object.keys(commands) as (keyof typeof commands)[])('%s: a head, and then nothing', async (name) => {
  const client = clientOf(
    urlOf(() => new Promise(() => {})),
    { answerMs: 300, silenceMs: 300 },
  )
  const why = name.endsWith('n') || name === 'status' ? 'no answer within 0.3 s' : 'nothing more within 0.3 s'
  await expect(commands[name](client)).rejects.toThrow(why)
})

test.each([
  ['an answer', {}],
  ['an error', problem],
])('%s without an end is not kept', async (_, options) => {
  const piece = new Uint8Array(2 ** 20)
  const client = clientOf(urlOf((controller) => controller.enqueue(piece), options))
  await expect(commands.status(client)).rejects.toThrow('the answer is longer than 67108864 bytes')
})
