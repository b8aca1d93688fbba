import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { readTlsPair, type TlsPair } from '../../lib/config/tls-pair.ts'
import { LatchkeyError } from '../../lib/errors.ts'
import { createRequestHandler } from '../../lib/http/handler.ts'
import { listen } from '../../lib/server/listen.ts'
import { openListener } from '../../lib/server/listener.ts'
import { makeCertificate, writeCertificate } from '../support/http/certificate.ts'
import { FakeStore, serveFake } from '../support/http/fake-store.ts'
import { holdBefore } from '../support/http/held-proxy.ts'
import { rawRequest } from '../support/http/raw-request.ts'
import { modes } from '../support/http/transports.ts'
import { until } from '../support/until.ts'

const request = 'GET /livez HTTP/1.1\r\nHost: a\r\n\r\n'
let root: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'latchkey-listener-'))
})
afterAll(() => rmSync(root, { recursive: true }))

function pairOf(name: string): TlsPair {
  const faults: string[] = []
  const pair = readTlsPair(writeCertificate(mkdtempSync(join(root, 'pair-')), makeCertificate({ name })), faults)
  if (!pair) throw new Error(faults.join())
  return pair
}

/** A connection after its handshake, with any certificate. */
function open(port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => resolve(socket))
    socket.on('error', reject)
  })
}

/** What the server's certificate is about. */
async function subjectAt(port: number): Promise<string | string[] | undefined> {
  const socket = await open(port)
  const name = socket.getPeerCertificate().subject.CN
  socket.destroy()
  return name
}

/** Sends a request on an open connection and gives its answer. */
function ask(socket: TLSSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      if (!chunk.toString().endsWith('alive\n')) return
      socket.off('data', onData)
      resolve(chunk.toString())
    }
    socket.on('data', onData)
    socket.once('close', () => reject(new Error('closed without an answer')))
    socket.write(request)
  })
}

describe.each(modes)('serve with TLS %s', (_mode, hasFastPath) => {
  test('HTTPS is answered, and plain HTTP is not', async () => {
    await using served = serveFake({ hasFastPath, tls: pairOf('localhost') })
    expect(served.url).toStartWith('https://127.0.0.1:')
    const response = await fetch(`${served.url}/livez`, { tls: { rejectUnauthorized: false } })
    expect(await response.text()).toBe('alive\n')
    expect(await rawRequest(served.server.port, request).catch(() => '')).toBe('')
  })

  test('a client that trusts the certificate needs no exception', async () => {
    const tls = pairOf('localhost')
    await using served = serveFake({ hasFastPath, tls })
    expect((await fetch(`${served.url}/livez`, { tls: { ca: tls.cert } })).status).toBe(200)
  })

  test('a version before TLS 1.2 is refused', async () => {
    await using served = serveFake({ hasFastPath, tls: pairOf('localhost') })
    const options = { host: '127.0.0.1', port: served.server.port, rejectUnauthorized: false }
    const refused = await new Promise((resolve) => {
      const socket = connect({ ...options, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }, () => resolve(false))
      socket.on('error', () => resolve(true))
    })
    expect(refused).toBeTrue()
  })

  test('the port is not shared when another has it, with or without TLS', async () => {
    const tls = pairOf('localhost')
    for (const first of [{}, { tls }]) {
      await using served = serveFake({ hasFastPath, ...first })
      for (const second of [{}, { tls }]) {
        const options = { bind: '127.0.0.1', port: served.server.port, hasFastPath, ...second }
        expect(() => listen(createRequestHandler(new FakeStore()), options)).toThrow(LatchkeyError)
      }
      expect((await fetch(`${served.url}/livez`, { tls: { rejectUnauthorized: false } })).status).toBe(200)
    }
  })
})

