import { expect, test } from 'bun:test'
import {
  descriptors,
  directNewConnections,
  ignoreNewConnections,
  isConnectionAt,
  shutDown,
} from '../../lib/linux/sockets.ts'

/** A server that answers with its name, and shares its port with others. */
function serve(name: string, port = 0) {
  return Bun.serve({
    hostname: '127.0.0.1',
    port,
    reusePort: true,
    development: false,
    fetch: () => new Response(name),
  })
}

async function answersOf(port: number, count: number): Promise<string[]> {
  const answers: string[] = []
  for (let number = 0; number < count; number++) {
    const response = await fetch(`http://127.0.0.1:${port}`, { keepalive: false })
    answers.push(await response.text())
  }
  return answers
}

test('new connections go to the listener that they are directed to', async () => {
  const first = serve('first')
  const port = first.port!
  const second = serve('second', port)
  try {
    for (const [index, name] of ['first', 'second', 'first'].entries()) {
      expect(directNewConnections(port, index % 2)).toBe(true)
      expect(new Set(await answersOf(port, 10))).toEqual(new Set([name]))
    }
  } finally {
    await first.stop(true)
    await second.stop(true)
  }
})

test('no connections are directed where nothing listens', async () => {
  const closed = serve('closed')
  const port = closed.port!
  await closed.stop(true)
  expect(directNewConnections(port, 0)).toBe(false)
})

test('a connection is distinguished from its listener, and from other connections', async () => {
  const accepted = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  const socket = { data: () => {} }
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { ...socket, open: () => accepted.resolve() } })
  const before = descriptors().filter((descriptor) => isConnectionAt(listener.port, descriptor))
  expect(before).toEqual([])
  const client = await Bun.connect({
    hostname: '127.0.0.1',
    port: listener.port,
    socket: { ...socket, close: () => ended.resolve() },
  })
  try {
    await accepted.promise
    const at = descriptors().filter((descriptor) => isConnectionAt(listener.port, descriptor))
    expect(at).toHaveLength(1)
    expect(descriptors().filter((descriptor) => isConnectionAt(client.localPort, descriptor))).toHaveLength(1)
    shutDown(at[0]!)
    await ended.promise
  } finally {
    client.end()
    listener.stop(true)
  }
})

test('a port that ignores connections accepts no new ones, and open ones continue', async () => {
  const echo = Promise.withResolvers<string>()
  const socket = { data: () => {} }
  const listener = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: { data: (accepted, bytes) => void accepted.write(bytes) },
  })
  const early = await Bun.connect({
    hostname: '127.0.0.1',
    port: listener.port,
    socket: { data: (_, bytes) => echo.resolve(bytes.toString()) },
  })
  ignoreNewConnections(listener.port)
  let hasBegun = false
  const late = Bun.connect({ hostname: '127.0.0.1', port: listener.port, socket }).then(
    (connected) => {
      hasBegun = true
      connected.end()
    },
    () => {},
  )
  try {
    early.write('still here')
    expect(await echo.promise).toBe('still here')
    // Begun before it and answered at once, were it not ignored.
    expect(hasBegun).toBe(false)
  } finally {
    early.end()
    listener.stop(true)
    await late
  }
})
