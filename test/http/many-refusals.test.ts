/** Requests for many keys that are refused: each by its own sentence, with the bound that it exceeds. */
import { describe, expect, test } from 'bun:test'
import { problemOf, serveFake } from '../support/http/fake-store.ts'
import { modes } from '../support/http/transports.ts'

const json = { 'content-type': 'application/json' }
const utf8 = (text: string) => new TextEncoder().encode(text)

describe.each(modes)('many keys %s', (_, hasFastPath) => {
  const serve = () => serveFake({ hasFastPath })

  const send = (url: string, method: string, body: unknown) =>
    fetch(`${url}/stores/orders`, { method, body: JSON.stringify(body), headers: json })

  const missingOf = async (response: Response) => ((await response.json()) as { missing: unknown[] }).missing

  /** Bun's server alone refuses a body without a problem. */
  async function expectTooLarge(response: Response): Promise<void> {
    expect(response.status).toBe(413)
    if (!hasFastPath) return
    expect(await problemOf(response)).toMatchObject({
      code: 'body_too_large',
      detail: expect.stringContaining('1048576 bytes'),
    })
  }

  test.each([
    ['?keys=a&x=1', 'invalid_parameter', 'there is no parameter "x"'],
    ['?keys=a&key=b', 'invalid_parameter', 'key and keys, which exclude each other'],
    ['?keys=a&keysx=b', 'invalid_parameter', 'there is no parameter "keysx"'],
    ['?keys=a&key', 'invalid_parameter', 'key and keys, which exclude each other'],
    ['?keys=a&&keys=b', 'invalid_parameter', 'there is no parameter ""'],
    ['?keys=a&', 'invalid_parameter', 'there is no parameter ""'],
    ['?keys=a&=b', 'invalid_parameter', 'there is no parameter ""'],
    ['?keys=a&max-lag=1&max-lag=2', 'invalid_parameter', 'max-lag more than once'],
    ['?keys=a&max-lag=x', 'invalid_parameter', 'max-lag is not a whole number'],
    ['?keys=%zz', 'invalid_key', 'two hexadecimal digits'],
  ])('400 is answered when the query is %p', async (query, code, detail) => {
    await using served = serve()
    const problem = await problemOf(await fetch(`${served.url}/stores/orders${query}`))
    expect(problem).toMatchObject({ status: 400, code, detail: expect.stringContaining(detail) })
  })

  test.each([
    ['', 'malformed_request', 'it is not JSON'],
    ['{"keys":', 'malformed_request', 'it is not JSON'],
    ['['.repeat(500_000), 'malformed_request', 'it is not JSON'],
    ['["a"]', 'invalid_parameter', 'it is not an object'],
    ['{}', 'invalid_parameter', 'its keys are not a list'],
    ['{"keys":"a"}', 'invalid_parameter', 'its keys are not a list'],
    ['{"keys":[],"limit":1}', 'invalid_parameter', 'no member "limit"'],
    ['{"keys":["a",7]}', 'invalid_parameter', 'key 1 of the list is neither'],
    ['{"keys":[{"base64":"?"}]}', 'invalid_parameter', 'key 0 of the list is neither'],
    ['{"keys":[{"base64":"","a":1}]}', 'invalid_parameter', 'key 0 of the list is neither'],
    ['{"keys":["\\ud800"]}', 'invalid_parameter', 'half of a surrogate pair'],
  ])('400 is answered when the body is %.30p', async (body, code, detail) => {
    await using served = serve()
    const response = await fetch(`${served.url}/stores/orders`, { method: 'POST', body, headers: json })
    expect(await problemOf(response)).toMatchObject({ status: 400, code, detail: expect.stringContaining(detail) })
  })

  test('bounds are named when a request exceeds them', async () => {
    await using served = serve()
    const most = await send(served.url, 'POST', { keys: Array.from({ length: 10_000 }, () => '') })
    expect(await missingOf(most)).toHaveLength(10_000)
    const keys = await problemOf(await send(served.url, 'POST', { keys: Array.from({ length: 10_001 }, () => '') }))
    expect(keys).toMatchObject({ status: 413, code: 'too_many_keys', keysMax: 10_000 })
    const fits = await send(served.url, 'POST', { keys: ['x'.repeat(1_048_576 - 13)] })
    expect(await missingOf(fits)).toHaveLength(1)
    await expectTooLarge(await send(served.url, 'POST', { keys: ['x'.repeat(1_048_576 - 12)] }))
  })

  test('a body in chunks is read within the same bounds', async () => {
    await using served = serve()
    served.store.put('a', '1')
    const chunked = (text: string, times: number) => {
      const body = new ReadableStream({
        async pull(controller) {
          if (times-- === 0) controller.close()
          else controller.enqueue(utf8(text))
        },
      })
      return fetch(`${served.url}/stores/orders`, { method: 'POST', body, headers: json })
    }
    expect(await missingOf(await chunked('{"keys":["a"]}', 1))).toEqual([])
    await expectTooLarge(await chunked(' '.repeat(65_536), 17))
  })

  test.each([undefined, 'text/plain', 'application/x-www-form-urlencoded', 'application/jsonp'])(
    '415 is answered when the Content-Type is %p',
    async (type) => {
      await using served = serve()
      const body = utf8('{"keys":[]}')
      const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type }
      const response = await fetch(`${served.url}/stores/orders`, { method: 'POST', body, headers })
      expect(response.headers.get('accept-query')).toBe('application/json')
      expect(await problemOf(response)).toMatchObject({ status: 415, code: 'unsupported_media_type' })
    },
  )

  test('406 and 405 name what there is', async () => {
    await using served = serve()
    const url = `${served.url}/stores/orders`
    const accept = await fetch(`${url}?keys=a`, { headers: { accept: 'text/html' } })
    expect(await problemOf(accept)).toMatchObject({
      status: 406,
      acceptable: ['application/json', 'application/x-ndjson'],
    })
    const method = await fetch(url, { method: 'DELETE' })
    expect([method.headers.get('allow'), method.headers.get('accept-query')]).toEqual([
      'GET, HEAD, QUERY, POST',
      'application/json',
    ])
    expect(await problemOf(method)).toMatchObject({ status: 405 })
    expect(await problemOf(await fetch(`${served.url}/stores/other`, { method: 'POST' }))).toMatchObject({
      status: 404,
    })
  })
})
