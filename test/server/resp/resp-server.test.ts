import { describe, expect, test } from 'bun:test'
import type { Socket } from 'node:net'
import type { TlsPair } from '../../../lib/config/tls-pair.ts'
import { createRequestHandler } from '../../../lib/http/handler.ts'
import { RespContext } from '../../../lib/resp/index.ts'
import { listen } from '../../../lib/server/listen.ts'
import { makeCertificate } from '../../support/http/certificate.ts'
import { openPlainSocket, type OpenSocket, openTlsSocket } from '../../support/http/connect.ts'
import { rawRequest } from '../../support/http/raw-request.ts'
import { linesAt } from '../../support/log/lines.ts'
import { freePorts, isFree } from '../../support/process/ports.ts'
import { Random } from '../../support/random.ts'
import { mutate } from '../../support/resp/mutated-frames.ts'
import { command, repliesIn } from '../../support/resp/replies.ts'
import { serveResp } from '../../support/resp/serve-resp.ts'
import { open, sendAndEnd } from '../../support/server/clients.ts'
import { soon, until } from '../../support/until.ts'

const pong = '+PONG\r\n'

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('close', () => resolve())
    socket.on('error', () => {})
    socket.resume()
  })
}

async function ask(port: number, text: string, openSocket: OpenSocket = openPlainSocket): Promise<string> {
  return rawRequest(port, text, (answer) => answer.endsWith('\r\n'), openSocket)
}

test('commands are answered, arrays and inline, over one connection', async () => {
  await using served = serveResp()
  served.store.put('a', 'one')
  const commands = Buffer.concat([Buffer.from('GET a\r\n'), command('MGET', 'a', 'b'), command('PING')])
  expect(await sendAndEnd(served.port, commands.toString())).toBe(`$3\r\none\r\n*2\r\n$3\r\none\r\n$-1\r\n${pong}`)
})

test('clients beyond the maximum get an error, HTTP and Redis counted together', async () => {
  await using served = serveResp({ connectionsMax: 3 })
  const held = [await open(served.server.port), await open(served.port), await open(served.port)]
  await until('all are counted', () => served.stats.connections === 2)
  expect(await ask(served.port, 'PING\r\n')).toBe('-ERR max number of clients reached\r\n')
  held[0]!.destroy()
  await until('there is room', async () => (await ask(served.port, 'PING\r\n')) === pong)
  for (const socket of held) socket.destroy()
  await until('all have left', () => served.stats.connections === 0)
})

test('the error names the setting of the port when it is in use, and nothing is left listening', async () => {
  await using served = serveResp()
  const { port } = served
  const context = new RespContext(served.store, served.stats)
  const free = (await freePorts(1))[0]!
  const options = { bind: '127.0.0.1', port: free, resp: { port, context } }
  expect(() => listen(createRequestHandler(served.store), options)).toThrow(
    `Listening at 127.0.0.1 port ${port}: the port is in use; stop what listens there, or choose another RESP_PORT`,
  )
  await until('the port of HTTP is free', () => isFree(free))
})

describe('when the server stops', () => {
  test('a command in progress is answered, and idle connections end', async () => {
    const served = serveResp()
    served.store.put('a', 'one')
    const { onGet } = served.store
    const asked = Promise.withResolvers<void>()
    const answered = Promise.withResolvers<void>()
    served.store.onGet = async (key) => {
      asked.resolve()
      await answered.promise
      return onGet(key)
    }
    const idle = closed(await open(served.port))
    const reply = sendAndEnd(served.port, 'GET a\r\n')
    await asked.promise
    const stopped = served.server.stop(10_000)
    await soon('idle connections end', idle)
    answered.resolve()
    expect(await reply).toBe('$3\r\none\r\n')
    await soon('the server stops', stopped)
    expect(served.stats.connections).toBe(0)
  })

  test('a client that takes nothing does not hold it up', async () => {
    const served = serveResp()
    served.store.put('large', 'x'.repeat(1_000_000))
    const socket = await open(served.port)
    socket.pause()
    socket.write('GET large\r\n'.repeat(100))
    await until('it is answered', () => served.stats.lookups('found') > 0)
    await soon('the server stops', served.server.stop(100))
    socket.destroy()
  })
})

