import { expect, test } from 'bun:test'
import { makeCertificate } from '../support/http/certificate.ts'
import { problemOf } from '../support/http/fake-store.ts'
import { keyIn } from '../support/routing/fake-copies.ts'
import { type Instance, plan, put, startInstance } from '../support/routing/instances.ts'

const own = makeCertificate()
const pair = {
  ...own,
  certPath: 'server.crt',
  keyPath: 'server.key',
  subject: 'localhost',
  validUntil: new Date(Date.now() + 86_400_000),
}
const listen = { tls: pair }

async function lookUp(a: Instance, b: Instance): Promise<Response> {
  plan([a, b], [['b'], ['a'], ['a'], ['a']])
  put([b], keyIn(0), 'value')
  return a.get(keyIn(0))
}

test('instances with TLS believe the certificates of PEER_CA', async () => {
  await using a = startInstance('a', { tls: { ca: own.cert } })
  await using b = startInstance('b', { listen })
  b.url = b.url.replace('127.0.0.1', 'localhost')
  const response = await lookUp(a, b)
  expect([response.status, response.headers.get('x-latchkey-instance')]).toEqual([200, 'b'])
})

test('a certificate that PEER_CA does not have is refused, and named', async () => {
  await using a = startInstance('a', { tls: { ca: makeCertificate().cert } })
  await using b = startInstance('b', { listen })
  const { detail } = await problemOf(await lookUp(a, b))
  expect(detail).toContain('its certificate is not trusted')
  expect(b.store.lookups).toBe(0)
})

test('a certificate of another name is refused, and named', async () => {
  const elsewhere = startInstance('b', { listen: { ...listen, bind: '127.0.0.2' } })
  await using b = elsewhere
  await using a = startInstance('a', { tls: { ca: own.cert } })
  const { detail } = await problemOf(await lookUp(a, b))
  expect(detail).toMatch(/not trusted: .*127\.0\.0\.2/)
})

test('an instance without TLS at an https URL is named', async () => {
  await using a = startInstance('a', { tls: { ca: own.cert } })
  await using b = startInstance('b')
  b.url = b.url.replace('http:', 'https:')
  const { detail } = await problemOf(await lookUp(a, b))
  expect(detail).toContain(`${b.url} (primary): it does not answer in TLS, and its URL is https`)
})
