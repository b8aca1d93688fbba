import { describe, expect, test } from 'bun:test'
import { serveFake } from '../support/http/fake-store.ts'
import { exchange, requestPaths } from '../support/http/request-paths.ts'
import { get, statusesIn } from '../support/server/clients.ts'

const a = 'https://a.example'

describe.each(requestPaths)('CORS_ORIGINS $name', (path) => {
  const serve = (corsOrigins?: readonly string[]) =>
    serveFake({ tls: path.tls, hasFastPath: path.hasFastPath, corsOrigins, token: undefined })

  /** Head of the response in lower case. */
  async function headOf(port: number, request: string): Promise<string> {
    const { answers } = await exchange(path, port, request, { isEnd: (text) => text.includes('\r\n\r\n') })
    return answers.slice(0, answers.indexOf('\r\n\r\n') + 2).toLowerCase()
  }

  const targets = ['a', 'none'].map((key) => get(key, `Origin: ${a}\r\n${path.headers}`))
  const collection = (query: string, headers = '') =>
    `GET /stores/orders${query} HTTP/1.1\r\nHost: a\r\nOrigin: ${a}\r\n${headers}${path.headers}\r\n`
  targets.push(collection('?keys=a'), collection('?count'), collection('', 'Accept: application/x-ndjson\r\n'))
  targets.push(collection('').replace('/stores/', '/changes/'))

  test.each(targets.map((target) => [target.slice(0, target.indexOf(' HTTP')), target]))(
    'a page of a listed origin may read %s, and one of another may not',
    async (_, request) => {
      await using served = serve(['https://b.example', a])
      served.store.put('a', 'A')
      const { port } = served.server
      const head = await headOf(port, request)
      expect(head).toContain(`\r\naccess-control-allow-origin: ${a}\r\n`)
      expect(head).toContain('\r\naccess-control-expose-headers: *\r\n')
      expect(head).toMatch(/\r\nvary: (accept, )?origin\r\n/)
      for (const other of ['https://c.example', 'null', 'https://a.example:8080']) {
        const refused = await headOf(port, request.replace(a, other))
        expect(refused).not.toContain('access-control')
        expect(refused).toMatch(/\r\nvary: (accept, )?origin\r\n/)
      }
    },
  )

  test('every page may read when all may, and none without origins', async () => {
    await using all = serve(['*'])
    await using none = serve()
    for (const request of targets) {
      const head = await headOf(all.server.port, request)
      expect(head).toContain('\r\naccess-control-allow-origin: *\r\n')
      expect(head).not.toMatch(/\r\nvary: .*origin/)
      expect(await headOf(none.server.port, request)).not.toContain('access-control')
    }
  })

  test('a preflight needs no token, and the request after it does', async () => {
    await using served = serveFake({
      tls: path.tls,
      hasFastPath: path.hasFastPath,
      corsOrigins: [a],
      token: 'secret-secret-secret',
    })
    const { port } = served.server
    const preflight = (origin: string) =>
      `OPTIONS /stores/orders HTTP/1.1\r\nHost: a\r\nOrigin: ${origin}\r\nAccess-Control-Request-Method: QUERY\r\n\r\n`
    const head = await headOf(port, preflight(a))
    expect(statusesIn(head.toUpperCase())).toEqual([204])
    expect(head).toContain('access-control-allow-methods: get, head, query, post\r\n')
    expect(head).toContain('access-control-allow-headers: accept, authorization, content-type, if-none-match,')
    expect(head).toContain(`access-control-allow-origin: ${a}\r\n`)
    const other = await headOf(port, preflight('https://c.example'))
    expect(statusesIn(other.toUpperCase())).toEqual([401])
    expect(other).not.toContain('access-control')
    const refused = await headOf(port, targets[0]!)
    expect(statusesIn(refused.toUpperCase())).toEqual([401])
    expect(refused).toContain(`access-control-allow-origin: ${a}\r\n`)
  })
})
