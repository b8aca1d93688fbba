import { expect, test } from 'bun:test'
import { keysEach, type LoadForm, requestOf } from './requests.ts'

function asked(form: LoadForm): string {
  let id = 0
  return requestOf({ form, lookupPath: '/stores/orders/', hostname: '127.0.0.1', randomId: () => id++ })
}

test('a single lookup has its key in the path', () => {
  expect(asked('single')).toBe('GET /stores/orders/user-0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
})

test('a token is sent with each request', () => {
  const request = { form: 'single', lookupPath: '/stores/orders/', hostname: '127.0.0.1', randomId: () => 7 } as const
  expect(requestOf({ ...request, token: 'secret' })).toEndWith('\r\nAuthorization: Bearer secret\r\n\r\n')
  expect(requestOf({ ...request, token: '' })).toBe(requestOf(request))
})

test('many keys stand in the query of the collection, each with its name', () => {
  const target = asked('keys').split(' ')[1]!
  const { pathname, searchParams } = new URL(target, 'http://127.0.0.1')
  expect(pathname).toBe('/stores/orders')
  expect(searchParams.getAll('keys')).toEqual(Array.from({ length: keysEach }, (_, id) => `user-${id}`))
})

test('many keys in a body are JSON of the length that the head gives', () => {
  const [head = '', body = ''] = asked('query').split('\r\n\r\n')
  expect(head).toStartWith('QUERY /stores/orders HTTP/1.1\r\n')
  expect(head).toContain('Content-Type: application/json')
  expect(Number(/Content-Length: (\d+)/.exec(head)?.[1])).toBe(body.length)
  expect(JSON.parse(body)).toEqual({ keys: Array.from({ length: keysEach }, (_, id) => `user-${id}`) })
})
