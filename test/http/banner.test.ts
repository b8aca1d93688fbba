import { describe, expect, test } from 'bun:test'
import { printBanner } from '../../lib/http/banner.ts'

const options = { version: '1.2.3', topic: 'orders-topic', url: 'https://localhost:1', hasToken: false }

describe('printBanner', () => {
  test('what can be opened is printed at once, and a lookup when there is a key', async () => {
    const store = { id: 'orders', state: 'recovering', sampleKey: () => new TextEncoder().encode('a b') }
    const lines: string[] = []
    const end = printBanner(store, options, (line) => lines.push(line))
    expect(lines).toEqual([
      'Latchkey 1.2.3: store orders of topic orders-topic',
      '  https://localhost:1/',
      '  curl https://localhost:1/status-store/orders',
    ])
    store.state = 'running'
    while (lines.length < 4) await Bun.sleep(5)
    expect(lines[3]).toBe("  curl 'https://localhost:1/stores/orders/a%20b'")
    end()
  })

  test('commands take the token from the environment when there is one', () => {
    const store = { id: 'orders', state: 'starting', sampleKey: () => undefined }
    const lines: string[] = []
    printBanner(store, { ...options, hasToken: true }, (line) => lines.push(line))()
    expect(lines[2]).toBe('  curl -H "Authorization: Bearer $SERVER_TOKEN" https://localhost:1/status-store/orders')
  })
})
