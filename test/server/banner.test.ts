import { describe, expect, test } from 'bun:test'
import { definitionOfFormats } from '../../lib/definition/index.ts'
import { presentationOf } from '../../lib/definition/presentation.ts'
import { printBanner } from '../../lib/server/banner.ts'
import { until } from '../support/until.ts'

const options = { version: '1.2.3', topic: 'orders-topic', url: 'https://localhost:1', hasToken: false }

describe('printBanner', () => {
  test('URLs are printed at once, and a lookup when there is a key', async () => {
    const sampleKey = () => new TextEncoder().encode('a b')
    const store = { id: 'orders', state: 'recovering', presentation: presentationOf(undefined), sampleKey }
    const lines: string[] = []
    const end = printBanner(store, options, (line) => lines.push(line))
    expect(lines).toEqual([
      'Latchkey 1.2.3: store orders of topic orders-topic',
      '  https://localhost:1/',
      "  curl 'https://localhost:1/status-store/orders?pretty'",
    ])
    store.state = 'running'
    await until('a lookup is printed', () => lines.length === 4)
    expect(lines[3]).toBe("  curl 'https://localhost:1/stores/orders/a%20b'")
    end()
  })

  test.each([
    ['int64', '0000000000000007', '7'],
    ['json', Buffer.from('{"id":7}').toString('hex'), '%7B%22id%22%3A7%7D'],
  ] as const)('the lookup has the key as text when it is %s', async (format, hex, encoded) => {
    const raw = { format: 'raw' } as const
    const presentation = presentationOf(definitionOfFormats({ key: { format }, value: raw, store: raw }))
    const store = { id: 'orders', state: 'running', presentation, sampleKey: () => Uint8Array.fromHex(hex) }
    const lines: string[] = []
    const end = printBanner(store, options, (line) => lines.push(line))
    await until('a lookup is printed', () => lines.length === 4)
    expect(lines[3]).toBe(`  curl 'https://localhost:1/stores/orders/${encoded}'`)
    end()
  })

  test.each([
    [{ url: 'http://localhost:8080' }, '  redis-cli -p 6379 scan 0'],
    [{ url: 'http://127.0.0.1:8080' }, '  redis-cli -h 127.0.0.1 -p 6379 scan 0'],
    [{ url: 'http://[::1]:8080' }, '  redis-cli -h ::1 -p 6379 scan 0'],
    [
      { url: 'https://localhost:8080', hasToken: true },
      '  REDISCLI_AUTH="$SERVER_TOKEN" redis-cli -p 6379 --tls scan 0',
    ],
  ])('a command for Redis clients is printed when there is a port for them: %j', (given, line) => {
    const store = {
      id: 'orders',
      state: 'starting',
      presentation: presentationOf(undefined),
      sampleKey: () => undefined,
    }
    const lines: string[] = []
    printBanner(store, { ...options, ...given, respPort: 6379 }, (printed) => lines.push(printed))()
    expect(lines.at(-1)).toBe(line)
  })

  test('no lookup is printed when the key does not fit its format', async () => {
    const asked = Promise.withResolvers<void>()
    const keyText = () => {
      asked.resolve()
      throw new Error('4 bytes found, where 8 are expected')
    }
    const store = { id: 'orders', state: 'running', presentation: { keyText }, sampleKey: () => new Uint8Array(4) }
    const lines: string[] = []
    const end = printBanner(store, options, (line) => lines.push(line))
    await asked.promise
    await Bun.sleep(0)
    expect(lines.length).toBe(3)
    end()
  })

  test('commands take the token from the environment when there is one', () => {
    const presentation = presentationOf(undefined)
    const store = { id: 'orders', state: 'starting', presentation, sampleKey: () => undefined }
    const lines: string[] = []
    printBanner(store, { ...options, hasToken: true }, (line) => lines.push(line))()
    expect(lines[2]).toBe(
      `  curl -H "Authorization: Bearer $SERVER_TOKEN" 'https://localhost:1/status-store/orders?pretty'`,
    )
  })

  test('the place of the token is printed when a shell does not know it, and the token is not shown', () => {
    const presentation = presentationOf(undefined)
    const store = { id: 'orders', state: 'starting', presentation, sampleKey: () => undefined }
    const lines: string[] = []
    printBanner(store, { ...options, hasToken: true, tokenPlace: { where: '/srv/.env', isFile: false } }, (line) =>
      lines.push(line),
    )()
    expect(lines.slice(2)).toEqual([
      '  Set SERVER_TOKEN in your shell first; its value is that of /srv/.env',
      `  curl -H "Authorization: Bearer $SERVER_TOKEN" 'https://localhost:1/status-store/orders?pretty'`,
    ])
  })

  test('commands take the token from its file when it is in one', () => {
    const store = {
      id: 'orders',
      state: 'starting',
      presentation: presentationOf(undefined),
      sampleKey: () => undefined,
    }
    const lines: string[] = []
    printBanner(store, { ...options, hasToken: true, tokenPlace: { where: "/run/it's", isFile: true } }, (line) =>
      lines.push(line),
    )()
    expect(lines[2]).toBe(
      `  curl -H "Authorization: Bearer $(cat '/run/it'\\''s')" 'https://localhost:1/status-store/orders?pretty'`,
    )
  })
})
