import { afterEach, describe, expect, test } from 'bun:test'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { connectionsWithin, descriptorLimit, openDescriptors } from '../../lib/server/descriptors.ts'
import { openPlainSocket, type OpenSocket } from '../support/http/connect.ts'
import { serveFake } from '../support/http/fake-store.ts'
import { allTransports, type Transport } from '../support/http/transports.ts'
import { flush, get } from '../support/server/clients.ts'
import { until } from '../support/until.ts'

const script = join(import.meta.dir, '../support/server/limited-server.ts')
const request = 'GET /livez HTTP/1.1\r\nHost: a\r\n\r\n'
const sockets: Socket[] = []

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})

interface Limited extends AsyncDisposable {
  port: number
  /** How many connections it has said that it has closed. */
  closed(): number
}

/** In a separate process, so that its descriptors are not mixed with those of clients. */
async function startLimited({ name }: Transport, connectionsMax: number, descriptorsMax = 1_024): Promise<Limited> {
  const command = `ulimit -n ${descriptorsMax} && exec "${process.execPath}" "${script}" ${connectionsMax} "${name}"`
  const child = Bun.spawn(['sh', '-c', command], { stdout: 'pipe', stderr: 'pipe' })
  const { value } = await child.stdout.getReader().read()
  let logged = ''
  void (async () => {
    for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) logged += chunk
  })()
  const end = async () => {
    child.kill()
    await child.exited
  }
  return {
    port: Number(new TextDecoder().decode(value)),
    closed() {
      const lines = logged.matchAll(/Taking connections: \d+ were open, and (\d+) beyond them were closed/g)
      return [...lines].reduce((sum, [, closed]) => sum + Number(closed), 0)
    },
    [Symbol.asyncDispose]: end,
  }
}

function open(port: number, openSocket = openPlainSocket): Socket {
  const socket = openSocket(port, () => {})
  sockets.push(socket)
  // One that is closed before it was read from is reset.
  socket.on('error', () => {})
  socket.resume()
  return socket
}

/** Connections that have been answered, one after the other. */
async function openAnswered(port: number, count: number, openSocket?: OpenSocket): Promise<Socket[]> {
  const opened: Socket[] = []
  for (let index = 0; index < count; index++) {
    const socket = open(port, openSocket)
    expect(await ask(socket)).toStartWith('HTTP/1.1 200 ')
    opened.push(socket)
  }
  return opened
}

/** The answer, or nothing where the connection is closed instead. */
function ask(socket: Socket): Promise<string> {
  if (socket.closed) return Promise.resolve('')
  const answered = new Promise<string>((resolve) => {
    socket.once('data', (chunk) => resolve(String(chunk)))
    socket.once('close', () => resolve(''))
  })
  socket.write(request)
  return answered
}

async function untilClosed(opened: readonly Socket[], count: number): Promise<void> {
  await until(`${count} are closed`, () => opened.filter(({ closed }) => closed).length >= count)
}

describe.each(allTransports)('$name', (transport) => {
  const { openSocket } = transport

  describe('SERVER_CONNECTIONS_MAX', () => {
    test('the latest are closed and the others answered when there are more connections', async () => {
      await using limited = await startLimited(transport, 5)
      const held = await openAnswered(limited.port, 5, openSocket)
      const excess = Array.from({ length: 20 }, () => open(limited.port, openSocket))
      await untilClosed(excess, 20)
      for (const socket of held) expect(await ask(socket)).toStartWith('HTTP/1.1 200 ')
      await until('all closed connections are logged', () => limited.closed() === excess.length)
    })

    test('a connection is accepted again when another has ended', async () => {
      await using limited = await startLimited(transport, 1)
      const [first] = await openAnswered(limited.port, 1, openSocket)
      await untilClosed([open(limited.port, openSocket)], 1)
      first!.destroy()
      await once(first!, 'close')
      // The server may close a few more before it learns of that end.
      let next: Socket
      await until('another is answered', async () => {
        next = open(limited.port, openSocket)
        return (await ask(next)).startsWith('HTTP/1.1 200 ')
      })
      await untilClosed([open(limited.port, openSocket)], 1)
      expect(await ask(next!)).toStartWith('HTTP/1.1 200 ')
    })

    test('the server still answers when more connections are opened than it has descriptors', async () => {
      await using limited = await startLimited(transport, 1_000_000, 64)
      const flood = Array.from({ length: 300 }, () => open(limited.port, openSocket))
      await untilClosed(flood, 300 - 64)
      await until('a request is answered', async () => {
        const answer = await transport.rawRequest(limited.port, request).catch(() => '')
        return answer.startsWith('HTTP/1.1 200 ')
      })
      await until('the closed connections are logged', () => limited.closed() >= 300 - 64)
    })
  })

  test('there are descriptors for connections to brokers when requests of more clients are forwarded than there are descriptors', async () => {
    const broker = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => {} } })
    try {
      await using limited = await startLimited(transport, 1_000_000, 256)
      const coming = open(limited.port, openSocket)
      const answer = () => new Promise<string>((resolve) => coming.once('data', (chunk) => resolve(String(chunk))))
      const reached = async () => {
        const answered = answer()
        coming.write(get(String(broker.port)))
        return (await answered).split('\r\n\r\n')[1]
      }
      expect(await reached()).toBe('20')
      const clients = Array.from({ length: 400 }, () => open(limited.port, openSocket))
      for (const socket of clients) socket.write(flush)
      // Those that there is room for stay.
      await untilClosed(clients, 400 - 96)
      expect(await reached()).toBe('20')
      expect(clients.filter(({ closed }) => closed).length).toBeLessThan(400 - 64)
    } finally {
      broker.stop(true)
    }
  })
})

test('connections at another port are not closed', async () => {
  await using served = serveFake({ connectionsMax: 1 })
  await using other = serveFake()
  const others = await openAnswered(other.server.port, 10)
  await untilClosed([open(served.server.port), open(served.server.port)], 1)
  for (const socket of others) expect(await ask(socket)).toStartWith('HTTP/1.1 200 ')
})

describe('descriptors', () => {
  test.each([
    [4096, 1_048_576, 4096],
    [4096, 4608, 4096],
    [4096, 4096, 3584],
    [4096, 1024, 640],
    [4096, 64, 24],
    [4096, 2, 1],
    [4096, Infinity, 4096],
    [Infinity, 1024, 640],
  ])('of %p wanted connections and %p descriptors, %p are allowed', (wanted, limit, expected) => {
    expect(connectionsWithin(wanted, limit)).toBe(expected)
  })

  test('limit and count are those of this process', async () => {
    const shell = Bun.spawnSync(['sh', '-c', 'ulimit -n'])
    expect(String(descriptorLimit())).toBe(shell.stdout.toString().trim())
    const before = openDescriptors()
    await using served = serveFake()
    await openAnswered(served.server.port, 10)
    expect(openDescriptors()).toBeGreaterThanOrEqual(before + 10)
  })
})
