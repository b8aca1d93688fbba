/** What clients can make a server hold, measured from outside: its memory at most. */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { allTransports, transports } from '../support/http/transports.ts'
import { get } from '../support/server/clients.ts'

const mebibytesMax = 400

interface Greedy extends AsyncDisposable {
  port: number
  /** Suspends and resumes the process: meanwhile it sees nothing of its clients. */
  frozen(action: () => Promise<void>): Promise<void>
  /** The most that it has had so far. */
  mebibytes(): number
}

async function startGreedy(name: string): Promise<Greedy> {
  const script = join(import.meta.dir, '../support/server/greedy-server.ts')
  const child = Bun.spawn([process.execPath, script, name], { stdout: 'pipe', stderr: 'inherit' })
  const { value } = await child.stdout.getReader().read()
  return {
    port: Number(new TextDecoder().decode(value)),
    async frozen(action) {
      child.kill('SIGSTOP')
      try {
        await action()
      } finally {
        child.kill('SIGCONT')
      }
    },
    mebibytes() {
      const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]
      return Number(peak) / 1_024
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}

function written(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve) => socket.write(text, () => resolve()))
}

const livez = 'GET /livez HTTP/1.1\r\nHost: a\r\n\r\n'

/** Bun's server does not bound the rest: only the fast path promises it. */
describe.each(transports)('$name', ({ name, tls, open, rawRequest }) => {
  // Handshakes take their time.
  const rounds = tls ? 8 : 23

  test.each([
    ['plain', get('large')],
    ['forwarded', get('large', 'X: 1\r\nX: 2\r\n')],
  ])(
    'memory stays bounded when clients ask for a large value and reset, and the request is %s',
    async (_, request) => {
      await using greedy = await startGreedy(name)
      for (let round = 0; round < rounds; round++) {
        const sockets = await Promise.all(Array.from({ length: 300 }, () => open(greedy.port)))
        // By the time that it answers another client it has accepted these.
        await rawRequest(greedy.port, livez)
        await greedy.frozen(async () => {
          await Promise.all(sockets.map((socket) => written(socket, request)))
          for (const socket of sockets) socket.resetAndDestroy()
        })
        await rawRequest(greedy.port, livez)
      }
      expect(greedy.mebibytes()).toBeLessThan(mebibytesMax)
    },
    120_000,
  )

  test.each([
    ['plain', get('large')],
    ['forwarded', get('large', 'X: 1\r\nX: 2\r\n')],
  ])(
    'memory stays bounded when 600 clients ask for a large value and read nothing, and the request is %s',
    async (_, request) => {
      await using greedy = await startGreedy(name)
      const slow = await Promise.all(Array.from({ length: 600 }, () => open(greedy.port)))
      for (const socket of slow) socket.pause().on('error', () => {})
      // The kernel takes the first ones.
      await Promise.all(slow.map((socket) => written(socket, request.repeat(8))))
      // Another client has its answer, which is as large, and by then all the others have been answered or closed.
      for (let count = 0; count < 20; count++) {
        expect((await rawRequest(greedy.port, request)).length).toBeGreaterThan(900_000)
      }
      expect(greedy.mebibytes()).toBeLessThan(mebibytesMax)
      for (const socket of slow) socket.destroy()
    },
    120_000,
  )

  test.each([
    ['has a body of no bytes', get('huge', 'Content-Length: 0\r\n')],
    ['is of HTTP/1.0', get('huge').replace('HTTP/1.1', 'HTTP/1.0')],
  ])(
    'memory stays bounded when 128 clients ask for a huge value and read nothing, and the request %s',
    async (_, request) => {
      await using greedy = await startGreedy(name)
      const slow = await Promise.all(Array.from({ length: 128 }, () => open(greedy.port)))
      for (const socket of slow) socket.pause().on('error', () => {})
      await Promise.all(slow.map((socket) => written(socket, request)))
      for (let count = 0; count < 3; count++) {
        expect((await rawRequest(greedy.port, request)).length).toBeGreaterThan(10_000_000)
      }
      expect(greedy.mebibytes()).toBeLessThan(mebibytesMax)
      for (const socket of slow) socket.destroy()
    },
    120_000,
  )
})

test.each(allTransports)(
  '$name memory stays bounded when a client asks for a large value again and again and reads nothing, and the requests are forwarded',
  async ({ name, open, rawRequest }) => {
    await using greedy = await startGreedy(name)
    const socket = await open(greedy.port)
    socket.pause()
    await written(socket, get('large', 'X: 1\r\nX: 2\r\n').repeat(1_000))
    // By the time that others have their answers, everything that can be answered has been.
    for (let count = 0; count < 200; count++) await rawRequest(greedy.port, livez)
    expect(greedy.mebibytes()).toBeLessThan(mebibytesMax)
    socket.destroy()
  },
  120_000,
)