describe('with TLS', () => {
  const pairOf = (name: string): TlsPair => {
    const paths = { certPath: 'cert.pem', keyPath: 'key.pem' }
    return { ...makeCertificate({ name }), ...paths, subject: name, validUntil: new Date() }
  }

  test('commands are answered, and plain ones are not', async () => {
    await using served = serveResp({ tls: pairOf('localhost') })
    expect(await ask(served.port, 'PING\r\n', openTlsSocket)).toBe(pong)
    expect(await rawRequest(served.port, 'PING\r\n', () => false).catch(() => '')).not.toContain('PONG')
  })

  test('new connections get a renewed certificate, and open ones stay', async () => {
    await using served = serveResp({ tls: pairOf('localhost') })
    const socket = await open(served.port, openTlsSocket)
    served.server.renewTls(pairOf('renewed'))
    const later = await open(served.port, openTlsSocket)
    expect(
      (later as unknown as { getPeerCertificate(): { subject: { CN: string } } }).getPeerCertificate().subject.CN,
    ).toBe('renewed')
    const reply = Promise.withResolvers<string>()
    socket.on('data', (bytes) => reply.resolve(bytes.toString()))
    socket.write('PING\r\n')
    expect(await soon('a reply', reply.promise)).toBe(pong)
    socket.destroy()
    later.destroy()
  })
})

test('mutated frames get whole replies or an end, and disturb no other client', async () => {
  await using served = serveResp()
  served.store.put('key:000000000001', 'one')
  const random = Random.of('mutated frames over sockets')
  for (let round = 0; round < 20; round++) {
    const frames = Array.from({ length: 20 }, () => mutate(random))
    const changes = setInterval(() => served.store.change('a', 'x'))
    const answers = await Promise.all(
      frames.map((frame) => sendAndEnd(served.port, frame.toString('latin1')).catch(() => '')),
    )
    clearInterval(changes)
    for (const answer of answers) expect(repliesIn(Buffer.from(answer, 'latin1')).rest).toBe(0)
  }
  await until('all are closed', () => served.stats.connections === 0)
  const { subscriptions, trackedKeys, trackingClients } = served.stats
  expect([subscriptions, trackedKeys, trackingClients, served.store.changes.watches]).toEqual([0, 0, 0, 0])
  expect(await ask(served.port, 'GET key:000000000001\r\n')).toBe('$3\r\none\r\n')
})

test('clients that vanish leave nothing', async () => {
  await using served = serveResp()
  served.store.put('large', 'x'.repeat(1_000_000))
  for (let round = 0; round < 10; round++) {
    const sockets = await Promise.all(Array.from({ length: 20 }, () => open(served.port)))
    for (const [index, socket] of sockets.entries()) {
      socket.on('error', () => {})
      socket.write(
        [
          'GET large\r\n'.repeat(10),
          '*2\r\n$3\r\nGET\r\n$500000\r\nabc',
          'PSUBSCRIBE *\r\n',
          'HELLO 3\r\nCLIENT TRACKING ON\r\nGET large\r\n',
        ][index % 4]!,
      )
      served.store.change('large', 'x'.repeat(1_000_000))
      socket.resetAndDestroy()
    }
  }
  await until('all are closed', () => served.stats.connections === 0)
  await until('nothing is watched', () => served.store.changes.watches === 0)
  expect(served.stats.subscriptions + served.stats.trackedKeys + served.stats.trackingClients).toBe(0)
  expect(await ask(served.port, 'PING\r\n')).toBe(pong)
})

test('the log at debug has each connection, and why it closed', async () => {
  await using served = serveResp()
  const lines = linesAt('debug')
  expect(await sendAndEnd(served.port, 'PING\r\n')).toBe(pong)
  await sendAndEnd(served.port, '*x\r\n')
  await until('both are logged', () => lines.length === 4)
  const texts = lines.map(({ message }) => message.replace(/127\.0\.0\.1:\d+/, 'C').replace(/\d+ ms/, 'N ms'))
  expect(texts.toSorted()).toEqual([
    'Connection from C closed after N ms: it has quit, or what it sent was no command',
    'Connection from C closed after N ms: its end was received',
    'Connection from C opened',
    'Connection from C opened',
  ])
})