describe.each(modes)('renewTls %s', (_mode, hasFastPath) => {
  test('new connections have the new certificate when it was renewed, once and again', async () => {
    await using served = serveFake({ hasFastPath, tls: pairOf('first') })
    const { port } = served.server
    expect(await subjectAt(port)).toBe('first')
    for (const name of ['second', 'third', 'fourth']) {
      served.server.renewTls(pairOf(name))
      const subjects = await Promise.all(Array.from({ length: 20 }, () => subjectAt(port)))
      expect(new Set(subjects)).toEqual(new Set([name]))
    }
  })

  test('new connections have the new certificate when several threads have renewed it', async () => {
    const options = { bind: '127.0.0.1', tls: pairOf('first'), requestHandler: () => new Response(), hasFastPath }
    const first = openListener({ ...options, port: 0, sharing: 'first' })
    const other = openListener({ ...options, port: first.port, sharing: 'other' })
    for (const name of ['second', 'third']) {
      for (const listener of [first, other]) listener.renewTls(pairOf(name))
      const subjects = () => Promise.all(Array.from({ length: 20 }, () => subjectAt(first.port)))
      if (hasFastPath) {
        expect(new Set(await subjects())).toEqual(new Set([name]))
      } else {
        // The former servers get connections until they stop, which resets those that they have not accepted.
        const found = async () => new Set(await subjects().catch(() => []))
        await until(`all have ${name}`, async () => (await found()).symmetricDifference(new Set([name])).size === 0)
      }
    }
    await Promise.all([first.stop(0), other.stop(0)])
  })

  test('open connections are answered when the certificate is renewed, however often', async () => {
    await using served = serveFake({ hasFastPath, tls: pairOf('first') })
    const socket = await open(served.server.port)
    for (const name of ['second', 'third', 'fourth']) {
      served.server.renewTls(pairOf(name))
      const answer = await ask(socket)
      if (!hasFastPath) {
        // It is the last one, and the next connection has the new certificate.
        expect(answer).toMatch(/connection: close/i)
        expect(await subjectAt(served.server.port)).toBe(name)
        return
      }
      expect(answer).not.toMatch(/connection: close/i)
    }
    expect(socket.getPeerCertificate().subject.CN).toBe('first')
    socket.destroy()
  })

  test('a handshake under way is completed when the certificate is renewed', async () => {
    await using served = serveFake({ hasFastPath, tls: pairOf('first') })
    const { port } = served.server
    using proxy = await holdBefore(port)
    const opening = open(proxy.port)
    await until('its first bytes are held', () => proxy.held > 0)
    served.server.renewTls(pairOf('second'))
    expect(await subjectAt(port)).toBe('second')
    proxy.release()
    const socket = await opening
    expect(socket.getPeerCertificate().subject.CN).toBe('first')
    expect(await ask(socket)).toStartWith('HTTP/1.1 200 ')
    socket.destroy()
  })

  test('no request is lost when clients connect all the time', async () => {
    await using served = serveFake({ hasFastPath, tls: pairOf('first') })
    const done = new AbortController()
    const answers = [0, 0, 0, 0]
    const clients = answers.map(async (_, client) => {
      while (!done.signal.aborted) {
        const socket = await open(served.server.port)
        await ask(socket)
        answers[client]!++
        socket.destroy()
      }
    })
    for (const name of ['second', 'third', 'fourth']) {
      const before = [...answers]
      served.server.renewTls(pairOf(name))
      await until(`each client has met ${name}`, () => answers.every((count, client) => count >= before[client]! + 5))
    }
    done.abort()
    await Promise.all(clients)
  })

  test('the former certificate stays when Bun does not accept the new one', async () => {
    const first = pairOf('first')
    await using served = serveFake({ hasFastPath, tls: first })
    expect(() => served.server.renewTls({ ...first, key: pairOf('second').key })).toThrow()
    expect(await subjectAt(served.server.port)).toBe('first')
  })

  test('a server without TLS is unchanged', async () => {
    await using served = serveFake({ hasFastPath })
    served.server.renewTls(pairOf('first'))
    for (let count = 0; count < 10; count++) expect(await rawRequest(served.server.port, request)).toEndWith('alive\n')
  })

  test('requests under way on either certificate are answered when it stops', async () => {
    const served = serveFake({ hasFastPath, tls: pairOf('first') })
    const { port } = served.server
    const asked: (() => void)[] = []
    served.store.onFlush = () => new Promise((resolve) => asked.push(() => resolve(1)))
    const flush = () => {
      const options = { method: 'POST', tls: { rejectUnauthorized: false } }
      return fetch(`https://127.0.0.1:${port}/flush-store/orders`, options).then(({ status }) => status)
    }
    const first = flush()
    await until('the first is asked for', () => asked.length === 1)
    served.server.renewTls(pairOf('second'))
    const second = flush()
    await until('the second is asked for', () => asked.length === 2)
    const stopped = served.server.stop(60_000)
    for (const answer of asked) answer()
    expect(await Promise.all([first, second])).toEqual([200, 200])
    await stopped
    await expect(open(port)).rejects.toThrow()
  })
})
